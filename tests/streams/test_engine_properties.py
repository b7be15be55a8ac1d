"""However the same events are cut, redelivered, interrupted and ticked, they give what a plain replay gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.anomaly import KINDS, record
from actors.intake import parse_event
from actors.keys import channel_key
from actors.sla import NEVER
from actors.state import WEEK
from storage.records import PartitionMark
from streams.engine import Engine
from streams.frames import decode_frame, encode_frame
from streams.ports import Frame
from streams.replay import Replay, ReplayOptions
from streams.report import encode_report
from tests.actors.trace import (
    DAY,
    Found,
    answer,
    as_lines,
    auth,
    message,
    ms,
    receipt,
    report_of,
    thresholds,
    translation,
)
from tests.streams.stories import SETTINGS, stories, unruly_stories

LARGE = [HealthCheck.too_slow, HealthCheck.data_too_large]
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=LARGE)


class Worker:
    """One partition's engine and what it saved, as bytes; it may crash at any moment and start again from them."""

    def __init__(self):
        self.mark = PartitionMark(partition=0)
        self.channels, self.conversations, self.sent = {}, {}, {}
        self.anomalies, self.clocks, self.keys = {}, {}, []
        self.start()

    def start(self):
        """Start (again) from what was saved; whatever was not is forgotten."""
        self.engine = Engine(0, thresholds(*SETTINGS), self.mark)
        self.engine.restore_channels(self.channels.values())
        self.engine.restore_keys(key for key in self.keys if key.at >= self.mark.time - WEEK)
        self.engine.arm([(row.due, row.key) for row in self.conversations.values() if row.due is not None])

    def save(self):
        """Keep everything that changed."""
        batch = self.engine.take(0)
        if batch is None:
            return
        self.mark = batch.mark
        self.channels |= {row.key: row for row in batch.channels}
        self.conversations |= {row.key: row for row in batch.conversations}
        self.keys += batch.effects.keys
        self.anomalies |= {a.id: a for a in batch.effects.anomalies}
        self.clocks |= {(change.key, change.clock.ordinal): change.clock for change in batch.effects.sla}
        for stored in batch.effects.messages:
            channel = channel_key(stored.event.platform, stored.event.account)
            self.sent.setdefault(channel, []).append(stored.event.sent_at)

    def apply(self, offset, entries):
        self._load(self.engine.absent(entries), entries)
        assert self.engine.apply(offset, 0, entries) == []

    def tick(self, now):
        if self.engine.next_due() < now:
            self._load(self.engine.due_keys(now), ())
            self.engine.tick(now)

    def finish(self):
        """Let the present's timers fire, and save."""
        while self.engine.next_due() < self.engine.time:
            self.tick(self.engine.time)
        self.save()

    def _load(self, keys, entries):
        self.engine.restore_conversations(keys, [self.conversations[key] for key in keys if key in self.conversations])
        if channels := self.engine.unindexed(entries):
            self.save()
            for channel in channels:
                self.engine.restore_index(channel, sorted(self.sent.get(channel, [])))


def plain(events):
    """What a replay in one go finds: anomalies by id, SLA rows, and the ledger."""
    report = report_of(events, settings=SETTINGS)
    assert report["rejected"] == []
    return report


def found_by(worker):
    """The same of a worker, after everything was saved."""
    anomalies = sorted(
        (record(a) for a in worker.anomalies.values()), key=lambda a: (a["opened_at"], a["kind"], a["id"])
    )
    states = [c.state for c in (*worker.engine.channels.values(), worker.engine.nobody)]
    ledger = {name: sum(getattr(s, name) for s in states) for name in ("accepted", "stored", "duplicates", "rejected")}
    return json.loads(json.dumps([anomalies, ledger])), worker.clocks


def expected_of(report):
    ledger = {name: report["ledger"][name] for name in ("accepted", "stored", "duplicates", "rejected")}
    return json.loads(json.dumps([report["anomalies"], ledger]))


def rows(clocks):
    """SLA clocks of a worker, comparable with a report's rows."""
    return sorted(
        (key, c.kind, c.started_at, c.due_at, c.warned_at, c.breached_at, c.answered_at)
        for (key, _), c in clocks.items()
        if c.due_at != NEVER
    )


def rows_of(report):
    found = Found(report).sla
    names = ("started_at", "due_at", "warned_at", "breached_at", "answered_at")
    times = [[None if (second := getattr(r, n)) is None else ms(second) for n in names] for r in found]
    return sorted((r.conversation, r.kind, *instants) for r, instants in zip(found, times, strict=True))


@QUIET
@given(unruly_stories, st.sampled_from([2, 5]))
def test_partitions_change_nothing(events, partitions):
    assert encode_report(report_of(events, settings=SETTINGS, partitions=partitions)) == encode_report(plain(events))


@QUIET
@given(unruly_stories, st.sampled_from([1, 2]), st.integers(0, 2))
def test_states_put_aside_after_every_few_events_change_nothing(events, partitions, loaded_most):
    replay = Replay(ReplayOptions(thresholds=thresholds(*SETTINGS), partitions=partitions, loaded_most=loaded_most))
    try:
        for number, line in enumerate(as_lines(events), 1):
            replay.line(number, line)
            if number % 3:
                replay._flush()
        report = replay.finish()
    finally:
        replay.close()
    assert encode_report(report) == encode_report(plain(events))


@QUIET
@given(unruly_stories)
def test_the_same_trace_gives_the_same_bytes(events):
    assert encode_report(plain(events)) == encode_report(plain(events))


@settings(max_examples=80, deadline=None, suppress_health_check=LARGE)
@given(stories, st.data())
def test_frames_redelivery_crashes_saves_eviction_and_ticks_change_nothing(events, data):
    worker = Worker()
    entries = [parse_event(line, need_at=True) for line in as_lines(events)]
    frames, start = [], 0
    while start < len(entries):
        size = data.draw(st.sampled_from([1, 1, 2, 3, 7]), label="frame")
        frames.append(encode_frame(Frame(wall=0, entries=entries[start : start + size])))
        start += size
    offset = 0
    while offset < len(frames):
        entries = decode_frame(frames[offset]).entries
        first = max(entries[0].at, worker.engine.time)
        for _ in range(data.draw(st.integers(0, 2), label="ticks")):
            worker.tick(data.draw(st.integers(min(worker.engine.time, first), first), label="tick"))
        worker.apply(offset, entries)
        offset += 1
        match data.draw(st.sampled_from(["", "", "", "save", "evict", "again", "crash", "restart"]), label="then"):
            case "save":
                worker.save()
            case "evict":
                worker.save()
                worker.engine.evict(0)
                worker.engine.evict(0)
            case "again":
                worker.apply(offset - 1, entries)
            case "crash":
                worker.start()
                offset = worker.mark.applied + 1
            case "restart":
                worker.save()
                worker.start()
            case _:
                pass
    worker.finish()
    report = plain(events)
    ours, clocks = found_by(worker)
    assert ours == expected_of(report)
    assert rows(clocks) == rows_of(report)


@QUIET
@given(stories)
def test_ticks_alone_fire_what_hears_nothing(events):
    worker = Worker()
    entries = [parse_event(line, need_at=True) for line in as_lines(events[:-1])]
    worker.apply(0, entries)
    end = entries[-1].at + 2 * DAY * 1000
    while (due := worker.engine.next_due()) < end:
        worker.tick(due + 1)
    worker.finish()
    ours, clocks = found_by(worker)
    report = plain(events)
    expected = expected_of(report)
    expected[1]["accepted"] -= 1
    expected[1]["stored"] -= 1
    assert ours == expected
    assert rows(clocks) == rows_of(report)


@pytest.mark.parametrize(("after", "reauthorised"), [(7 * DAY, False), (7 * DAY + 0.001, True)])
@pytest.mark.parametrize("pause", [1, 3 * DAY])
def test_an_event_key_outlives_crashes_for_seven_days_and_not_longer(after, reauthorised, pause):
    story = [auth(0, "expired", event="k"), auth(pause, "ok", event="j"), auth(after, "expired", event="k")]
    worker = Worker()
    for offset, line in enumerate(as_lines(story)):
        worker.apply(offset, [parse_event(line, need_at=True)])
        worker.start()
        worker.apply(offset, [parse_event(line, need_at=True)])
        worker.save()
        worker.start()
    (channel,) = worker.engine.channels.values()
    assert channel.state.duplicates == (0 if reauthorised else 1)
    assert [a.status for a in worker.anomalies.values()].count("resolved") == 1
    assert len(worker.anomalies) == (2 if reauthorised else 1)


@pytest.mark.parametrize("ticked", [True, False])
def test_what_is_told_of_a_message_after_a_week_does_not_depend_on_ticks(ticked):
    story = [message("m1", 0, lang="th"), translation("m1", 1), answer("a1", 2), receipt("a1", 3, "accepted")]
    story.append(translation("m1", 8 * DAY, "failed"))
    worker = Worker()
    for offset, line in enumerate(as_lines(story)):
        event = parse_event(line, need_at=True)
        while ticked and worker.engine.next_due() < event.at:
            worker.tick(worker.engine.next_due() + 1)
        worker.apply(offset, [event])
    worker.save()
    assert "translation_failed" in {a.kind for a in worker.anomalies.values()}


def test_the_random_stories_meet_every_kind_of_trouble():
    seen, clocks = set(), set()

    @settings(max_examples=250, deadline=None, database=None, derandomize=True, suppress_health_check=LARGE)
    @given(stories)
    def collect(events):
        report = plain(events)
        seen.update((a["kind"], a["resolution"]) for a in report["anomalies"])
        clocks.update(row["kind"] for row in report["sla"])

    collect()
    assert clocks == {"first_response", "next_response", "resolution"}
    assert {kind for kind, _ in seen} == set(KINDS)
    assert {("loss", "arrived_late"), ("loss", "resynced"), ("loss", None)} <= seen
    assert {("channel_silent", "spoke"), ("channel_silent", "authorised"), ("channel_silent", None)} <= seen
    assert {("notification_missed", r) for r in ("opened", "answered", None)} <= seen
