"""The records every contender is fed with: the simulator's events, once as frames and once as plain records.

The order within a partition is the same in both. Frames are the gateway's: up to 250 events as MessagePack. A plain
record is one event as JSON, as somebody else's program would write it to the topic.
"""

from __future__ import annotations

from functools import cache

from actors.events import Clock, Event
from actors.keys import partition_of
from benchmarks import traffic
from benchmarks.pipeline.held import RUN_RECORDS, Record, Records
from benchmarks.pipeline.task import Kind
from streams.frames import assemble, encode_entry
from streams.topics import PARTITIONS


@cache
def of_kind(kind: Kind, messages: int) -> Records:
    """The records of a sale with so many messages."""
    placed = _placed(messages)
    if kind == "plain":
        return Records(len(placed), _plain(placed))
    return Records(len(placed), _frames(placed))


def _placed(messages: int) -> list[tuple[int, bytes, Event]]:
    """(partition, JSON, event) in order; time that passes is told to every partition, as the gateway does."""
    placed: list[tuple[int, bytes, Event]] = []
    for line, event in zip(traffic.lines(messages), traffic.events(messages), strict=True):
        if isinstance(event, Clock):
            placed += [(partition, line, event) for partition in range(PARTITIONS)]
        else:
            placed.append((partition_of(event.platform, event.account, PARTITIONS), line, event))
    return placed


def _plain(placed: list[tuple[int, bytes, Event]]) -> list[Record]:
    """Runs of one partition's records, in the order in which the runs fill up."""
    records: list[Record] = []
    filling: dict[int, list[Record]] = {}
    for partition, line, event in placed:
        run = filling.setdefault(partition, [])
        run.append(Record(partition, event.at, line))
        if len(run) == RUN_RECORDS:
            records += filling.pop(partition)
    for run in filling.values():
        records += run
    return records


def _frames(placed: list[tuple[int, bytes, Event]]) -> list[Record]:
    records: list[Record] = []
    filling: dict[int, list[Event]] = {}
    for partition, _, event in placed:
        frame = filling.setdefault(partition, [])
        frame.append(event)
        if len(frame) == traffic.FRAME_EVENTS:
            records.append(_frame(partition, filling.pop(partition)))
    return records + [_frame(partition, frame) for partition, frame in filling.items()]


def _frame(partition: int, events: list[Event]) -> Record:
    wall = events[-1].at
    return Record(partition, wall, assemble(wall, [encode_entry(event) for event in events]))
