"""TikTok Shop: webhooks of buyer chat (type 14) and of the shop's authorisation (6, 7), after its Partner Center.

Every echo of our own message gives an `accepted` receipt too, for TikTok holds it then; nothing tells of delivered or
read messages. Left out: chat with creators (type 33), which is no customer's, and orders, packages and products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from actors.events import Attachment, Auth, Event, Message, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import (
    Capabilities,
    Connector,
    Limits,
    Parsed,
    Refused,
    Setting,
    UnreadableError,
    WebhookRequest,
)
from connectors.contract.reading import Document
from connectors.contract.signatures import hex_of, hmac_sha256, require, secret

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


class TikTok(Connector):
    """Buyer chat of one shop."""

    platform = "tiktok"
    settings = (
        Setting(name="app_key", about="the app key of your app: Partner Center, App & Service", secret=False),
        Setting(name="app_secret", about="the app secret beside it"),
        Setting(
            name="shop_id",
            about="the number of the shop; when it is given, notices for another shop are refused",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted"}), echoes=True)
    limits = Limits(text=2_000)

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the app key and the body; raises SignatureError."""
        key, word = (secret(self.binding.settings, name) for name in ("app_key", "app_secret"))
        genuine = hex_of(hmac_sha256(word, key.encode() + request.body))
        require(request.headers.get("authorization"), genuine, where="Authorization")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A notice is one message or one change of authorisation, or tells of neither; raises UnreadableError."""
        if not request.body.strip():
            return ()
        notice = reading.document(request.body)
        kind, data = reading.optional_identity(notice, "type"), reading.optional_part(notice, "data")
        if kind not in AUTHORISATION and (kind != CHAT or not data or data.get("is_visible") is False):
            return ()
        ours, told = self.binding.settings.get("shop_id"), reading.optional_identity(notice, "shop_id")
        if ours and told and told != ours:
            reason = f"the notice is for shop {told}, this channel is shop {ours}; bind that shop as its own channel"
            return [Refused(request.body, reason)]
        if kind == CHAT:
            return canonical(self._chat(data))
        return canonical([self._authorisation(notice, AUTHORISATION[kind])])

    def _authorisation(self, notice: Document, status: Literal["revoked", "expiring"]) -> Auth:
        own = reading.optional_identity(notice, "tts_notification_id")
        key = own or f"{status}/{reading.milliseconds(notice, 'timestamp', unit_ms=1000)}"
        return Auth(platform=self.platform, account=self.binding.account, status=status, event=key)

    def _chat(self, data: Document) -> list[Event]:
        account = self.binding.account
        conversation, message = reading.identity(data, "conversation_id"), reading.identity(data, "message_id")
        sender = _sender(data)
        out = reading.text(reading.part(data, "sender"), "role") != "BUYER"
        said, kind = _said(data), reading.text(data, "type") or ""
        sent = Message(
            platform=self.platform,
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
        return [sent, taken(sent)] if out else [sent]


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
