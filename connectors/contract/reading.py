"""Reading what platforms send: JSON of any shape, numbers that may be strings, times in several units.

Every function raises UnreadableError with the name of what is wrong, never anything else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import msgspec

from actors.intake import EARLIEST, LATEST
from connectors.contract.connector import Parsed, Refused, UnreadableError

Document: TypeAlias = Mapping[str, Any]
_LONGEST_ID = 1_024
_LARGEST_SIZE = 2**63 - 1
_MOST_DIGITS = len(str(_LARGEST_SIZE))


def document(body: bytes) -> Document:
    """The JSON object of a body."""
    try:
        found = _decoded(body)
    except (ValueError, RecursionError) as wrong:
        raise UnreadableError(f"the body is not JSON: {wrong}") from wrong
    if not isinstance(found, dict):
        raise UnreadableError("the body is not a JSON object")
    return cast("Document", found)


def _decoded(body: bytes) -> Any:
    """The JSON value; the second, slower reader also takes halves of surrogate pairs, which phones send."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)


def part(parent: Document, name: str) -> Document:
    """The object under a name."""
    found = parent.get(name)
    if not isinstance(found, dict):
        raise UnreadableError(f"{name!r} is missing or not an object")
    return cast("Document", found)


def optional_part(parent: Document, name: str) -> Document:
    """The object under a name; an empty one when there is none."""
    found = parent.get(name)
    return cast("Document", found) if isinstance(found, dict) else {}


def items(parent: Document, name: str) -> Sequence[Any]:
    """The list under a name; an empty one when it is absent or null."""
    found = parent.get(name)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise UnreadableError(f"{name!r} is not a list")
    return cast("Sequence[Any]", found)


def identity(parent: Document, name: str) -> str:
    """An id under a name: a string or a whole number, as a string of 1 to 1,024 characters."""
    found = optional_identity(parent, name)
    if found is None:
        raise UnreadableError(f"{name!r} is missing or no id")
    return found


def optional_identity(parent: Document, name: str) -> str | None:
    """An id under a name; None when it is absent, empty, or no id."""
    found = parent.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
        return None
    return _whole(found)


def text(parent: Document, name: str) -> str | None:
    """The text under a name; None when it is absent or no text. Lone surrogates become U+FFFD."""
    found = parent.get(name)
    return _whole(found) if isinstance(found, str) else None


def _whole(found: str) -> str:
    try:
        found.encode()
    except UnicodeEncodeError:
        return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found


def milliseconds(parent: Document, name: str, *, unit_ms: float = 1) -> int:
    """A time under a name, a number or a numeric string of units of `unit_ms` ms, as milliseconds since 1970.

    It lies within the years 2000 to 2100, as every event's must.
    """
    found = parent.get(name)
    try:
        value = float(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not EARLIEST <= value * unit_ms <= LATEST:
        raise UnreadableError(f"{name!r} is missing or no time")
    exact = isinstance(found, int) and unit_ms == int(unit_ms)
    return int(found) * int(unit_ms) if exact and isinstance(found, int) else round(value * unit_ms)


def instant(parent: Document, name: str) -> int:
    """A time of RFC 3339 under a name as milliseconds since 1970; one without an offset is UTC."""
    found = parent.get(name)
    try:
        when = datetime.fromisoformat(found) if isinstance(found, str) else None
        value = None if when is None else (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        value = None
    if value is None or not EARLIEST <= value * 1_000 <= LATEST:
        raise UnreadableError(f"{name!r} is missing or no time")
    return round(value * 1_000)


def number(parent: Document, name: str) -> float | None:
    """The number under a name; None when it is absent, none (a boolean, a string) or not finite."""
    found = parent.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def size(parent: Document, name: str) -> int | None:
    """The size of a file under a name, bytes, a whole number or its digits; None when it is absent or no size."""
    found = parent.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _MOST_DIGITS:
        found = int(found)
    return found if type(found) is int and 0 <= found <= _LARGEST_SIZE else None


def shown(item: Any) -> bytes:
    """The bytes of an item as JSON, to be journalled when it cannot be read."""
    try:
        return json.dumps(item).encode()
    except RecursionError:  # read just below the interpreter's limit, written just above it
        return b"nested too deeply to be shown"


def each(found: Iterable[Any], read: Callable[[Document], Iterable[Parsed]]) -> list[Parsed]:
    """What `read` makes of every item; one that it cannot read is refused and harms no other."""
    parsed: list[Parsed] = []
    for item in found:
        try:
            if not isinstance(item, dict):
                raise UnreadableError("an item is not an object")  # noqa: TRY301 # refused like any other
            parsed += list(read(cast("Document", item)))
        except UnreadableError as wrong:
            parsed.append(Refused(shown(item), str(wrong)))
    return parsed
