"""The events every benchmark is fed with: the simulator's mix, the same ones each time."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from actors.events import Clock, Event
from actors.intake import parse_event
from actors.keys import partition_of
from loadtest.simulator import SimulationOptions, simulate, write_trace

T = TypeVar("T")
FRAME_EVENTS = 250


def options(messages: int) -> SimulationOptions:
    """A flash sale with every trouble in it."""
    return SimulationOptions(messages=messages, profile="flash-sale", seed=42)


@cache
def lines(messages: int) -> tuple[bytes, ...]:
    """The events as JSON, one each."""
    encode = msgspec.json.Encoder().encode
    return tuple(encode(event) for event in simulate(options(messages), lambda _: None))


@cache
def events(messages: int) -> tuple[Event, ...]:
    """The events as records."""
    return tuple(parse_event(line, need_at=True) for line in lines(messages))


def frames_of(items: tuple[T, ...]) -> list[tuple[T, ...]]:
    """The items in groups as big as a frame of the log."""
    return [items[i : i + FRAME_EVENTS] for i in range(0, len(items), FRAME_EVENTS)]


def frames_by_partition(messages: int, partitions: int) -> list[tuple[int, tuple[Event, ...]]]:
    """(partition, events) of full frames as the gateway makes them under load, in the order in which they fill up."""
    rows: list[tuple[int, tuple[Event, ...]]] = []
    filling: dict[int, list[Event]] = {}
    for event in events(messages):
        partition = 0 if isinstance(event, Clock) else partition_of(event.platform, event.account, partitions)
        frame = filling.setdefault(partition, [])
        frame.append(event)
        if len(frame) == FRAME_EVENTS:
            rows.append((partition, tuple(frame)))
            del filling[partition]
    return rows + [(partition, tuple(frame)) for partition, frame in filling.items()]


def trace(folder: Path, messages: int) -> Path:
    """A trace file of so many messages."""
    path = folder / f"trace-{messages}.ndjson"
    write_trace(options(messages), path, folder / f"truth-{messages}.json")
    return path
