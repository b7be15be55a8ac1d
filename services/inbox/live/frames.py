"""What a screen and the follower say to each other; docs/inbox.md has the contract.

Frames are JSON objects with a `type`. Keys are those of `actors.keys`, times RFC 3339, `at` of news milliseconds.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

MOST_WATCHED = 300
LONGEST_KEY = 4096
LONGEST_FRAME = 512 * 1024

Key: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)]


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame: what the socket before had last, of the follower called `epoch`."""

    epoch: Annotated[str, Meta(max_length=64)] | None = None
    seq: Annotated[int, Meta(ge=0)] = 0


class Watch(Struct, frozen=True, tag_field="type", tag="watch"):
    """What is in sight now: the rows `keys`, and the open conversation `thread`; replaces what was said before."""

    keys: Annotated[list[Key], Meta(max_length=MOST_WATCHED)] = []
    thread: Key | None = None


class Typing(Struct, frozen=True, tag_field="type", tag="typing"):
    """The person writes an answer."""

    key: Key


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    """Is the socket alive? `id` comes back."""

    id: int = 0


Said: TypeAlias = Watch | Typing | Ping

decode_hello = msgspec.json.Decoder(Hello).decode
decode_said = msgspec.json.Decoder(Watch | Typing | Ping).decode
_encoder = msgspec.json.Encoder()


def encoded(frame: Any) -> bytes:
    """A frame as it is sent."""
    return _encoder.encode(frame)


def raw(value: Any) -> Raw:
    """A part of a frame, encoded once for all who get it."""
    return Raw(_encoder.encode(value))


__all__ = [
    "LONGEST_FRAME",
    "MOST_WATCHED",
    "Hello",
    "Ping",
    "Said",
    "Typing",
    "Watch",
    "decode_hello",
    "decode_said",
    "encoded",
    "raw",
]
