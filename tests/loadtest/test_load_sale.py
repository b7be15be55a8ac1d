"""The sale made for a load test: as big as asked for, apart from earlier ones, and with exact truth."""

from __future__ import annotations

import json

import pytest

from actors.errors import ConfigurationError
from loadtest.feed import APART_MS
from loadtest.load import LoadOptions, sale
from loadtest.outcome import is_silence_after, too_close
from loadtest.score import score
from loadtest.simulator import SimulationOptions, write_trace
from loadtest.tally import is_broken
from streams.replay import replay_file

NOW = 1_800_000_000_000


def sent(prepared, clock):
    """Every event in the order in which a product that answers at once gets it."""
    feed, found = prepared.feed, []
    while not feed.finished:
        feed.release()
        for way in ("webhook", "batch"):
            while (parcel := feed.take(way)) is not None:
                found += parcel.events
                feed.answered(parcel)
        clock[0] += 0.01
    return found


def prepared(**changes):
    clock = [0.0]
    made = sale(LoadOptions(**{"minutes": 0.5, "peak": 600} | changes), now=NOW, clock=lambda: clock[0])
    return made, sent(made, clock)


def test_it_has_as_many_events_as_the_curve_wants():
    made, events = prepared()
    assert len(events) == pytest.approx(LoadOptions(minutes=0.5, peak=600).curve.total, rel=0.15)
    assert made.last_at() == max(e["at"] for e in events)


def test_the_same_seed_sends_the_same_sale():
    assert prepared(seed=4)[1] == prepared(seed=4)[1]
    assert prepared(seed=4)[1] != prepared(seed=5)[1]


def test_a_few_events_are_broken_and_only_on_channels_that_are_known():
    _, events = prepared(minutes=2)
    broken = [n for n, e in enumerate(events) if is_broken(e)]
    assert 0 < len(broken) < len(events) / 100
    for place in broken:
        channel = (events[place]["platform"], events[place]["account"])
        assert channel in {(e["platform"], e["account"]) for e in events[:place] if not is_broken(e)}


def test_it_lies_in_the_past_and_after_what_the_product_has_heard():
    options = LoadOptions(minutes=0.5, peak=600)
    assert sale(options, now=NOW).options.start < NOW - options.seconds * options.speed * 1000
    assert sale(options, now=NOW, newest=NOW).options.start > NOW


def test_two_sales_have_no_channel_in_common():
    first, events = prepared(minutes=0.1, peak=300)
    second = sale(LoadOptions(minutes=0.1, peak=300), now=NOW + 5_000)
    assert first.options.mark != second.options.mark
    assert all(event["account"].endswith(first.options.mark) for event in events)


def test_a_fast_sale_with_a_curve_of_its_own_is_found_exactly(tmp_path):
    made, _ = prepared(minutes=1)
    trace, truth = tmp_path / "trace.ndjson", tmp_path / "truth.json"
    write_trace(made.options, trace, truth)
    assert score(replay_file(str(trace)), json.loads(truth.read_bytes())).perfect


def test_a_delay_that_depends_on_the_order_of_arrival_is_left_out():
    def late(delay):
        who = {"platform": "p", "account": "a", "conversation": "c", "message": str(delay)}
        return {"kind": "delay", **who, "evidence": {"delay_s": delay, "threshold_s": 30}}

    close = too_close([late(30.1), late(30 + APART_MS / 1000 + 1)])
    assert [message for *_, message in close] == ["30.1"]


def test_silence_after_the_end_means_nothing():
    anomaly = {"kind": "channel_silent", "evidence": {"probability": 1e-7}, "opened_at": "2027-01-15T08:00:10.000Z"}
    end = 1_800_000_000_000
    assert is_silence_after(anomaly, end)
    assert not is_silence_after(anomaly, end + 20_000)
    assert not is_silence_after({**anomaly, "evidence": {"status": "expired"}}, end)


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"peak": -1}, {"speed": 0}, {"shops": 0}, {"agents": -1}])
def test_an_impossible_load_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        LoadOptions(**wrong)


@pytest.mark.parametrize("wrong", [{"curve": ()}, {"curve": (1.0, 0.0)}, {"pace": 0}])
def test_an_impossible_curve_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        SimulationOptions(**wrong)
