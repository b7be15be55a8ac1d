"""The feed: as many events as the curve wants, every channel in order, no channel far ahead of another."""

from __future__ import annotations

from itertools import count

import pytest

from loadtest.feed import APART_MS, Feed
from loadtest.manners import BATCH_LEAST, BATCH_WAIT_S, lane_of

PUSHED = ("lazada", "a")
FETCHED = ("amazon", "a")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def events(*channels, step_ms=10, most=10_000):
    for number, at in zip(range(most), count(1_000, step_ms), strict=False):
        platform, account = channels[number % len(channels)]
        yield {"type": "message", "platform": platform, "account": account, "at": at, "n": number}


def feed_of(stream, rate=100.0):
    clock = Clock()
    return Feed(iter(stream), lambda s: s * rate, clock), clock


def numbers(parcel):
    return [event["n"] for event in parcel.events]


def test_as_many_events_become_due_as_the_curve_wants():
    feed, clock = feed_of(events(PUSHED), rate=50)
    feed.release()
    assert (feed.released, feed.take("webhook")) == (0, None)
    clock.now += 2
    feed.release()
    assert feed.released == 100


def test_a_channel_is_sent_by_one_at_a_time_and_in_order():
    feed, clock = feed_of(events(PUSHED))
    feed.release()
    clock.now += 0.05
    feed.release()
    first = feed.take("webhook")
    assert numbers(first) == [0]
    assert feed.take("webhook") is None
    feed.answered(first)
    assert numbers(feed.take("webhook")) == [1]


def test_channels_do_not_wait_for_each_other():
    feed, clock = feed_of(events(PUSHED, ("ebay", "b")))
    feed.release()
    clock.now += 0.05
    feed.release()
    assert sorted([*numbers(feed.take("webhook")), *numbers(feed.take("webhook"))]) == [0, 1]


def test_a_messenger_puts_into_one_request_what_happened_meanwhile():
    feed, clock = feed_of(events(("whatsapp", "a")))
    feed.release()
    clock.now += 0.05
    feed.release()
    assert numbers(feed.take("webhook")) == [0, 1, 2, 3, 4]


def test_an_aggregator_waits_for_a_batch_but_not_for_long():
    feed, clock = feed_of(events(FETCHED, step_ms=1), rate=1_000)
    feed.release()
    clock.now += 0.09
    feed.release()
    assert feed.take("batch") is None
    clock.now += 0.02
    feed.release()
    parcel = feed.take("batch")
    assert len(parcel.events) >= BATCH_LEAST
    feed.answered(parcel)
    clock.now += 0.01
    feed.release()
    clock.now += BATCH_WAIT_S
    assert feed.take("batch") is not None


def test_no_channel_gets_far_ahead_of_one_that_is_not_answered():
    feed, clock = feed_of(events(PUSHED, ("ebay", "b"), step_ms=1_000))
    feed.release()
    clock.now += 1
    feed.release()
    held = feed.take("webhook")
    seen = [held.events[0]["at"]]
    for _ in range(20):
        clock.now += 1
        feed.release()
        while (parcel := feed.take("webhook")) is not None:
            seen.append(parcel.events[0]["at"])
            feed.answered(parcel)
    assert max(seen) <= held.events[0]["at"] + APART_MS
    assert feed.stood_s >= 15
    feed.answered(held)
    feed.release()
    assert feed.take("webhook").events[0]["at"] > held.events[0]["at"]


def test_what_a_sender_leaves_unanswered_goes_out_again_before_the_rest():
    feed, clock = feed_of(events(PUSHED))
    feed.release()
    clock.now += 0.05
    feed.release()
    lost = feed.take("webhook")
    assert feed.outstanding() == lost.events
    feed.give_back(lost)
    assert feed.outstanding() == []
    assert numbers(feed.take("webhook")) == numbers(lost)


def test_it_is_finished_when_the_last_event_is_answered():
    feed, clock = feed_of([*events(PUSHED, most=1), {"type": "clock", "at": 5_000}])
    feed.release()
    clock.now += 1
    feed.release()
    parcel = feed.take("webhook")
    assert not feed.finished
    feed.answered(parcel)
    feed.release()
    assert feed.finished


@pytest.mark.parametrize(
    ("platform", "account", "way"),
    [
        ("shopee", "shop-sg-1-x7", "webhook"),
        ("shopee", "shop-sg-1-b2-x7", "batch"),
        ("shopee", "shop-sg-1-b3-x7", "webhook"),
        ("amazon", "store-us-x7", "batch"),
    ],
)
def test_marketplaces_push_and_aggregators_fetch(platform, account, way):
    assert lane_of(platform, account).way == way
