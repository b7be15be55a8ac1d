"""Reading a trace: NDJSON lines of a file, of standard input, gzipped or zstandard-compressed; bounded memory."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from actors.errors import ConfigurationError
from actors.intake import LONGEST_LINE

CHUNK = 1 << 20
PIECE = 1 << 12
"""Compressed bytes taken at a time: even the worst bomb swells no more than 32,768-fold."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@contextmanager
def open_trace(path: str) -> Generator[tuple[BinaryIO, BinaryIO]]:
    """(decompressed stream, the file itself, whose position tells progress); `-` is standard input.

    Compression is told by the first bytes, not by the name. Raises ConfigurationError when the file cannot be read.
    """
    try:
        raw = cast("BufferedReader", sys.stdin.buffer) if path == "-" else Path(path).open("rb")  # noqa: SIM115 # closed below
    except OSError as wrong:
        raise ConfigurationError(f"cannot read {path}: {wrong.strerror}") from wrong
    try:
        yield _decompressed(raw), raw
    finally:
        if path != "-":
            raw.close()


def _decompressed(raw: BufferedReader) -> BinaryIO:
    head = raw.peek(len(ZSTD))[: len(ZSTD)]
    if head.startswith(GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if head == ZSTD:
        return cast("BinaryIO", ZstdReader(raw))
    return raw


class ZstdReader:
    """What zstandard frames hold, one after the other.

    The library's own reader takes a file that is cut short for a whole one; this one raises EOFError.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._rest = b""
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def read(self, _size: int) -> bytes:
        """Some more bytes, few enough for memory; none at the end. Raises EOFError and zstandard.ZstdError."""
        while data := self._rest or self._raw.read(PIECE):
            frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            found = frame.decompress(data)
            self._frame, self._rest = (None, frame.unused_data) if frame.eof else (frame, b"")
            if found:
                return found
        if self._frame is not None:
            raise EOFError("the file ends within a compressed frame")
        return b""


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line without its end) of every line; None for one longer than a line may be.

    A damaged compressed file ends the trace with a ConfigurationError that says after which line.
    """
    number, rest, skipping = 0, b"", False
    while True:
        try:
            chunk = stream.read(CHUNK)
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as wrong:
            raise ConfigurationError(f"the trace is damaged after line {number}: {wrong}") from wrong
        if not chunk:
            break
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        for part in parts:
            number += 1
            yield number, None if skipping or len(part) > LONGEST_LINE + 1 else part
            skipping = False
        if len(rest) > LONGEST_LINE + 1:
            rest, skipping = b"", True
    if rest or skipping:
        yield number + 1, None if skipping else rest
