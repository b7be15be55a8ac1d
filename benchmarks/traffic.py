"""The events every benchmark is fed with: the simulator's mix, the same ones each time."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec

from actors.events import Event
from actors.intake import parse_event
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


def trace(folder: Path, messages: int) -> Path:
    """A trace file of so many messages."""
    path = folder / f"trace-{messages}.ndjson"
    write_trace(options(messages), path, folder / f"truth-{messages}.json")
    return path
