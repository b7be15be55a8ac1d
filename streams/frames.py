"""A frame's bytes: one version byte, a CRC-32, then MessagePack of `[wall, [entry, …]]`.

The checksum names a torn or damaged record before anything is decoded. Entries are encoded one by one, so that a
gateway knows their size when it accepts them and an unreadable one can be dead-lettered without its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct as Layout
from zlib import crc32

import msgspec
from msgspec import Struct

from actors.errors import PermanentError, RejectedError
from actors.events import Entry
from streams.ports import Frame

VERSION = 1
HEADER = Layout("<BI")
SHORT_ARRAY = 15

_encode = msgspec.msgpack.Encoder().encode
_decode_frame = msgspec.msgpack.Decoder(Frame).decode
_decode_parts = msgspec.msgpack.Decoder(tuple[int, list[msgspec.Raw]]).decode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode


class FrameDamagedError(PermanentError):
    """The bytes are no intact frame; the message says what is wrong with them."""


class BadEntry(Struct, frozen=True, gc=False):
    """An entry that could not be decoded: its place in the frame, why, and its bytes."""

    index: int
    reason: str
    raw: bytes


def encode_entry(entry: Entry) -> bytes:
    """The bytes of one entry; raises RejectedError when it holds what MessagePack cannot."""
    try:
        return _encode(entry)
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        # The value itself is the sender's: only the kind of trouble is told.
        raise RejectedError(
            f"a {type(entry).__name__} cannot be written to the log ({type(error).__name__})"
        ) from error


def assemble(wall: int, entries: Sequence[bytes]) -> bytes:
    """A frame of already encoded entries, accepted at `wall` (ms)."""
    count = len(entries)
    size = bytes((0x90 | count,)) if count <= SHORT_ARRAY else b"\xdd" + count.to_bytes(4, "big")
    payload = b"".join((b"\x92", _encode(wall), size, *entries))
    return HEADER.pack(VERSION, crc32(payload)) + payload


def encode_frame(frame: Frame) -> bytes:
    """A frame's bytes; raises RejectedError like `encode_entry`."""
    return assemble(frame.wall, [encode_entry(entry) for entry in frame.entries])


def decode_frame(data: bytes) -> Frame:
    """The frame; raises FrameDamagedError when its bytes are damaged or an entry cannot be read."""
    payload = verify(data)
    try:
        return _decode_frame(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameDamagedError(f"an entry of the frame cannot be read: {error}") from error


def decode_leniently(data: bytes) -> tuple[int, list[Entry | BadEntry]]:
    """(`wall`, entries), a BadEntry for each unreadable one; raises FrameDamagedError when none can be told apart."""
    try:
        wall, parts = _decode_parts(verify(data))
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameDamagedError(f"the frame cannot be split into entries: {error}") from error
    return wall, [_read(index, bytes(raw)) for index, raw in enumerate(parts)]


def _read(index: int, raw: bytes) -> Entry | BadEntry:
    try:
        return _decode_entry(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        return BadEntry(index, str(error), raw)


def verify(data: bytes) -> memoryview:
    """The payload, its version and checksum proven; raises FrameDamagedError."""
    if len(data) < HEADER.size:
        raise FrameDamagedError(f"the record has {len(data)} bytes, less than a frame's header of {HEADER.size}")
    version, checksum = HEADER.unpack_from(data)
    if version != VERSION:
        raise FrameDamagedError(f"the record's version is {version}; this Weir reads version {VERSION}")
    payload = memoryview(data)[HEADER.size :]
    if crc32(payload) != checksum:
        raise FrameDamagedError(f"the checksum does not fit: the record of {len(data)} bytes is torn or damaged")
    return payload


__all__ = [
    "BadEntry",
    "FrameDamagedError",
    "assemble",
    "decode_frame",
    "decode_leniently",
    "encode_entry",
    "encode_frame",
    "verify",
]
