"""Reports that a mail of ours did not arrive: which mail, and why.

After RFC 3464 (delivery status notifications) and RFC 3463 (its status codes). Reports of servers that keep to neither
are read by the mail they give back, and by the reply of the server that refused it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message as Mail
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from connectors.email import headers
from connectors.email.charsets import decode
from connectors.email.mime import inside_of

_LONGEST_REASON = 500
_MOST_BYTES = 256 * 1024
_STATUS = re.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)[ -](?:[45]\.\d{1,3}\.\d{1,3}[ -])?\S")
_RETURNED_ID = re.compile(rb"^Message-I[Dd]:\s*(?:\r?\n[ \t]+)?<([^<>\s]{1,998})>", re.MULTILINE)
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/partial"})


class Bounce(Struct, frozen=True, kw_only=True):
    """What became of a mail of ours. `original`: its id without angle brackets, when the report gives it.

    `code`: an enhanced status code such as 5.1.1, or the three digits of a server's reply.
    """

    action: Literal["failed", "delayed", "delivered", "relayed", "expanded"] = "failed"
    original: str | None = None
    code: str | None = None
    reason: str | None = None
    recipient: str | None = None


def bounce(mail: Mail, shown: str) -> Bounce:
    """What a report tells of; to be asked of mails that are `automatic` by a bounce only. `shown`: its text."""
    nothing: dict[str, str] = {}
    told = next(iter(_fields(mail)), nothing)
    diagnostic = told.get("diagnostic-code", "").partition(";")[2].strip() or told.get("diagnostic-code", "")
    words = "" if diagnostic else shown[:_MOST_BYTES]
    code = told.get("status", "").split(" ")[0] or _code(diagnostic or words)
    recipient = (told.get("final-recipient") or told.get("original-recipient") or "").rpartition(";")[2].strip(" <>")
    return Bounce(
        action=_action(told.get("action", ""), code),
        original=_original(mail),
        code=code[:64] if code else None,
        reason=(diagnostic or _reason(words, recipient))[:_LONGEST_REASON] or None,
        recipient=recipient[:320] or None,
    )


def _action(told: str, code: str | None) -> Literal["failed", "delayed", "delivered", "relayed", "expanded"]:
    match told.strip().lower().split(" ")[0]:
        case "delayed":
            return "delayed"
        case "delivered":
            return "delivered"
        case "relayed":
            return "relayed"
        case "expanded":
            return "expanded"
        case "":
            return "delayed" if code is not None and code.startswith("4") else "failed"
        case _:
            return "failed"


def _fields(mail: Mail) -> Iterator[dict[str, str]]:
    """The fields of every recipient, those of the worst first."""
    found: list[dict[str, str]] = []
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            found += _blocks(part)
    ranks = {"failed": 0, "delayed": 1}
    yield from sorted(
        (one for one in found if "action" in one or "status" in one),
        key=lambda one: ranks.get(one.get("action", "failed").strip().lower(), 2),
    )


def _blocks(part: Mail) -> list[dict[str, str]]:
    blocks = inside_of(part) or ()
    made = [
        {
            name.lower(): headers.unfolded(str(value).encode("utf-8", "surrogateescape"))
            for name, value in block.raw_items()
        }
        for block in blocks
    ]
    return made or [_lines(_bytes(part))]


def _lines(data: bytes) -> dict[str, str]:
    """Fields of a part that the standard library did not take apart."""
    unfolded = re.sub(r"\r?\n[ \t]+", " ", decode(data[:_MOST_BYTES], None))
    pairs = (line.partition(":") for line in unfolded.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _bytes(part: Mail) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    whole = part.get_payload()
    return whole.encode("utf-8", "surrogateescape") if isinstance(whole, str) else b""


def _original(mail: Mail) -> str | None:
    for part in mail.walk():
        if part is not mail and part.get_content_type() in _RETURNED:
            for inner in inside_of(part) or ():
                if (found := headers.message_id(inner)) is not None:
                    return found
            if (hit := _RETURNED_ID.search(_bytes(part)[:_MOST_BYTES])) is not None:
                return hit[1].decode("ascii", "replace")
    for part in mail.walk():
        if part.get_content_maintype() == "text" and (hit := _RETURNED_ID.search(_bytes(part)[:_MOST_BYTES])):
            return hit[1].decode("ascii", "replace")
    if (hit := _RETURNED_ID.search(_bytes(mail)[:_MOST_BYTES])) is not None:
        return hit[1].decode("ascii", "replace")
    answered = headers.message_ids(mail, "In-Reply-To")
    return answered[0] if answered else None


def _code(words: str) -> str | None:
    found = _STATUS.search(words) or _REPLY.search(words)
    return found[1] if found else None


def _reason(words: str, recipient: str) -> str:
    """The line that has the server's reply, or comes after the recipient's; else the first one that says something."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    told = next((line for line in lines if _STATUS.search(line) or _REPLY.search(line)), None)
    if told is None and recipient:
        told = next((after for line, after in pairwise(lines) if recipient in line and "@" not in after), None)
    return told or (lines[0] if lines else "")


__all__ = ["Bounce", "bounce"]
