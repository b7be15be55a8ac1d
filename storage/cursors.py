"""Cursors: the sort key of the last row, opaque to the caller; and the bounds every list keeps."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

from msgspec import DecodeError, ValidationError, convert, json

from actors.errors import RejectedError

Key = TypeVar("Key", bound=tuple[Any, ...])

MAX_LIMIT = 500
MAX_CURSOR = 8_192
WRONG = "this cursor is not one of this list's; start again without a cursor"


def encode_cursor(name: str, *key: int | str) -> str:
    """The cursor of list `name` after the row with that sort key."""
    return urlsafe_b64encode(json.encode([name, *key])).decode().rstrip("=")


def decode_cursor(cursor: str, name: str, kinds: type[Key]) -> Key:
    """The sort key in a cursor of list `name`; raises RejectedError when it is none."""
    try:
        text = urlsafe_b64decode(cursor[:MAX_CURSOR].encode("ascii") + b"=" * (-len(cursor) % 4))
        values = json.decode(text, type=list[int | str])
        key = convert(values[1:], kinds)
    except (ValueError, DecodeError, ValidationError) as error:
        raise RejectedError(WRONG) from error
    if values[0] != name or any(isinstance(value, int) and abs(value) >= 1 << 63 for value in values):
        raise RejectedError(WRONG)
    return key


def bounded(limit: int) -> int:
    """How many rows a list gives back at most."""
    return max(1, min(limit, MAX_LIMIT))
