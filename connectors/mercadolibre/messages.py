"""Mercado Libre's messages as events, after "Post-sale messages management".

Each is moderated: one of ours that was rejected failed, one that a buyer may see is held, and read once it has a time
of reading. What moderation says stands in `extra`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, cast

from actors.events import Attachment, Failure, Message, Receipt, Sender
from actors.keys import escape
from connectors.contract import reading
from connectors.contract.canonical import taken
from connectors.contract.connector import UnreadableError
from connectors.contract.reading import Document

PLATFORM = "mercadolibre"
AGENTS = frozenset({"3037675074", "3020819166", "3037204123", "3037204279", "3037674934"})
"""Accounts of Mercado Libre that write for buyers; unconfirmed, and there may be others."""
REJECTED = frozenset({"rejected", "moderated"})
PLAIN = frozenset({"clean", "non_moderated"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def plain_id(found: str) -> str:
    """An id that may stand in a path; raises UnreadableError."""
    if not _ID.fullmatch(found):
        raise UnreadableError("an id has characters that none of Mercado Libre's has")
    return found


def pack_of(found: Document) -> str:
    """The conversation of a message: its pack, else its order. Raises UnreadableError."""
    told = _resources(found)
    own = (
        told.get("packs")
        or reading.optional_identity(found, "pack_id")
        or told.get("orders")
        or reading.optional_identity(found, "order_id")
    )
    if own is None:
        raise UnreadableError("the message names neither pack nor order")
    return plain_id(own)


def own_id(found: Document) -> str:
    """The message's id, under either of its names. Raises UnreadableError."""
    return reading.optional_identity(found, "id") or reading.identity(found, "message_id")


def events_of(account: str, seller: str, conversation: str, found: Document) -> Iterator[Message | Receipt]:
    """A message, and what is known of its fate when it is the seller's. Raises UnreadableError."""
    author = reading.identity(reading.part(found, "from"), "user_id")
    ours = author == seller
    own, dates = own_id(found), reading.optional_part(found, "message_date")
    message = Message(
        platform=PLATFORM,
        account=account,
        conversation=conversation,
        message=own,
        sent_at=_sent_at(found, dates),
        direction="out" if ours else "in",
        sender=Sender(id=author, role="agent" if ours else None if author in AGENTS else "customer"),
        text=reading.text(found, "text") or reading.text(reading.optional_part(found, "text"), "plain"),
        order=_resources(found).get("orders"),
        attachments=list(_attachments(own, found)) or None,
        via="push",
        extra=_extra(found, author),
    )
    yield message
    if ours:
        yield from _fate(message, found, dates)


def rejection_of(found: Document) -> Failure | None:
    """Why moderation keeps a message from its reader; None when it does not."""
    moderation = _moderation(found)
    status = reading.text(found, "status")
    if status not in REJECTED and reading.text(moderation, "status") != "rejected":
        return None
    reason = reading.text(moderation, "reason") or status or "rejected"
    return Failure(code=reason, reason=f"Mercado Libre's moderation keeps it from the buyer: {reason}")


def _fate(message: Message, found: Document, dates: Document) -> Iterator[Receipt]:
    rejection = rejection_of(found)
    if rejection is not None:
        yield _receipt(message, "failed", rejection)
        return
    yield taken(message)
    if reading.text(dates, "read"):
        yield _receipt(message, "read")


def _receipt(message: Message, status: Literal["read", "failed"], error: Failure | None = None) -> Receipt:
    return Receipt(
        platform=PLATFORM,
        account=message.account,
        conversation=message.conversation,
        message=message.message,
        status=status,
        error=error,
        event=f"{escape(message.conversation)}/{message.message}/{status}",
    )


def _sent_at(found: Document, dates: Document) -> int:
    for part, name in ((dates, "created"), (dates, "received"), (found, "date_created")):
        if reading.text(part, name):
            return reading.instant(part, name)
    raise UnreadableError("'message_date' has no time of creation")


def _moderation(found: Document) -> Document:
    return reading.optional_part(found, "message_moderation") or reading.optional_part(found, "moderation")


def _resources(found: Document) -> dict[str, str]:
    """What a message belongs to: ids of packs, orders, sellers by those names."""
    told: dict[str, str] = {}
    for one in reading.items(found, "message_resources"):
        if isinstance(one, dict):
            named = cast("Document", one)
            name, own = reading.text(named, "name"), reading.optional_identity(named, "id")
            if name and own:
                told[name] = own
    return told


def _attachments(own: str, found: Document) -> Iterator[Attachment]:
    for index, one in enumerate(reading.items(found, "message_attachments")):
        file: Document = cast("Document", one) if isinstance(one, dict) else {}
        mime = reading.text(file, "type")
        yield Attachment(
            id=reading.optional_identity(file, "filename") or f"{own}:{index}",
            kind="image" if (mime or "").startswith("image/") else "file",
            mime=mime,
            size=reading.size(file, "size"),
        )


def _extra(found: Document, author: str) -> dict[str, str] | None:
    moderation = _moderation(found)
    judged, status = reading.text(moderation, "status"), reading.text(found, "status")
    told = {
        "status": status if status != "available" else None,
        "moderation": judged if judged not in PLAIN else None,
        "moderation_reason": reading.text(moderation, "reason"),
        "site": reading.text(found, "site_id"),
        "written_by": "agent of the platform" if author in AGENTS else None,
    }
    return {name: value for name, value in told.items() if value} or None
