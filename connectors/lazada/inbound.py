"""Lazada: what its pushes of buyer chat (type 2) and its history of sessions tell, as events.

After "Push Mechanism" and "Instant Messaging API" of its Open Platform. Every echo of our own message gives an
`accepted` receipt too, or a `failed` one when Lazada's safety check keeps it from the buyer. Session updates (type 19)
name no message but the time up to which the buyer has read. Unconfirmed is where a picture's address stands (setting
`picture_field`), and a film's, and where an order's card holds its order (`order_field`); what is no text goes whole to
`extra`.
"""

from __future__ import annotations

from typing import Literal

from actors.events import Attachment, Delete, Event, Failure, Message, Receipt, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import Binding, UnreadableError, UpTo
from connectors.contract.reading import Document

PLATFORM = "lazada"
CHAT, SESSION = "2", "19"
BUYER, SELLER = "1", "2"
RECALLED = "1"
SYSTEM = "2"
TEXT, SYSTEM_TEXT = "1", "2"
PICTURE = "3"
ORDER = "10007"
FILES = {PICTURE: "image", "6": "video"}
KINDS = {"4": "emoji", "10006": "item", ORDER: "order", "10008": "voucher", "10010": "follow_invite"}
LONGEST_CONTENT = 4_096


def chat_of(push: Document) -> Document | None:
    """The message that a push is about; None when it tells nothing of messages."""
    data = reading.optional_part(push, "data")
    return data if data and reading.optional_identity(push, "message_type") == CHAT else None


def is_told(push: Document) -> bool:
    """Whether a push is about a message or about how far a session was read."""
    return chat_of(push) is not None or reading.optional_identity(push, "message_type") == SESSION


def read_until(push: Document) -> UpTo | None:
    """How far the buyer has read, of the seller's view of a session; None when a push tells nothing of it.

    Raises UnreadableError.
    """
    data = reading.optional_part(push, "data")
    about = reading.optional_identity(push, "message_type"), reading.optional_identity(data, "user_account_type")
    if about != (SESSION, SELLER) or reading.optional_identity(data, "to_position") in {None, "0"}:
        return None
    at = reading.milliseconds(data, "to_position")
    return UpTo(conversation=reading.identity(data, "session_id"), status="read", at=at)


def gone(conversation: str, message: str, binding: Binding) -> Delete:
    """That a message was taken back, whoever tells it."""
    return Delete(
        platform=PLATFORM,
        account=binding.account,
        conversation=conversation,
        message=message,
        event=f"{conversation}/{message}/recalled",
    )


def events_of(data: Document, binding: Binding) -> list[Event]:
    """The events of one message, of a push or of a session's history; raises UnreadableError."""
    conversation, message = reading.identity(data, "session_id"), reading.identity(data, "message_id")
    if reading.optional_identity(data, "status") == RECALLED:
        return canonical([gone(conversation, message, binding)])
    sent = _message(data, conversation, message, binding)
    if sent.direction == "in":
        return canonical([sent])
    blocked = reading.text(data, "process_msg")
    if not blocked:
        return canonical([sent, taken(sent)])
    fate = Receipt(
        platform=PLATFORM,
        account=binding.account,
        conversation=conversation,
        message=message,
        status="failed",
        error=Failure(reason=blocked),
        event=f"{conversation}/{message}/failed",
    )
    return canonical([sent, fate])


def _message(data: Document, conversation: str, message: str, binding: Binding) -> Message:
    template = reading.optional_identity(data, "template_id") or ""
    written = reading.text(data, "content")
    said = _said(template, written)
    direction = _direction(data)
    return Message(
        platform=PLATFORM,
        account=binding.account,
        conversation=conversation,
        message=message,
        sent_at=reading.milliseconds(data, "send_time"),
        direction=direction,
        sender=_sender(data, template, direction),
        text=reading.text(said, "txt"),
        order=_order(template, said, binding.settings.get("order_field")),
        attachments=_attachments(template, message, said, binding.settings.get("picture_field")),
        via="push",
        extra=_extra(data, template, written),
    )


def _attachments(template: str, message: str, said: Document, field: str | None) -> list[Attachment] | None:
    kind = FILES.get(template)
    if kind is None:
        return None
    url = reading.text(said, field) if field and template == PICTURE else None
    return [Attachment(id=f"{message}:0", kind=kind, url=url or None)]


def _order(template: str, said: Document, field: str | None) -> str | None:
    return reading.optional_identity(said, field) if field and template == ORDER else None


def _direction(data: Document) -> Literal["in", "out"]:
    """By who wrote it; a party that is neither buyer nor seller is told by whom it wrote to."""
    author, reader = (reading.optional_identity(data, name) for name in ("from_account_type", "to_account_type"))
    if author == SELLER or (author != BUYER and reader == BUYER):
        return "out"
    if BUYER in {author, reader} or SELLER in {author, reader}:
        return "in"
    raise UnreadableError("'from_account_type' is neither buyer (1) nor seller (2)")


def _sender(data: Document, template: str, direction: Literal["in", "out"]) -> Sender:
    own = reading.optional_identity(data, "from_account_id")
    if template == SYSTEM_TEXT or reading.optional_identity(data, "type") == SYSTEM:
        return Sender(id=own, role="system")
    if direction == "in":
        return Sender(id=own, role="customer")
    return Sender(id=own, role="bot" if data.get("auto_reply") is True else "agent")


def _said(template: str, written: str | None) -> Document:
    """What `content` holds, JSON in a string; a text that is no JSON stands for itself."""
    try:
        return reading.document((written or "").encode())
    except UnreadableError:
        return {"txt": written} if template in {TEXT, SYSTEM_TEXT} else {}


def _extra(data: Document, template: str, written: str | None) -> dict[str, str] | None:
    told = {
        "kind": KINDS.get(template) or (None if template in {TEXT, SYSTEM_TEXT, *FILES} else f"template {template}"),
        "content": None if template in {TEXT, SYSTEM_TEXT} or not written else written[:LONGEST_CONTENT],
        "process_msg": reading.text(data, "process_msg"),
        "site": reading.text(data, "site_id"),
    }
    return {name: value for name, value in told.items() if value} or None
