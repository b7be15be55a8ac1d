"""LINE: webhooks of an official account (Messaging API).

After "Messaging API reference: Webhook Event Objects". LINE tells nothing of delivery, reading or our own
messages. Files are fetched by the message's id. Reply tokens are kept where they are used, and the token that a message
can be quoted with is kept with its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from actors.events import Attachment, Delete, Edit, Event, Message, Sender
from connectors.contract import reading, signatures
from connectors.contract.canonical import canonical
from connectors.contract.connector import Connector, Parsed, UnreadableError, WebhookRequest
from connectors.contract.reading import Document

_SIGNATURE = "x-line-signature"
_PLACES: Mapping[str, str] = {"user": "userId", "group": "groupId", "room": "roomId"}
_FILES = frozenset({"audio", "file", "image", "video"})


class LineWebhooks(Connector):
    """What an official account's webhooks tell. A conversation is a user's, a group's or a room's id."""

    platform = "line"

    def verify(self, request: WebhookRequest) -> None:
        """Return when the body is signed with the channel's secret; raises SignatureError."""
        secret = signatures.secret(self.binding.settings, "channel_secret")
        digest = signatures.hmac_sha256(secret, request.body)
        claimed = request.headers.get(_SIGNATURE)
        signatures.require(claimed, signatures.base64_of(digest), where="X-Line-Signature")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Messages, edits (groups only) and what was unsent; none for the console's Verify button."""
        return reading.each([reading.document(request.body)], self._events)

    def _events(self, body: Document) -> Iterable[Parsed]:
        ours, told = self.binding.settings.get("bot_user_id"), reading.text(body, "destination")
        if ours and told and ours != told:
            raise UnreadableError(f"it is for another account than this channel's bot_user_id {ours!r}")
        return reading.each(reading.items(body, "events"), lambda event: canonical(self._event(event)))

    def _event(self, event: Document) -> Iterable[Event]:
        match reading.text(event, "type"):
            case "message":
                yield self._message(event, reading.part(event, "message"))
            case "messageEdited":
                message = reading.part(event, "message")
                yield Edit(
                    **self._where(event),
                    message=reading.identity(message, "id"),
                    event=reading.identity(event, "webhookEventId"),
                    text=reading.text(message, "text"),
                    extra={"edited_at": reading.milliseconds(event, "timestamp")},  # edits may come out of order
                )
            case "unsend":
                message_id = reading.identity(reading.part(event, "unsend"), "messageId")
                yield Delete(**self._where(event), message=message_id, event=message_id)
            case _:
                return

    def _message(self, event: Document, message: Document) -> Message:
        found = reading.identity(message, "id")
        return Message(
            **self._where(event),
            message=found,
            sent_at=reading.milliseconds(event, "timestamp"),
            direction="in",
            sender=Sender(id=reading.optional_identity(reading.part(event, "source"), "userId"), role="customer"),
            text=reading.text(message, "text"),
            reply_to=reading.optional_identity(message, "quotedMessageId"),
            attachments=_attachments(message, found),
            via="push",
            extra=_extra(message, self._reply_token(event), found),
        )

    def _reply_token(self, event: Document) -> str | None:
        """What an answer that costs nothing is sent with, where the channel wants that."""
        return reading.text(event, "replyToken") if self.binding.settings.get("reply_tokens") == "yes" else None

    def _where(self, event: Document) -> dict[str, Any]:
        source = reading.part(event, "source")
        name = _PLACES.get(reading.text(source, "type") or "")
        if name is None:
            raise UnreadableError("'source' is neither a user nor a group nor a room")
        conversation = reading.identity(source, name)
        return {"platform": self.platform, "account": self.binding.account, "conversation": conversation}


def _attachments(message: Document, message_id: str) -> list[Attachment] | None:
    kind = reading.text(message, "type")
    if kind not in _FILES:
        return None
    url = reading.text(reading.optional_part(message, "contentProvider"), "originalContentUrl")
    return [
        Attachment(
            id=message_id,
            kind=kind,
            size=reading.size(message, "fileSize"),
            url=url,
            content_id=None if url else message_id,  # nothing else tells the pictures of an album apart
        )
    ]


def _extra(message: Document, reply_token: str | None, message_id: str) -> dict[str, Any] | None:
    kind, quote = reading.text(message, "type"), reading.text(message, "quoteToken")
    found = {
        "kind": None if kind == "text" or kind in _FILES else kind,
        "filename": reading.text(message, "fileName"),
        "album": reading.optional_identity(reading.optional_part(message, "imageSet"), "id"),
        "sticker": reading.optional_identity(message, "stickerId"),
        "keywords": _keywords(message),
        "quote": {"message": message_id, "token": quote} if quote else None,
        "reply_token": reply_token,
        "name": reading.text(message, "title"),
        "address": reading.text(message, "address"),
        "latitude": reading.number(message, "latitude"),
        "longitude": reading.number(message, "longitude"),
    }
    return {name: value for name, value in found.items() if value is not None} or None


def _keywords(message: Document) -> list[str] | None:
    """What a sticker means."""
    found = reading.items(message, "keywords")
    return [word for one in found if (word := reading.text({"word": one}, "word"))] or None
