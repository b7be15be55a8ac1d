from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from structlog.testing import capture_logs

from services.health.backlog import STUCK_MS, Backlog, Reading
from services.health.heartbeats import Heartbeats
from services.health.watchdog import Watchdog, judge
from streams.ports import PartitionPosition

NOW = 1_795_312_800_000


class Hand:
    """A clock wound by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
def heartbeats(hand):
    return Heartbeats(hand, steady=hand)


@pytest.fixture
def watchdog(heartbeats, hand):
    return Watchdog(heartbeats, hand)


def at(partition=0, end=0, committed=0):
    return PartitionPosition(partition=partition, start=0, end=end, committed=committed)


def beat_all(heartbeats, *silent):
    for part in heartbeats.limits_ms:
        if part not in silent:
            heartbeats.beat(part)


def test_while_everybody_beats_there_is_no_alarm(watchdog):
    verdict = watchdog.look()
    assert verdict.ok
    assert verdict.problems() == []
    assert verdict.silent_since is None


@pytest.mark.parametrize("part", ["engine", "persister", "gateway", "monitor"])
def test_a_part_that_stops_is_named_within_its_limit(watchdog, heartbeats, hand, part):
    hand.now += heartbeats.limits_ms[part] + 1
    beat_all(heartbeats, part)
    verdict = watchdog.look()
    assert not verdict.ok
    assert verdict.silent_since == NOW
    assert [alarm.evidence for alarm in verdict.alarms] == [{"part": part}]
    assert part in verdict.problems()[0]


def test_a_wall_clock_set_forward_stops_nobody(hand):
    heartbeats = Heartbeats(hand)
    watchdog = Watchdog(heartbeats, hand)
    hand.now += 3_600_000
    assert watchdog.look().ok


def test_a_part_that_comes_back_ends_the_silence(watchdog, heartbeats, hand):
    hand.now += 60_000
    watchdog.look()
    beat_all(heartbeats)
    assert watchdog.look().silent_since is None


def test_a_record_that_waits_too_long_raises_the_queue_alarm_with_its_numbers(watchdog):
    watchdog.tell_backlog(Reading(at=NOW, accepted=50, processed=0, oldest_ms=298_000))
    (alarm,) = watchdog.look().alarms
    assert (alarm.kind, alarm.severity, alarm.since) == ("queue", "critical", NOW - 298_000)
    assert "accepted 50 log records, processed 0" in watchdog.verdict.problems()[0]


def test_a_queue_that_is_late_but_moves_is_a_warning(watchdog):
    watchdog.tell_backlog(Reading(at=NOW, accepted=50, processed=30, oldest_ms=45_000))
    (alarm,) = watchdog.look().alarms
    assert alarm.severity == "warning"
    assert watchdog.verdict.ok


def test_a_channel_left_out_of_the_checks_raises_an_alarm(watchdog):
    watchdog.tell_coverage(11, 10)
    (alarm,) = watchdog.look().alarms
    assert (alarm.kind, alarm.evidence) == ("coverage", {"bound": 11, "checked": 10})
    watchdog.tell_coverage(11, 11)
    assert watchdog.look().alarms == []


def test_a_partition_with_records_that_does_not_move_is_stuck():
    backlog = Backlog()
    backlog.observe([at(end=5, committed=5), at(1, 9, 9)], None, NOW)
    backlog.observe([at(end=6, committed=5), at(1, 20, 10)], NOW, NOW + 1_000)
    late = NOW + STUCK_MS + 2_000
    reading = backlog.observe([at(end=60, committed=5), at(1, 99, 40)], NOW, late)
    assert reading.stuck == {0: NOW}
    assert (reading.accepted, reading.processed, reading.waiting) == (159, 45, 114)
    assert reading.oldest_ms == STUCK_MS + 2_000


def test_a_partition_that_catches_up_is_stuck_no_more():
    backlog = Backlog()
    backlog.observe([at(end=6, committed=5)], NOW, NOW)
    assert backlog.observe([at(end=6, committed=5)], NOW, NOW + STUCK_MS + 1).stuck
    assert not backlog.observe([at(end=9, committed=6)], NOW, NOW + STUCK_MS + 2).stuck


def test_an_idle_partition_is_never_stuck():
    backlog = Backlog()
    for later in range(0, 10 * STUCK_MS, STUCK_MS):
        assert not backlog.observe([at(end=6, committed=6)], None, NOW + later).stuck
    assert not backlog.observe([at(end=7, committed=6)], NOW, NOW + 10 * STUCK_MS).stuck


async def test_a_blocked_event_loop_is_noticed_and_the_place_is_logged():
    def hurrying():
        hand.now += 100
        return hand.now

    hand = Hand()
    watchdog = Watchdog(Heartbeats(hurrying, steady=hurrying), hurrying, period_s=0.01)
    with capture_logs() as lines:
        watchdog.start(asyncio.get_running_loop())
        try:
            while "loop" not in kinds(watchdog):
                time.sleep(0.01)  # noqa: ASYNC251 # this blocks the loop, as a bug would
            assert "event loop" in " ".join(watchdog.verdict.problems())
            while "loop" in kinds(watchdog):  # noqa: ASYNC110 # the thread knows no events of this loop
                await asyncio.sleep(0.01)  # the watchdog's thread knows no events of this loop
        finally:
            watchdog.stop()
    (told,) = [line for line in lines if line.get("kind") == "loop" and line["log_level"] == "error"]
    assert "test_watchdog.py" in " ".join(told["hangs_at"])


def kinds(watchdog):
    return {alarm.kind for alarm in watchdog.verdict.alarms}


def test_the_verdict_is_left_in_a_file_for_those_who_cannot_ask(heartbeats, hand, data_dir):
    file = data_dir / "watchdog.json"
    watchdog = Watchdog(heartbeats, hand, file)
    hand.now += 60_000
    watchdog.look()
    told = msgspec.json.decode(file.read_bytes())
    assert told["silent_since"] == NOW
    assert told["at"] == NOW + 60_000


def test_a_file_that_cannot_be_written_stops_nothing(heartbeats, hand, data_dir):
    watchdog = Watchdog(heartbeats, hand, data_dir / "no" / "such" / "watchdog.json")
    assert watchdog.look().ok


def test_a_stopped_part_and_a_stuck_queue_are_two_alarms(heartbeats, hand):
    hand.now += 60_000
    beats = heartbeats.read(hand.now)
    backlog = Reading(at=NOW, accepted=2, processed=1, oldest_ms=60_000, stuck={3: NOW})
    verdict = judge(beats, backlog, (0, 0), (0, 0), hand.now)
    assert {alarm.kind for alarm in verdict.alarms} == {"stopped", "queue"}
    assert len(verdict.problems()) == len(verdict.alarms) == 6
