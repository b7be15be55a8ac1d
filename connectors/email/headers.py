"""Headers as they really come: encoded words (RFC 2047) cut anywhere, raw bytes of any character set, broken dates.

The standard library's structured headers raise on some of these; raw values are read here instead.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import Message as Mail
from email.utils import getaddresses, parsedate_to_datetime

from msgspec import Struct

from actors.intake import EARLIEST, LATEST
from connectors.email.charsets import decode

LONGEST_HEADER = 64 * 1024
_WORD = re.compile(rb"=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*)\?=")
_FOLD = re.compile(rb"\r?\n[ \t]*|\r")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,998})>")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_MOST_ADDRESSES = 200
_DATE_COMMENT = re.compile(r"\([^()]*\)")


class Address(Struct, frozen=True):
    """Somebody's address, in lower case, and name; the name may be empty."""

    address: str
    name: str = ""


def raw(mail: Mail, name: str) -> bytes | None:
    """The first header of that name, byte for byte; None when there is none."""
    wanted = name.lower()
    for known, value in mail.raw_items():
        if known.lower() == wanted:
            return str(value).encode("utf-8", "surrogateescape")[:LONGEST_HEADER]
    return None


def every(mail: Mail, name: str) -> list[bytes]:
    """Every header of that name, in order."""
    wanted = name.lower()
    return [
        str(value).encode("utf-8", "surrogateescape")[:LONGEST_HEADER]
        for known, value in mail.raw_items()
        if known.lower() == wanted
    ]


def text(mail: Mail, name: str, hint: str | None = None) -> str:
    """A header's text on one line; an empty one when it is absent."""
    found = raw(mail, name)
    return "" if found is None else unfolded(found, hint)


def unfolded(value: bytes, hint: str | None = None) -> str:
    """The text of a raw value: encoded words decoded, raw bytes read as UTF-8 or by `hint`."""
    value = _FOLD.sub(b" ", value).strip()
    pieces: list[str] = []
    place = 0
    pending: tuple[str, bytes] | None = None  # a character may be cut between two words of one set
    for word in _WORD.finditer(value):
        between = value[place : word.start()]
        charset, content = word[1].decode("ascii", "replace").split("*", 1)[0].lower(), _decoded(word)
        if pending is not None and not between.strip():
            if pending[0] == charset:
                pending = (charset, pending[1] + content)
                place = word.end()
                continue
            between = b""
        if pending is not None:
            pieces.append(decode(pending[1], pending[0], hint))
        pieces.append(decode(between, None, hint))
        pending, place = (charset, content), word.end()
    if pending is not None:
        pieces.append(decode(pending[1], pending[0], hint))
    pieces.append(decode(value[place:], None, hint))
    return _CONTROL.sub(" ", "".join(pieces)).strip()


def _decoded(word: re.Match[bytes]) -> bytes:
    content = word[3]
    if word[2] in b"qQ":
        return _HEX.sub(lambda found: bytes([int(found[1], 16)]), content.replace(b"_", b" "))
    content = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
    if len(content) % 4 == 1:
        content = content[:-1]
    try:
        return base64.b64decode(content + b"=" * (-len(content) % 4))
    except binascii.Error:
        return content


def addresses(mail: Mail, name: str, hint: str | None = None) -> list[Address]:
    """The addresses in every header of that name, without repetition; whatever is no address is left out."""
    found: dict[str, Address] = {}
    for value in every(mail, name):
        for one in _addresses(value, hint):
            found.setdefault(one.address, one)
    return list(found.values())[:_MOST_ADDRESSES]


def _addresses(value: bytes, hint: str | None) -> Sequence[Address]:
    # Structure first, names afterwards: an encoded name may hold commas and angle brackets.
    plain = _FOLD.sub(b" ", value).decode("utf-8", "surrogateescape")
    pairs = getaddresses([plain])
    if not any("@" in address for _, address in pairs):
        pairs = [("", hit) for hit in re.findall(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+", unfolded(value, hint))]
    made: list[Address] = []
    for name, address in pairs[:_MOST_ADDRESSES]:
        bare = unfolded(address.encode("utf-8", "surrogateescape"), hint).strip("<>\"' ").lower()
        if "@" in bare and " " not in bare:
            made.append(Address(bare, unfolded(name.encode("utf-8", "surrogateescape"), hint)))
    return made


def sender_name(mail: Mail, hint: str | None = None) -> str:
    """What From says, whole, for a sender without an address."""
    return text(mail, "From", hint)


def message_ids(mail: Mail, name: str) -> list[str]:
    """The ids in a header, without angle brackets, in order and without repetition."""
    found: dict[str, None] = {}
    for value in every(mail, name):
        for one in _MESSAGE_ID.findall(unfolded(value)):
            found.setdefault(one)
    return list(found)


def message_id(mail: Mail) -> str | None:
    """The mail's own id, without angle brackets; None when it is missing or blank."""
    ids = message_ids(mail, "Message-ID")
    if ids:
        return ids[0]
    bare = text(mail, "Message-ID").strip("<> ")
    return bare[:998] if bare and not any(char.isspace() for char in bare) else None


def message_id_in(header: bytes) -> str | None:
    """The id in a Message-ID header by itself, as a server gives it; None when it has none."""
    found = _MESSAGE_ID.search(unfolded(header.strip()))
    return found[1] if found else None


def date(mail: Mail) -> int | None:
    """When it was sent, ms, by its Date header; None when that is missing, unreadable or no time Weir takes."""
    return instant(text(mail, "Date"))


def instant(found: str) -> int | None:
    """The time of a date as mails write it, ms; None when it is none that Weir takes."""
    try:
        when = parsedate_to_datetime(_DATE_COMMENT.sub(" ", found).strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        at = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None
    return at if EARLIEST <= at <= LATEST else None


def received(mail: Mail) -> int | None:
    """When our own server took it in, ms: the first Received header, which the last server wrote."""
    for value in every(mail, "Received")[:1]:
        return instant(unfolded(value).rpartition(";")[2].strip())
    return None


def as_datetime(at: int) -> datetime:
    """A time in ms as what the standard library writes dates from."""
    return datetime.fromtimestamp(at / 1_000, UTC)


__all__ = [
    "Address",
    "addresses",
    "as_datetime",
    "date",
    "every",
    "instant",
    "message_id",
    "message_id_in",
    "message_ids",
    "raw",
    "received",
    "sender_name",
    "text",
    "unfolded",
]
