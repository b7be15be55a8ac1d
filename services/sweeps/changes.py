"""What a listing says of a message that is held: that its text is another one, or that it is there although recalled.

A recall that was told of, or concluded from an absence, is the platform's word of that moment. When the platform lists
the message again later, and does not call it recalled, that is its word now: the message is shown as one again, and
every version is kept (SPEC section 2).
"""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace

from actors.events import Edit, Message
from services.replies.matches import same_words
from storage.records import MessageRow

SWEEP = "sweep"
UNDER_WAY_MS = 120_000
"""What was sent less than this ago may still be on its way to us."""


def edit_of(m: Message, row: MessageRow, until: int) -> Edit | None:
    """The change of a text that nobody told of; what changed lately may be on its way."""
    if m.text is None or row.text is None or same_words(m.text, row.text):
        return None
    return None if is_recalled(row) or _is_fresh(row, until) else _changed(m, row, m.text)


def back_of(m: Message, row: MessageRow, until: int) -> Edit | None:
    """That a message which is marked as recalled is listed, some time later: with its text, or the one it had last."""
    if not is_recalled(row) or _is_fresh(row, until):
        return None
    return replace(_changed(m, row, row.text if m.text is None else m.text), extra={"found_by": SWEEP, "back": True})


def is_recalled(row: MessageRow) -> bool:
    """Whether the platform's recall of a message is known, and nothing was told since that it is there."""
    return bool(row.versions) and row.versions[-1]["what"] == "deleted"


def _is_fresh(row: MessageRow, until: int) -> bool:
    return bool(row.versions) and row.versions[-1]["at"] > until - UNDER_WAY_MS


def _changed(m: Message, row: MessageRow, text: str | None) -> Edit:
    """The change; its key counts the versions before it, for what is changed back is a change of its own."""
    name = sha256(f"{m.conversation}/{m.message}".encode()).hexdigest()[:32]
    digest = sha256((text or "").encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Edit(
        platform=m.platform,
        account=m.account,
        conversation=m.conversation,
        message=m.message,
        text=text,
        event=f"swept/{name}/{len(row.versions)}/{digest}",
    )


__all__ = ["SWEEP", "UNDER_WAY_MS", "back_of", "edit_of", "is_recalled"]
