"""eBay's messages as events, after the type "MessageDetail" of its Message API.

A message of ours that eBay shows is held by it, and read once its `readStatus` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from msgspec import Struct

from actors.events import Attachment, Message, Receipt, Sender
from actors.keys import escape
from connectors.contract import reading
from connectors.contract.canonical import taken
from connectors.contract.reading import Document

MEMBERS, EBAY = "FROM_MEMBERS", "FROM_EBAY"
PLATFORM = "ebay"
LONGEST_SUBJECT = 1_024


class Thread(Struct, frozen=True, kw_only=True):
    """The conversation that messages belong to. `seller`: our own user name; `kind`: FROM_MEMBERS or FROM_EBAY."""

    account: str
    seller: str
    conversation: str
    kind: str = MEMBERS


def events_of(thread: Thread, found: Document) -> Iterator[Message | Receipt]:
    """A message, and what is known of its fate when it is ours. Raises UnreadableError."""
    author = reading.optional_identity(found, "senderUsername") or reading.optional_identity(found, "senderUserName")
    ours = author is not None and author.casefold() == thread.seller.casefold()
    own = reading.identity(found, "messageId")
    message = Message(
        platform=PLATFORM,
        account=thread.account,
        conversation=thread.conversation,
        message=own,
        sent_at=reading.instant(found, "createdDate"),
        direction="out" if ours else "in",
        sender=Sender(id=author, role="agent" if ours else "system" if thread.kind == EBAY else "customer"),
        text=reading.text(found, "messageBody"),
        attachments=list(_attachments(own, found)) or None,
        via="push",
        extra=_extra(thread, found),
    )
    yield message
    if not ours:
        return
    yield taken(message)
    if found.get("readStatus") is True:
        yield Receipt(
            platform=PLATFORM,
            account=thread.account,
            conversation=thread.conversation,
            message=own,
            status="read",
            event=f"{escape(thread.conversation)}/{own}/read",
        )


def _attachments(own: str, found: Document) -> Iterator[Attachment]:
    for index, media in enumerate(reading.items(found, "messageMedia")):
        if isinstance(media, dict):
            shown = cast("Document", media)
            image = reading.text(shown, "mediaType") == "IMAGE"
            yield Attachment(
                id=f"{own}:{index}",
                kind="image" if image else "file",
                url=reading.text(shown, "mediaUrl") or None,
            )


def _extra(thread: Thread, found: Document) -> dict[str, str] | None:
    subject = reading.text(found, "subject")
    told = {
        "subject": subject[:LONGEST_SUBJECT] if subject else None,
        "conversation_type": thread.kind if thread.kind != MEMBERS else None,
    }
    return {name: value for name, value in told.items() if value} or None
