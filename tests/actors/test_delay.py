"""`delay`: rulings 14 to 17."""

from __future__ import annotations

import pytest

from tests.actors.trace import answer, message, run


def late(count, delay, *, start=100, step=1):
    """Messages with one delay each, one a second."""
    return [message(f"d{delay}-{start}-{n}", start + n * step, sent=start + n * step - delay) for n in range(count)]


def single(found):
    return [a for a in found.of("delay") if a.message is not None]


def of_channel(found):
    return [a for a in found.of("delay") if a.message is None]


def test_exactly_the_threshold_is_in_time_and_more_is_late():
    assert not run(message("m1", 30, sent=0)).of("delay")
    delay = run(message("m1", 30.001, sent=0)).one("delay")
    assert delay.evidence == {"delay_s": 30.001, "threshold_s": 30, "offset_s": 0}
    assert (delay.status, delay.resolution, delay.since, delay.opened_at, delay.resolved_at) == (
        "resolved",
        "arrived",
        0,
        30.001,
        30.001,
    )
    assert (delay.conversation, delay.message) == ("c1", "m1")


def test_answers_and_late_fillers_are_delayed_too():
    found = run(
        answer("a1", 40, sent=0), message("m1", 41, seq=1), message("m3", 41, seq=3), message("m2", 99, sent=41, seq=2)
    )
    assert sorted(a.message for a in found.of("delay")) == ["a1", "m2"]
    assert found.one("loss", cause="gap").resolution == "arrived_late"


def test_history_is_never_late():
    assert run(message("m1", 4000, sent=0, history=True)).anomalies == []


@pytest.mark.parametrize(("messages", "expected"), [(19, 0), (20, 1)])
def test_a_channel_is_judged_from_twenty_messages_on(messages, expected):
    assert len(of_channel(run(*late(messages, 31)))) == expected


def test_the_median_is_the_mean_of_the_tenth_and_eleventh_and_opens_above_the_threshold_only():
    on_time, slow = late(10, 0, start=100), late(10, 60, start=110)
    assert of_channel(run(*on_time, *slow)) == []  # (0 + 60) / 2 is the threshold itself
    slower = late(10, 60.002, start=110)
    (delay,) = of_channel(run(*on_time, *slower))
    assert delay.evidence == {"delay_s": 30.001, "threshold_s": 30, "offset_s": 0}
    assert (delay.since, delay.opened_at) == (119 - 60.002, 119)
    assert (delay.conversation, delay.message, delay.severity, delay.status) == (None, None, "warning", "open")


def test_the_channel_recovers_when_the_median_is_the_threshold_again():
    story = [*late(10, 0, start=100), *late(10, 60.002, start=110), message("ok", 120, sent=60)]
    (delay,) = of_channel(run(*story))  # the oldest on-time one left, one of exactly 60 came: still above
    assert delay.status == "open"
    (delay,) = of_channel(run(*story[:-1], message("x1", 120), message("x2", 121, sent=121)))
    assert delay.status == "open"
    recovered = [*story[:-1], *late(10, 0, start=120), message("y", 130)]
    (delay,) = of_channel(run(*recovered))
    assert (delay.status, delay.resolution, delay.resolved_at) == ("resolved", "recovered", 130)


def test_singles_open_in_addition_to_an_open_channel_delay():
    found = run(*late(25, 31))
    assert len(single(found)) == 25
    assert len(of_channel(found)) == 1


def test_a_second_slow_spell_of_a_channel_is_a_second_anomaly():
    found = run(*late(20, 31), *late(20, 0, start=200), *late(20, 31, start=300))
    first, second = of_channel(found)
    assert first.resolution == "recovered"
    assert second.status == "open"
    assert first.id != second.id


def test_both_directions_count_and_duplicates_and_history_do_not():
    slow = late(10, 31)
    answers = [answer(f"a{n}", 200 + n, sent=169 - n) for n in range(9)]
    history = [message(f"h{n}", 220, sent=0, history=True) for n in range(30)]
    story = [*slow, *slow, *answers, *history]
    assert of_channel(run(*story)) == []
    assert len(of_channel(run(*story, answer("a9", 230, sent=0)))) == 1


def test_the_offset_is_the_smallest_negative_raw_delay_of_the_last_twenty_with_this_one():
    found = run(message("m1", 100, sent=110), message("m2", 101, sent=80.5))
    delay = found.one("delay")
    assert delay.evidence == {"delay_s": 30.5, "threshold_s": 30, "offset_s": -10}
    fillers = [message(f"f{n}", 101 + n) for n in range(19)]
    inside = run(message("m1", 100, sent=110), *fillers[:18], message("m2", 200, sent=179.5))
    assert inside.one("delay").evidence["offset_s"] == -10
    outside = run(message("m1", 100, sent=110), *fillers, message("m2", 200, sent=179.5))
    assert not outside.of("delay")


def test_a_message_from_the_future_is_never_late():
    found = run(*[message(f"m{n}", n, sent=n + 300) for n in range(25)])
    assert not found.of("delay")


def test_a_channels_offset_is_its_own():
    found = run(message("m1", 100, sent=110, account="x"), message("m2", 101, sent=80.5))
    assert not found.of("delay")


def test_content_duplicates_are_not_judged_for_delay():
    body = {"text": "where is my parcel", "sender": {"id": "u1"}}
    found = run(message("m1", 100, sent=100, **body), message("m2", 200, sent=101, **body))
    assert found.one("duplicate").message == "m2"
    assert not found.of("delay")
