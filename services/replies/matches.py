"""Whether a message that a platform shows is a reply of ours: the same words at about the same time."""

from __future__ import annotations

from unicodedata import normalize

from actors.events import Message
from storage.channel_records import ReplyRow

NEAR_MS = 120_000
"""How far the platform's time may be from when the sending began."""


def same_words(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same apart from white space and from how characters are composed."""
    return _words(one) == _words(other)


def is_echo(message: Message, row: ReplyRow) -> bool:
    """Whether an outbound message, as a platform tells it, may be this reply.

    A platform's id that is made of ours, as a mail's is, says so by itself.
    """
    if message.direction == "out" and row.id in message.message:
        return True
    if message.direction != "out" or message.conversation != row.conversation:
        return False
    began = row.at if row.claimed_at is None else row.claimed_at
    if abs(message.sent_at - began) > NEAR_MS or not same_words(message.text, row.text):
        return False
    return bool(_words(row.text)) or len(message.attachments or ()) == len(row.files)


def _words(text: str | None) -> str:
    return " ".join(normalize("NFC", text or "").split())


__all__ = ["NEAR_MS", "is_echo", "same_words"]
