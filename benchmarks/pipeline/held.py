"""Records on their way to a topic, and left in a file for contenders that need no broker."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

RUN_RECORDS = 500
"""Plain records of one partition that follow each other in the log when it is filled in bulk."""


class Record(Struct, frozen=True, array_like=True, gc=False):
    """One record of the log before it has an offset; `wall` in ms."""

    partition: int
    wall: int
    data: bytes


class Records(Struct, frozen=True):
    """Everything for one topic, in the order of writing; `events` counts what the records hold."""

    events: int
    records: list[Record]


def write(records: Records, path: Path) -> None:
    """Leave the records for a process that reads no broker."""
    path.write_bytes(msgspec.msgpack.encode(records))


def read(path: Path) -> Records:
    """The records left there."""
    return msgspec.msgpack.decode(path.read_bytes(), type=Records)
