"""A program: answers one question about stored frames in a process of its own, so that the live one is not slowed down.

Standard input: the question, then records, each with its length in front; an empty record ends a partition, the end of
input ends it all. Standard output: the answer. All in MessagePack.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from struct import Struct as Layout
from typing import BinaryIO

import msgspec

from services.health.measures import MeasureQuestion, Measures, Point
from services.tuning.backtest import Backtest, Findings, Question
from streams.ports import LogRecord

LENGTH = Layout("<I")
NICENESS = 10

Asked = Question | MeasureQuestion
encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(Asked)
_record = msgspec.msgpack.Decoder(tuple[int, int, int, bytes])


def framed(data: bytes) -> bytes:
    """The data with its length in front."""
    return LENGTH.pack(len(data)) + data


def encode_record(record: LogRecord) -> bytes:
    """A log record as the worker reads it."""
    return framed(encode((record.partition, record.offset, record.wall, record.data)))


def answer(question: Asked, records: Iterator[bytes]) -> Findings | list[Point]:
    """What the frames say to the question."""
    work = Backtest(question) if isinstance(question, Question) else Measures(question)
    for data in records:
        if data:
            work.frame(*_record.decode(data))
        else:
            work.end_partition()
    return work.findings()


def read(stream: BinaryIO) -> Iterator[bytes]:
    """Every piece of the input up to its end."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        yield stream.read(LENGTH.unpack(head)[0])


def main() -> None:
    """Answer, then end."""
    with suppress(OSError):  # a system without niceness answers just the same
        os.nice(NICENESS)
    pieces = read(sys.stdin.buffer)
    question = _asked.decode(next(pieces))
    sys.stdout.buffer.write(encode(answer(question, pieces)))


if __name__ == "__main__":
    main()
