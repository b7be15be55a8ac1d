"""Shopee: pushes of seller chat (push code 10), after "webchat_push" and "Push Mechanism" of its Open Platform.

Every echo of our own message gives an `accepted` receipt too, for Shopee holds it then; one that Shopee blocked gives
none. Nothing tells of delivered or read messages. Left out as unconfirmed: signatures over the body alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors.events import Attachment, Event, Message, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import (
    Answer,
    Capabilities,
    Connector,
    Parsed,
    Refused,
    Setting,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.reading import Document
from connectors.contract.signatures import hex_of, hmac_sha256, require, secret

CHAT = "10"
AFFILIATE = "11"
PROBE = "0"
LONGEST_PROBE = 4_096
AUTOMATIC = frozenset({"auto_reply", "offwork_autoreply"})
BLOCKED = frozenset({"blocked", "censored_blacklist"})
FILES = {"image": "url", "image_with_text": "url", "video": "video_url"}


class Shopee(Connector):
    """Seller chat of one shop."""

    platform = "shopee"
    settings = (
        Setting(name="push_key", about="the Live Push Partner Key of your app: Console, Push Mechanism, Set Push"),
        Setting(
            name="partner_key",
            about="the API partner key of your app, with which older apps sign their pushes",
            required=False,
        ),
        Setting(
            name="shop_id",
            about="the number of the shop; when it is given, pushes for another shop are refused",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), echoes=True)

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The console's probe (code 0) is unsigned and wants its body back."""
        if not 0 < len(request.body) <= LONGEST_PROBE:
            return None
        try:
            code = reading.optional_identity(reading.document(request.body), "code")
        except UnreadableError:
            return None
        return Answer(body=request.body, media_type="application/json") if code == PROBE else None

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the address as registered there, and the body; raises SignatureError."""
        signed = f"{self.binding.url}|".encode() + request.body
        keys = secret(self.binding.settings, "push_key"), self.binding.settings.get("partner_key", "")
        genuine = [hex_of(hmac_sha256(key, signed)) for key in keys if key.strip()]
        require(request.headers.get("authorization"), *genuine, where="Authorization")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A push is one message or tells nothing of messages; raises UnreadableError."""
        if not request.body.strip():
            return ()
        push = reading.document(request.body)
        data = reading.optional_part(push, "data")
        chat = reading.optional_identity(push, "code") in {None, CHAT}  # samples without the code are documented
        if not chat or reading.text(data, "type") != "message":
            return ()
        content = reading.part(data, "content")
        named = self.binding.settings.get("shop_id"), _own_id(push, "shop_id"), _own_id(content, "shop_id")
        shops = [shop for shop in named if shop]
        if not shops:
            raise UnreadableError("'shop_id' is missing: whose message it is cannot be told")
        ours, *others = shops
        for other in others:
            if other != ours:
                reason = f"the push is for shop {other}, this channel is shop {ours}; bind that shop as its own channel"
                return [Refused(request.body, reason)]
        if reading.optional_identity(content, "business_type") == AFFILIATE:
            return ()
        return canonical(self._events(content, ours))

    def _events(self, content: Document, ours: str) -> list[Event]:
        out = _own_id(content, "from_shop_id") == ours
        account, status = self.binding.account, reading.text(content, "status")
        said = reading.optional_part(content, "content")
        kind = reading.text(content, "message_type") or ""
        quoted = reading.optional_part(content, "quoted_msg")
        source = reading.optional_part(content, "source_content")
        message = Message(
            platform=self.platform,
            account=account,
            conversation=reading.identity(content, "conversation_id"),
            message=reading.identity(content, "message_id"),
            sent_at=reading.milliseconds(content, "created_timestamp", unit_ms=1000),
            direction="out" if out else "in",
            sender=_sender(content, out=out),
            text=_text(said),
            reply_to=_own_id(quoted, "message_id"),
            order=_own_id(said, "order_sn") or _own_id(source, "order_sn"),
            attachments=_attachments(reading.identity(content, "message_id"), kind, said),
            via="push",
            extra=_extra(kind, status, said),
        )
        if not out or status in BLOCKED:
            return [message]
        return [message, taken(message)]


def _own_id(parent: Document, name: str) -> str | None:
    """An id; Shopee writes 0 or an empty text for none."""
    found = reading.optional_identity(parent, name)
    return None if found == "0" else found


def _sender(content: Document, *, out: bool) -> Sender:
    name = reading.text(content, "from_user_name")
    if not out:
        return Sender(id=_own_id(content, "from_id"), name=name, role="customer")
    robot = reading.text(content, "status") in AUTOMATIC or content.get("is_in_chatbot_session") is True
    person = reading.text(content, "sub_account_name")  # the number 0 when the shop itself wrote
    return Sender(id=_own_id(content, "from_id"), name=person or name, role="bot" if robot else "agent")


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
    bare = None if link else _own_id(said, field)
    own = _own_id(said, "file_server_id") or bare or f"{message}:0"
    return [Attachment(id=own, kind="video" if kind == "video" else "image", url=link)]


def _extra(kind: str, status: str | None, said: Document) -> dict[str, str] | None:
    told = {
        "kind": None if kind == "text" or kind in FILES else kind,
        "status": None if status == "normal" else status,
        "item": _own_id(said, "item_id"),
        "sticker": _own_id(said, "sticker_id"),
        "sticker_package": _own_id(said, "sticker_package_id"),
    }
    return {name: value for name, value in told.items() if value} or None
