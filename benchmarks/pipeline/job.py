"""The job, the same for every contender: decode, apply to the partition's engine, hand out a batch now and then.

A batch is everything that changed, states encoded, as it goes to the store; it is handed out every 30,000 events, as
often as Weir does under load, and dropped. Clocks start with the first record.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256

from actors.events import Entry
from actors.intake import parse_event
from actors.intake_runs import parse_run
from actors.state import encode_state
from actors.thresholds import ThresholdSet
from storage.records import PartitionMark
from streams.engine import Engine
from streams.frames import decode_frame
from ui.garbage import Collector

BATCH_EVENTS = 30_000


class Job:
    """One contender's engines. `hand_out=False`: effects are dropped and no batch is made (the limit in memory)."""

    def __init__(self, partitions: int, expected: int, *, hand_out: bool = True) -> None:
        self.engines = [Engine(n, ThresholdSet(), PartitionMark(partition=n)) for n in range(partitions)]
        self.applied = 0
        self._expected = expected
        self._hand_out = hand_out
        self._pending = 0
        self._started: tuple[float, float] | None = None
        self.took: tuple[float, float] = (0.0, 0.0)

    @property
    def done(self) -> bool:
        """Whether every event was applied."""
        return self.applied >= self._expected

    def begin(self) -> None:
        """Start the clocks, once, with everything that start-up made out of the garbage collector's sight."""
        if self._started is None:
            Collector().start()
            self._started = (time.process_time(), time.perf_counter())

    def frame(self, partition: int, offset: int, data: bytes) -> bool:
        """One frame; True when a batch was handed out, hence when offsets may be committed."""
        self.begin()
        frame = decode_frame(data)
        return self._apply(partition, offset, frame.wall, frame.entries)

    def one(self, partition: int, offset: int, data: bytes) -> bool:
        """One plain record; True when a batch was handed out."""
        self.begin()
        return self._apply(partition, offset, 0, (parse_event(data, need_at=True),))

    def run(self, partition: int, last: int, values: Sequence[bytes]) -> bool:
        """Plain records of one partition that follow each other up to offset `last`; True when a batch went out."""
        self.begin()
        return self._apply(partition, last, 0, _parsed(values))

    def _apply(self, partition: int, offset: int, wall: int, entries: Sequence[Entry]) -> bool:
        engine = self.engines[partition]
        if failures := engine.apply(offset, wall, entries):
            raise failures[0][1]
        self.applied += len(entries)
        self._pending += len(entries)
        handed_out = self.done or self._pending >= BATCH_EVENTS
        if not self._hand_out:
            engine.effects.clear()
        elif handed_out:
            for each in self.engines:
                each.take(0)
        if handed_out:
            self._pending = 0
        if self.done:
            self.end()
        return handed_out

    def end(self) -> None:
        """Stop the clocks."""
        if self._started is not None:
            self.took = (time.process_time() - self._started[0], time.perf_counter() - self._started[1])


def _parsed(values: Sequence[bytes]) -> Sequence[Entry]:
    """The events of plain records, decoded many at one go as Weir does."""
    return parse_run(values, need_at=True) or [parse_event(data, need_at=True) for data in values]


def digest(engine: Engine) -> str:
    """A fingerprint of all states of a partition."""
    states = [(engine.nobody.key, engine.nobody.state)]
    for channel in engine.channels.values():
        states.append((channel.key, channel.state))
        states += [(conversation.key, conversation.state) for conversation in channel.conversations.values()]
    summary = sha256()
    for key, state in sorted(states, key=lambda pair: pair[0]):
        summary.update(key.encode() + b"\0" + encode_state(state))
    return summary.hexdigest()
