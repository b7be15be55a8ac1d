"""What a platform would refuse of a reply, found out before it is sent, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from connectors.contract.outgoing import Forbidden, Limits, Objection, Outgoing

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|shop|store|cn|co)\b", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>.]{2,}")
_PHONE = re.compile(r"(?<![\w-])\+?\d[\d ().-]{7,}\d(?![\w-])")
_LEAST_DIGITS, _MOST_DIGITS = 9, 15
"""A phone number of ITU-T E.164 has 15 digits at most."""
_ORDER = re.compile(r"\b\d{3}-\d{7}-\d{7}\b")
_HOUR_MS = 3_600_000
_MIB = 2**20
_ADVICE: dict[Forbidden, str] = {
    "links": "the platform forbids links; say in words where to find it",
    "emails": "the platform forbids e-mail addresses; answer here instead",
    "phones": "the platform forbids phone numbers; answer here instead",
}


def objections(message: Outgoing, limits: Limits, now: int) -> Sequence[Objection]:
    """What these limits object to at `now` (ms), the gravest first; empty when nothing is wrong."""
    return [*_window(message, limits, now), *_text(message, limits), *_words(message, limits), *_files(message, limits)]


def _window(message: Outgoing, limits: Limits, now: int) -> Iterator[Objection]:
    if limits.window_ms is None:
        return
    hours = limits.window_ms // _HOUR_MS
    if message.last_in_at is None or now - message.last_in_at > limits.window_ms:
        yield Objection(
            code="window_closed",
            text=f"the platform takes answers only within {hours} hours of the customer's last message, and they are"
            " over; wait until the customer writes again, or use another channel",
            figures={"hours": hours},
        )


def _text(message: Outgoing, limits: Limits) -> Iterator[Objection]:
    if not message.text.strip() and not message.files:
        yield Objection(code="empty", text="there is nothing to send; write something or add a file")
    elif not message.text.strip() and not limits.wordless:
        yield Objection(code="files_alone", text="the platform takes files only with a text; write a word with them")
    length = len(message.text.encode()) if limits.unit == "bytes" else len(message.text)
    if limits.text is not None and length > limits.text:
        yield Objection(
            code="text_too_long",
            text=f"the text has {length} {limits.unit}, the platform takes {limits.text};"
            f" shorten it by {length - limits.text} or send it in parts",
            figures={"length": length, "most": limits.text, "over": length - limits.text},
        )


def _words(message: Outgoing, limits: Limits) -> Iterator[Objection]:
    for kind in sorted(limits.forbids):
        hit = next(found(message.text, kind), None)
        if hit is not None:
            text = f"{_ADVICE[kind]}; remove {hit!r}"
            yield Objection(code=f"forbidden_{kind}", text=text, figures={"found": hit})


def found(text: str, kind: Forbidden) -> Iterator[str]:
    """What of a text is a link, an e-mail address or a phone number, in order; an order's number is none."""
    match kind:
        case "links":
            yield from (hit.group() for hit in _LINK.finditer(_EMAIL.sub(" ", text)))
        case "emails":
            yield from (hit.group() for hit in _EMAIL.finditer(text))
        case "phones":
            for hit in _PHONE.finditer(_ORDER.sub(" ", text)):
                if _LEAST_DIGITS <= sum(map(str.isdigit, hit.group())) <= _MOST_DIGITS:
                    yield hit.group()


def _files(message: Outgoing, limits: Limits) -> Iterator[Objection]:
    if limits.files is not None and len(message.files) > limits.files:
        text = (
            f"the platform takes {limits.files} files with one message, not {len(message.files)}; send them in parts"
            if limits.files
            else "the platform takes no files with a message from here; describe what is on them"
        )
        yield Objection(code="too_many_files", text=text, figures={"count": len(message.files), "most": limits.files})
    if message.files and message.text.strip() and not limits.together:
        yield Objection(
            code="text_with_files",
            text="the platform takes a text or a file with one message, not both; send them as two messages",
        )
    for file in message.files:
        if limits.file_bytes is not None and file.size > limits.file_bytes:
            most = f"{limits.file_bytes / _MIB:.3g} MB"
            yield Objection(
                code="file_too_large",
                text=f"{file.name!r} has {file.size / _MIB:.3g} MB, the platform takes {most}; compress it",
                figures={"name": file.name, "bytes": file.size, "most": limits.file_bytes},
            )
        if limits.mimes is not None and not any(fnmatchcase(file.mime.lower(), kind) for kind in limits.mimes):
            kinds = ", ".join(sorted(limits.mimes))
            yield Objection(
                code="file_kind",
                text=f"{file.name!r} is {file.mime}, the platform takes {kinds}; convert it",
                figures={"name": file.name, "kind": file.mime, "kinds": kinds},
            )
