"""A mail taken apart: who, to whom, what it says and which files came with it. Never fails on a mail's content.

After RFC 5322 and RFC 2045 to 2047, leniently. Parts are numbered as in IMAP (RFC 9051, 6.4.5.1).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import compat32
from typing import Any, cast
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from actors.errors import RejectedError
from connectors.email import headers
from connectors.email.charsets import decode
from connectors.email.headers import Address
from connectors.email.html_text import to_text

MOST_PARTS = 250
DEEPEST = 30
LONGEST_HTML = 2**20
_LONGEST_NAME = 255
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
_HTML_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s{0,4}=\s{0,4}[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_STUB = 200
"""A plain text shorter than this beside an HTML one three times its length says only that there is another."""


class UnreadableMailError(RejectedError):
    """A mail that is not taken in: it is kept with its bytes, and the reason."""


class File(Struct, frozen=True, kw_only=True):
    """A file of a mail; `part`: its number, `cid`: by which the text shows it, `size` in bytes once decoded."""

    part: str
    name: str
    mime: str
    size: int
    digest: str
    cid: str | None = None
    inline: bool = False


class Letter(Struct, frozen=True, kw_only=True):
    """What a mail says. `from_html`: no plain text came with it; `at`: its date, ms, None when it has none."""

    mail: Mail
    message_id: str | None
    sender: Address | None
    sender_shown: str
    to: Sequence[Address]
    cc: Sequence[Address]
    reply_to: Sequence[Address]
    subject: str
    text: str
    from_html: bool
    files: Sequence[File]
    at: int | None
    received_at: int | None
    in_reply_to: Sequence[str]
    references: Sequence[str]

    def __repr__(self) -> str:
        """Without what it says."""
        return f"Letter(message_id={self.message_id!r})"


def letter(raw: bytes) -> Letter:
    """Take a mail apart. Raises UnreadableMailError for one with too many parts, nested too deeply, or without any."""
    mail = parsed(raw)
    parts = list(_leaves(mail))
    hint = next((charset for _, part in parts if (charset := _charset(part)) is not None), None)
    words, from_html, shown = _words(mail, parts, hint)
    return Letter(
        mail=mail,
        message_id=headers.message_id(mail),
        sender=next(iter(headers.addresses(mail, "From", hint) or headers.addresses(mail, "Sender", hint)), None),
        sender_shown=headers.sender_name(mail, hint),
        to=headers.addresses(mail, "To", hint),
        cc=headers.addresses(mail, "Cc", hint),
        reply_to=headers.addresses(mail, "Reply-To", hint),
        subject=headers.text(mail, "Subject", hint),
        text=words,
        from_html=from_html,
        files=[_file(number, part, hint) for number, part in parts if number not in shown],
        at=headers.date(mail),
        received_at=headers.received(mail),
        in_reply_to=headers.message_ids(mail, "In-Reply-To"),
        references=headers.message_ids(mail, "References"),
    )


def html_of(mail: Mail) -> str:
    """The source of the HTML of a mail, for what is to be found in it; never to be shown."""
    return "\n".join(
        decode(_bytes(part)[:LONGEST_HTML], _charset(part)) for _, part in _leaves(mail) if _kind(part) == "html"
    )


def content_of(raw: bytes, part: str) -> bytes | None:
    """The bytes of one part by its number, decoded; None when the mail has no such part."""
    return next((_bytes(found) for number, found in _leaves(parsed(raw)) if number == part), None)


def parsed(raw: bytes) -> Mail:
    """The tree of a mail. Raises UnreadableMailError when it is none or too large a tree."""
    if not raw.strip():
        raise UnreadableMailError("the mail is empty")
    try:
        mail = message_from_bytes(raw, policy=compat32)
    except RecursionError as wrong:
        raise UnreadableMailError("the mail is nested too deeply; open it in the mailbox") from wrong
    _measure(mail)
    return mail


def _measure(mail: Mail) -> None:
    count, waiting = 0, [(mail, 1)]
    while waiting:
        part, depth = waiting.pop()
        count += 1
        if count > MOST_PARTS:
            raise UnreadableMailError(f"the mail has more than {MOST_PARTS} parts; open it in the mailbox")
        if depth > DEEPEST:
            raise UnreadableMailError(f"the mail is nested more than {DEEPEST} deep; open it in the mailbox")
        waiting += [(inner, depth + 1) for inner in inside_of(part) or ()]


def _leaves(mail: Mail, number: str = "") -> Iterator[tuple[str, Mail]]:
    """The parts that hold something, with their numbers; a mail within the mail is one of them."""
    inside = inside_of(mail)
    if mail.get_content_maintype() == "multipart" and inside is not None:
        for index, inner in enumerate(inside, start=1):
            yield from _leaves(inner, f"{number}.{index}" if number else str(index))
    else:
        yield number or "1", mail


def inside_of(part: Mail) -> Sequence[Mail] | None:
    """The parts of a part; None when it has content of its own instead."""
    payload: Any = part.get_payload()
    if not isinstance(payload, list):
        return None
    return [inner for inner in cast("list[Mail | str]", payload) if isinstance(inner, Mail)]


def _words(mail: Mail, parts: Sequence[tuple[str, Mail]], hint: str | None) -> tuple[str, bool, set[str]]:
    """The text, whether it is made of HTML, and the numbers of the parts that it says whole."""
    said: list[str] = []
    shown: set[str] = set()
    from_html = False
    for group in _groups(mail, parts):
        plain = [(number, _plain(part, hint)) for number, part in group if _kind(part) == "plain"]
        rich = [(number, part) for number, part in group if _kind(part) == "html"]
        words = "\n\n".join(found for _, found in plain if found.strip())
        html = "\n\n".join(_rich(part, hint) for _, part in rich) if rich and len(words) < _STUB else ""
        if html.strip() and (not words.strip() or len(html) > 3 * len(words) + _STUB):
            words, from_html = html, True
        shown.update(number for number, _ in (*plain, *rich))
        if words.strip():
            said.append(words)
    return "\n\n".join(said), from_html, shown


def _groups(mail: Mail, parts: Sequence[tuple[str, Mail]]) -> Iterator[list[tuple[str, Mail]]]:
    """Texts in order; those that are versions of one another together."""
    versions = set(_versions(mail))
    pending: dict[str, list[tuple[str, Mail]]] = {}
    for number, part in parts:
        if _kind(part) is None:
            continue
        home = next((home for home in versions if number.startswith(f"{home}.") or not home), None)
        pending.setdefault(f"of {home}" if home is not None else number, []).append((number, part))
    yield from pending.values()


def _versions(mail: Mail, number: str = "") -> Iterator[str]:
    """The numbers of the outermost multipart/alternative parts."""
    if mail.get_content_type() == "multipart/alternative":
        yield number
        return
    if mail.get_content_maintype() == "multipart":
        for index, inner in enumerate(inside_of(mail) or (), start=1):
            yield from _versions(inner, f"{number}.{index}" if number else str(index))


def _kind(part: Mail) -> str | None:
    """`plain` or `html` for a part that is read; None for one that is a file."""
    if part.get_content_maintype() == "multipart":
        return "plain"  # one whose boundary never comes: its text is all there is
    if part.get_content_type() not in {"text/plain", "text/html"} or _disposition(part) == "attachment" or _name(part):
        return None
    return part.get_content_subtype()


def _disposition(part: Mail) -> str:
    found = headers.raw(part, "Content-Disposition") or b""
    return found.split(b";")[0].strip().lower().decode("ascii", "replace")


def _charset(part: Mail) -> str | None:
    try:
        found = part.get_content_charset()
    except (LookupError, UnicodeError, ValueError):
        return None
    return found or None


def _plain(part: Mail, hint: str | None) -> str:
    return _clean(decode(_bytes(part), _charset(part), hint))


def _rich(part: Mail, hint: str | None) -> str:
    data = _bytes(part)[:LONGEST_HTML]
    told = _HTML_CHARSET.search(data[:4_096])
    declared = _charset(part) or (told[1].decode("ascii") if told else None)
    return _clean(to_text(decode(data, declared, hint)))


def _clean(text: str) -> str:
    """Lines end with a line feed, and no control characters are left."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")


def _bytes(part: Mail) -> bytes:
    """A part's content, decoded; what it is encoded in wrongly is given as it stands."""
    inside = inside_of(part)
    if inside is not None:
        return b"".join(_written(inner) for inner in inside)
    payload: Any = part.get_payload()
    try:
        found = part.get_payload(decode=True)
    except (ValueError, LookupError):
        found = None
    if isinstance(found, bytes):
        return found
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def _written(mail: Mail) -> bytes:
    """A mail within the mail as a file; the standard library cannot write everything that it reads."""
    try:
        return mail.as_bytes()
    except (UnicodeError, LookupError, ValueError, TypeError, AttributeError):
        told = b"".join(
            name.encode("utf-8", "surrogateescape") + b": " + str(value).encode("utf-8", "surrogateescape") + b"\n"
            for name, value in mail.raw_items()
        )
        return told + b"\n" + _bytes(mail)


def _name(part: Mail, hint: str | None = None) -> str:
    """The file's name, one path component without control characters; an empty one when it has none."""
    for header, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
        if (value := headers.raw(part, header)) is not None and (found := _parameter(value, parameter, hint)):
            bare = re.sub(r"[\x00-\x1f\x7f/\\]+", "_", found).strip(". ")
            return bare[-_LONGEST_NAME:]
    return ""


def _parameter(value: bytes, name: str, hint: str | None) -> str:
    """A parameter of a header in any of the ways it is written: plain, encoded words, RFC 2231 in pieces."""
    flat = re.sub(rb"\r?\n[ \t]*", b" ", value)
    pattern = rb";\s*" + name.encode() + rb"(?:\*(\d{1,2}))?(\*)?\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"?|([^;\s]*))"
    pieces = sorted(
        (int(hit[0] or 0), bool(hit[1]), hit[2] or hit[3]) for hit in re.findall(pattern, flat, re.IGNORECASE)
    )
    if not pieces:
        return ""
    if not any(encoded for _, encoded, _ in pieces):
        plain = b"".join(piece for _, _, piece in pieces)
        return headers.unfolded(re.sub(rb"\\(.)", rb"\1", plain), hint)
    charset, quote, first = pieces[0][2].partition(b"'")
    rest = first.partition(b"'")[2] if quote else pieces[0][2]
    data = unquote_to_bytes(rest) + b"".join(unquote_to_bytes(p) if e else p for _, e, p in pieces[1:])
    return decode(data, charset.decode("ascii", "replace") if quote else None, hint)


def _file(number: str, part: Mail, hint: str | None) -> File:
    content = _bytes(part)
    cid = headers.text(part, "Content-ID").strip("<> ")
    mime = part.get_content_type()
    return File(
        part=number,
        name=_name(part, hint) or _otherwise(part, mime, number),
        mime=mime if mime.isascii() and mime.isprintable() else "application/octet-stream",
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        cid=cid[:_LONGEST_NAME] or None,
        inline=_disposition(part) == "inline" or bool(cid and _disposition(part) != "attachment"),
    )


def _otherwise(part: Mail, mime: str, number: str) -> str:
    """A name for a file without one; a mail within the mail is called by its subject."""
    if mime == "message/rfc822":
        inner = next(iter(inside_of(part) or ()), None)
        subject = headers.text(inner, "Subject") if inner is not None else ""
        bare = re.sub(r"[^\w .()-]+", "_", subject)[:80]
        return f"{bare or 'mail'}.eml"
    return f"part-{number}"


__all__ = ["File", "Letter", "UnreadableMailError", "content_of", "html_of", "inside_of", "letter", "parsed"]
