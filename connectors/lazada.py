"""Lazada: pushes of buyer chat (type 2), after "Push Mechanism" and "Instant Messaging API" of its Open Platform.

Every echo of our own message gives an `accepted` receipt too, or a `failed` one when Lazada's safety check keeps it
from the buyer. Session updates (type 19) name a reading position and no messages: they give no receipt. Unconfirmed is
where a picture's address stands (setting `picture_field`), and a film's; what is no text goes whole to `extra`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from actors.events import Attachment, Delete, Event, Failure, Message, Receipt, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import (
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

CHAT = "2"
BUYER, SELLER = "1", "2"
RECALLED = "1"
SYSTEM = "2"
TEXT, SYSTEM_TEXT = "1", "2"
PICTURE = "3"
FILES = {PICTURE: "image", "6": "video"}
KINDS = {"4": "emoji", "10006": "item", "10007": "order", "10008": "voucher", "10010": "follow_invite"}
LONGEST_CONTENT = 4_096


class Lazada(Connector):
    """Buyer chat of one seller."""

    platform = "lazada"
    settings = (
        Setting(name="app_key", about="the app key of your app: App Console, App Overview", secret=False),
        Setting(name="app_secret", about="the app secret beside it"),
        Setting(
            name="seller_id",
            about="the number of the seller; when it is given, pushes for another seller are refused",
            secret=False,
            required=False,
        ),
        Setting(
            name="picture_field",
            about="the field of a picture's content that holds its address; unconfirmed, perhaps imgUrl; "
            "without it pictures are announced but cannot be opened",
            secret=False,
            required=False,
        ),
    )
    capabilities = Capabilities(receipts=frozenset({"accepted", "failed"}), deletes=True, echoes=True)

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the app key and the body; raises SignatureError."""
        key, word = (secret(self.binding.settings, name) for name in ("app_key", "app_secret"))
        genuine = hex_of(hmac_sha256(word, key.encode() + request.body))
        require(request.headers.get("authorization"), genuine, where="Authorization")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """A push is one message, or tells nothing of messages; raises UnreadableError."""
        if not request.body.strip():
            return ()
        push = reading.document(request.body)
        data = reading.optional_part(push, "data")
        if reading.optional_identity(push, "message_type") != CHAT or not data:
            return ()
        ours, told = self.binding.settings.get("seller_id"), reading.optional_identity(push, "seller_id")
        if ours and told and told != ours:
            reason = (
                f"the push is for seller {told}, this channel is seller {ours}; bind that seller as its own channel"
            )
            return [Refused(request.body, reason)]
        return canonical(self._events(data))

    def _events(self, data: Document) -> list[Event]:
        account = self.binding.account
        conversation, message = reading.identity(data, "session_id"), reading.identity(data, "message_id")
        if reading.optional_identity(data, "status") == RECALLED:
            key = f"{conversation}/{message}/recalled"
            gone = Delete(
                platform=self.platform, account=account, conversation=conversation, message=message, event=key
            )
            return [gone]
        sent = self._message(data, conversation, message)
        if sent.direction == "in":
            return [sent]
        blocked = reading.text(data, "process_msg")
        if not blocked:
            return [sent, taken(sent)]
        fate = Receipt(
            platform=self.platform,
            account=account,
            conversation=conversation,
            message=message,
            status="failed",
            error=Failure(reason=blocked),
            event=f"{conversation}/{message}/failed",
        )
        return [sent, fate]

    def _message(self, data: Document, conversation: str, message: str) -> Message:
        template = reading.optional_identity(data, "template_id") or ""
        written = reading.text(data, "content")
        said = _said(template, written)
        direction = _direction(data)
        return Message(
            platform=self.platform,
            account=self.binding.account,
            conversation=conversation,
            message=message,
            sent_at=reading.milliseconds(data, "send_time"),
            direction=direction,
            sender=_sender(data, template, direction),
            text=reading.text(said, "txt"),
            attachments=self._attachments(template, message, said),
            via="push",
            extra=_extra(data, template, written),
        )

    def _attachments(self, template: str, message: str, said: Document) -> list[Attachment] | None:
        kind = FILES.get(template)
        if kind is None:
            return None
        field = self.binding.settings.get("picture_field")
        url = reading.text(said, field) if field and template == PICTURE else None
        return [Attachment(id=f"{message}:0", kind=kind, url=url or None)]


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
