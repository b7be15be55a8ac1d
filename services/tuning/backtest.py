"""What the engine would have found with other thresholds: stored frames through two engines, anomalies counted. Pure.

Frames come partition by partition, each in order. Those before `since` only warm the engines up. Anomalies count by
`opened_at`, so what a timer fires late is counted where it belongs, as live.
"""

from __future__ import annotations

from msgspec import Struct

from actors import channel as channels
from actors import conversation as conversations
from actors.anomaly import KINDS
from actors.effects import Effects
from actors.thresholds import ThresholdSet
from services.health.logged import entries_of
from storage.records import PartitionMark
from streams.engine import Engine
from streams.frames import FrameDamagedError
from streams.ports import LogRecord


class Question(Struct, frozen=True, kw_only=True, tag="backtest"):
    """Which thresholds, over which period (ms, [since, until))."""

    current: ThresholdSet
    proposed: ThresholdSet
    since: int
    until: int


class Findings(Struct, frozen=True, kw_only=True):
    """Anomalies opened within the period by kind; `events` were read, the warm-up's too."""

    current: dict[str, int]
    proposed: dict[str, int]
    events: int


class Backtest:
    """Feed it frames, tell it where a partition ends, then ask for the `findings`."""

    def __init__(self, question: Question) -> None:
        self._question = question
        same = question.current.overrides == question.proposed.overrides
        self._sets = (question.current,) if same else (question.current, question.proposed)
        self._opened: list[dict[str, set[str]]] = [{kind: set[str]() for kind in KINDS} for _ in self._sets]
        self._engines: list[Engine] = []
        self._events = 0

    def frame(self, partition: int, offset: int, wall: int, data: bytes) -> None:
        """The next frame of a partition; a damaged one is skipped, as live."""
        if not self._engines:
            mark = PartitionMark(partition=partition)
            self._engines = [Engine(partition, thresholds, mark, timers=False) for thresholds in self._sets]
        try:
            entries = entries_of(LogRecord(partition, offset, wall, data))
        except FrameDamagedError:
            return
        self._events += len(entries)
        for engine, opened in zip(self._engines, self._opened, strict=True):
            engine.apply(offset, wall, entries)
            self._count(engine.effects, opened)

    def end_partition(self) -> None:
        """No more frames of this partition: let time pass to the end of the period."""
        if not self._engines:
            return
        for engine, opened in zip(self._engines, self._opened, strict=True):
            until = self._question.until + engine.drift
            for channel in engine.channels.values():
                channels.expire(channel, until, engine.effects)
                for conversation in channel.conversations.values():
                    conversations.expire(channel, conversation, until, engine.effects)
                self._count(engine.effects, opened)
        self._engines = []

    def findings(self) -> Findings:
        """The counts of all partitions that ended."""
        counts = [{kind: len(ids) for kind, ids in opened.items()} for opened in self._opened]
        return Findings(current=counts[0], proposed=counts[-1], events=self._events)

    def _count(self, effects: Effects, opened: dict[str, set[str]]) -> None:
        since, until = self._question.since, self._question.until
        for anomaly in effects.anomalies:
            if since <= anomaly.opened_at < until:
                opened[anomaly.kind].add(anomaly.id)
        effects.clear()
