"""Shopee: what its pushes of seller chat (code 10) and its history of conversations tell, as events.

After "webchat_push" and "Push Mechanism" of its Open Platform. Every echo of our own message gives an `accepted`
receipt too, for Shopee holds it then; one that Shopee blocked gives none. Nothing tells of delivered or read messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.events import Attachment, Event, Message, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import Parsed, Refused, UnreadableError
from connectors.contract.reading import Document

PLATFORM = "shopee"
CHAT = "10"
AFFILIATE = "11"
AUTOMATIC = frozenset({"auto_reply", "offwork_autoreply"})
BLOCKED = frozenset({"blocked", "censored_blacklist"})
FILES = {"image": "url", "image_with_text": "url", "video": "video_url"}


def chat_of(push: Document) -> Document | None:
    """The message that a push is about; None when it tells nothing of messages. Raises UnreadableError."""
    data = reading.optional_part(push, "data")
    chat = reading.optional_identity(push, "code") in {None, CHAT}  # samples without the code are documented
    return reading.part(data, "content") if chat and reading.text(data, "type") == "message" else None


def shop_of(push: Document) -> str | None:
    """The shop that a push of chat is for; None when it is about something else or names none."""
    try:
        content = chat_of(push)
    except UnreadableError:
        return None
    return None if content is None else own_id(push, "shop_id") or own_id(content, "shop_id")


def parsed_push(push: Document, body: bytes, shop: str | None, account: str) -> Sequence[Parsed]:
    """What a push tells the channel of `shop` (None: of any shop); raises UnreadableError."""
    content = chat_of(push)
    if content is None:
        return ()
    shops = [one for one in (shop, own_id(push, "shop_id"), own_id(content, "shop_id")) if one]
    if not shops:
        raise UnreadableError("'shop_id' is missing: whose message it is cannot be told")
    ours, *others = shops
    for other in others:
        if other != ours:
            reason = f"the push is for shop {other}, this channel is shop {ours}; bind that shop as its own channel"
            return [Refused(body, reason)]
    return () if is_affiliate(content) else events_of(content, ours, account)


def is_affiliate(content: Document) -> bool:
    """Whether it is chat with an affiliate, who is no customer."""
    return reading.optional_identity(content, "business_type") == AFFILIATE


def events_of(content: Document, ours: str, account: str) -> list[Event]:
    """The events of one message of the shop `ours`, of a push or of its history; raises UnreadableError."""
    out = own_id(content, "from_shop_id") == ours
    status = reading.text(content, "status")
    said = reading.optional_part(content, "content")
    kind = reading.text(content, "message_type") or ""
    quoted = reading.optional_part(content, "quoted_msg")
    source = reading.optional_part(content, "source_content")
    message = Message(
        platform=PLATFORM,
        account=account,
        conversation=reading.identity(content, "conversation_id"),
        message=reading.identity(content, "message_id"),
        sent_at=reading.milliseconds(content, "created_timestamp", unit_ms=1000),
        direction="out" if out else "in",
        sender=_sender(content, out=out),
        text=_text(said),
        reply_to=own_id(quoted, "message_id"),
        order=own_id(said, "order_sn") or own_id(source, "order_sn"),
        attachments=_attachments(reading.identity(content, "message_id"), kind, said),
        via="push",
        extra=_extra(kind, status, said),
    )
    if not out or status in BLOCKED:
        return canonical([message])
    return canonical([message, taken(message)])


def own_id(parent: Document, name: str) -> str | None:
    """An id under a name; Shopee writes 0 or an empty text for none."""
    found = reading.optional_identity(parent, name)
    return None if found == "0" else found


def _sender(content: Document, *, out: bool) -> Sender:
    name = reading.text(content, "from_user_name")
    if not out:
        return Sender(id=own_id(content, "from_id"), name=name, role="customer")
    robot = reading.text(content, "status") in AUTOMATIC or content.get("is_in_chatbot_session") is True
    person = reading.text(content, "sub_account_name")  # the number 0 when the shop itself wrote
    return Sender(id=own_id(content, "from_id"), name=person or name, role="bot" if robot else "agent")


def _text(said: Document) -> str | None:
    """What was said; of a bundle, what its parts say, a paragraph each."""
    whole = reading.text(said, "text")
    parts: Any = said.get("messages")
    if whole is not None or not isinstance(parts, list):
        return whole
    texts = [_text_of_part(one) for one in parts]  # pyright: ignore[reportUnknownVariableType] # JSON
    return "\n\n".join(filter(None, texts)) or None


def _text_of_part(one: Any) -> str | None:
    part: Document = {"part": one}
    part = reading.optional_part(part, "part")
    return reading.text(part, "text") or reading.text(reading.optional_part(part, "content"), "text")


def _attachments(message: str, kind: str, said: Document) -> list[Attachment] | None:
    """The picture or film; its address is sometimes a bare file id, which no browser can open."""
    field = FILES.get(kind)
    if field is None:
        return None
    address = reading.text(said, field) or ""
    link = address if address.startswith(("https://", "http://")) else None
    bare = None if link else own_id(said, field)
    own = own_id(said, "file_server_id") or bare or f"{message}:0"
    return [Attachment(id=own, kind="video" if kind == "video" else "image", url=link)]


def _extra(kind: str, status: str | None, said: Document) -> dict[str, str] | None:
    told = {
        "kind": None if kind == "text" or kind in FILES else kind,
        "status": None if status == "normal" else status,
        "item": own_id(said, "item_id"),
        "sticker": own_id(said, "sticker_id"),
        "sticker_package": own_id(said, "sticker_package_id"),
    }
    return {name: value for name, value in told.items() if value} or None
