"""What a mail is known by: its id in Weir, the print of its content, and the conversation it begins or goes on.

Senders leave the Message-ID out, and use one twice for different mails; neither may lose a mail or glue two together.
"""

from __future__ import annotations

import hashlib
import re
from unicodedata import normalize

from connectors.email import headers
from connectors.email.mime import Letter

CONVERSATION = re.compile(r"mail-[0-9a-f]{24}")
_LONGEST_ID = 1_000
_PREFIX = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|antwort|sv|vs|ref|rif|rép|res|odp|fw|fwd|wg|tr|rv|enc|vl|doorst|ynt|"
    r"回复|答复|回覆|轉寄|转发|返信|転送|답장|전달|trả lời|balas|ตอบกลับ|ответ|на)"
    r"(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:\uff1a]\s*",
    re.IGNORECASE,
)
_MOST_PREFIXES = 20


def own_id(letter: Letter) -> str:
    """The mail's id; one made of what it says when it has none, the same however often it is fetched."""
    if letter.message_id is not None:
        return letter.message_id if len(letter.message_id) <= _LONGEST_ID else f"mail-{_digest(letter.message_id)}"
    date = headers.raw(letter.mail, "Date") or b""
    return f"mail-{_digest(date.decode('utf-8', 'replace'), content(letter))}"


def content(letter: Letter) -> str:
    """A short print of who says what: sender, subject, text and files."""
    sender = letter.sender.address if letter.sender else letter.sender_shown
    return _digest(sender, letter.subject, letter.text, *(f"{file.name}/{file.digest}" for file in letter.files))[:16]


def conversation(root: str, counterpart: str) -> str:
    """The conversation with somebody that begins with the mail `root`.

    The counterpart is part of it: many customers answer one newsletter, and each is a conversation of their own.
    """
    return f"mail-{_digest(root, counterpart.lower())[:24]}"


def root(letter: Letter, message: str) -> str:
    """The mail that began the thread, as far as this one tells."""
    named = (*letter.references, *letter.in_reply_to)
    return named[0] if named else message


def named_ids(letter: Letter) -> list[str]:
    """The mails that this one goes on from, the likeliest first: In-Reply-To, then References backwards."""
    return list(dict.fromkeys((*letter.in_reply_to, *reversed(letter.references))))


def bare_subject(subject: str) -> tuple[str, bool]:
    """The subject without marks of answering and passing on, and whether it had any."""
    found = subject
    for _ in range(_MOST_PREFIXES):
        shorter = _PREFIX.sub("", found, count=1)
        if shorter == found:
            break
        found = shorter
    return " ".join(normalize("NFKC", found).casefold().split()), found != subject


def token_in(letter: Letter) -> str | None:
    """The conversation that an address of ours names behind its plus sign; None when there is none."""
    delivered = [headers.text(letter.mail, name) for name in ("Delivered-To", "X-Original-To", "Envelope-To")]
    for address in (*(one.address for one in (*letter.to, *letter.cc)), *(one.lower() for one in delivered)):
        local = address.partition("@")[0]
        found = CONVERSATION.fullmatch(local.rpartition("+")[2])
        if found is not None and "+" in local:
            return found.group()
    return None


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]


__all__ = ["CONVERSATION", "bare_subject", "content", "conversation", "named_ids", "own_id", "root", "token_in"]
