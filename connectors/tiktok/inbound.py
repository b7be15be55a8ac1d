"""TikTok Shop: what its webhooks and its history of conversations tell, as events.

Webhooks of type 14 tell of chat, 6 and 7 of authorisation. After "Webhooks" and "Customer Service API" of its Partner
Center. Every echo of our own message gives an `accepted` receipt too, for TikTok holds it then; nothing tells of
delivered or read messages. Left out: chat with creators (type 33), which is no customer's, and orders, packages and
products.
"""

from __future__ import annotations

from typing import Literal

from actors.events import Attachment, Auth, Event, Message, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import UnreadableError
from connectors.contract.reading import Document

PLATFORM = "tiktok"
CHAT = "14"
AUTHORISATION: dict[str, Literal["revoked", "expiring"]] = {"6": "revoked", "7": "expiring"}
ROLES: dict[str, Literal["customer", "agent", "bot", "system"]] = {
    "BUYER": "customer",
    "SHOP": "agent",
    "CUSTOMER_SERVICE": "agent",
    "ROBOT": "bot",
    "SYSTEM": "system",
}
NOTICES = frozenset(
    {
        "ALLOCATED_SERVICE",
        "NOTIFICATION",
        "BUYER_ENTER_FROM_TRANSFER",
        "BUYER_ENTER_FROM_PRODUCT",
        "BUYER_ENTER_FROM_ORDER",
    }
)
"""What nobody wrote, whoever stands as its sender: a buyer who looks in awaits no answer."""
FILES = {"IMAGE": "image", "VIDEO": "video"}


def kind_of(notice: Document) -> str | None:
    """The type of a notice that tells something to show; None for every other."""
    kind, data = reading.optional_identity(notice, "type"), reading.optional_part(notice, "data")
    if kind == CHAT:
        return kind if data and is_shown(data) else None
    return kind if kind in AUTHORISATION else None


def is_shown(message: Document) -> bool:
    """Whether TikTok means the message to be seen."""
    return message.get("is_visible") is not False


def authorisation_of(notice: Document, account: str) -> list[Event]:
    """The change of authorisation that a notice tells of; raises UnreadableError."""
    status = AUTHORISATION[reading.identity(notice, "type")]
    own = reading.optional_identity(notice, "tts_notification_id")
    key = own or f"{status}/{reading.milliseconds(notice, 'timestamp', unit_ms=1000)}"
    return canonical([Auth(platform=PLATFORM, account=account, status=status, event=key)])


def events_of(data: Document, account: str) -> list[Event]:
    """The events of one message, of a notice or of a conversation's history; raises UnreadableError."""
    conversation, message = reading.identity(data, "conversation_id"), reading.identity(data, "message_id")
    sender = _sender(data)
    out = reading.text(reading.part(data, "sender"), "role") != "BUYER"
    said, kind = _said(data), reading.text(data, "type") or ""
    sent = Message(
        platform=PLATFORM,
        account=account,
        conversation=conversation,
        message=message,
        sent_at=reading.milliseconds(data, "create_time", unit_ms=1000),
        direction="out" if out else "in",
        sender=sender,
        text=reading.text(said, "content"),
        order=reading.optional_identity(said, "order_id"),
        attachments=_attachments(message, kind, said),
        via="push",
        extra=_extra(kind, said),
    )
    return canonical([sent, taken(sent)] if out else [sent])


def _sender(data: Document) -> Sender:
    author = reading.part(data, "sender")
    role = ROLES.get(reading.text(author, "role") or "")
    if role is None:
        raise UnreadableError(f"the sender's 'role' is none of {', '.join(ROLES)}")
    notice = reading.text(data, "type") in NOTICES
    return Sender(id=reading.optional_identity(author, "im_user_id"), role="system" if notice else role)


def _said(data: Document) -> Document:
    """What `content` holds, JSON in a string; one that is no JSON stands for itself."""
    written = reading.text(data, "content")
    try:
        return reading.document((written or "").encode())
    except UnreadableError:
        return {"content": written}


def _attachments(message: str, kind: str, said: Document) -> list[Attachment] | None:
    file = FILES.get(kind)
    if file is None:
        return None
    own = reading.optional_identity(said, "vid") or f"{message}:0"
    url = reading.text(said, "url") or None
    return [Attachment(id=own, kind=file, size=reading.size(said, "size"), url=url)]


def _extra(kind: str, said: Document) -> dict[str, str] | None:
    told = {
        "kind": None if kind == "TEXT" or kind in FILES else kind,
        "product": reading.optional_identity(said, "product_id"),
        "package": reading.optional_identity(said, "package_id"),
        "coupon": reading.optional_identity(said, "coupon_id"),
    }
    return {name: value for name, value in told.items() if value} or None
