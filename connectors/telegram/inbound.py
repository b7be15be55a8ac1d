"""Telegram: updates that a bot's webhook is sent.

After the "Telegram Bot API" (Update, Message, setWebhook). Bots are told nothing of delivery or reading; what the
business account itself sent gives an `accepted` receipt too, for Telegram holds it then. Posts of channels, pressed
buttons and service messages give no event. A reaction is shown where the setting `reactions` wants it, and answers
nothing: it may be about a message that was never here, and Telegram has no history. Taking one back tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from actors.events import Attachment, Delete, Edit, Event, Message, Sender
from connectors.contract import reading, signatures
from connectors.contract.asking import says_yes
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import Connector, Parsed, UnreadableError, WebhookRequest
from connectors.contract.reading import Document

_TOKEN = "x-telegram-bot-api-secret-token"  # noqa: S105 # the header's name
_LONGEST_PART = 256
_STAR = "\N{WHITE MEDIUM STAR}"
"""A reaction that was paid for."""
UPDATES = (
    "message",
    "edited_message",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
)
"""What is read; with getUpdates nothing else is asked for."""
REACTION = "message_reaction"
"""Read too where the channel shows reactions; Telegram tells of it only when it is asked for by name."""
_FILES = ("animation", "audio", "document", "sticker", "video", "video_note", "voice")
_SERVICE = frozenset(
    {
        "new_chat_members",
        "left_chat_member",
        "new_chat_title",
        "new_chat_photo",
        "delete_chat_photo",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "message_auto_delete_timer_changed",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
        "pinned_message",
        "connected_website",
        "write_access_allowed",
        "proximity_alert_triggered",
        "boost_added",
        "chat_background_set",
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
        "general_forum_topic_hidden",
        "general_forum_topic_unhidden",
        "video_chat_scheduled",
        "video_chat_started",
        "video_chat_ended",
        "video_chat_participants_invited",
    }
)
"""What the chat itself tells; a field not known here is shown as a message rather than hidden."""


class TelegramWebhooks(Connector):
    """What a bot's updates tell. A conversation is the chat's id; a message's id counts within its chat.

    A business account that the bot is connected to counts its messages by itself, so these ids begin with the
    connection's: the same person may write to both.
    """

    platform = "telegram"

    def verify(self, request: WebhookRequest) -> None:
        """Return when the request has the token that was given with setWebhook; raises SignatureError."""
        token = signatures.secret(self.binding.settings, "secret_token")
        signatures.require(request.headers.get(_TOKEN), token, where="X-Telegram-Bot-Api-Secret-Token")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """The message, edit or deletions of one update."""
        return reading.each([reading.document(request.body)], self.update)

    def update(self, update: Document) -> Iterable[Parsed]:
        """What one update tells; raises UnreadableError."""
        for name in ("message", "business_message"):
            if update.get(name) is not None:
                return canonical(self._message(reading.part(update, name)))
        for name in ("edited_message", "edited_business_message"):
            if update.get(name) is not None:
                return canonical(self._edit(reading.part(update, name), _short(update, "update_id")))
        if update.get("deleted_business_messages") is not None:
            return self._deleted(reading.part(update, "deleted_business_messages"), _short(update, "update_id"))
        if update.get(REACTION) is not None and self.shows_reactions():
            return canonical(self._reaction(reading.part(update, REACTION), _short(update, "update_id")))
        return ()

    def shows_reactions(self) -> bool:
        """Whether the channel's settings want them. Raises RejectedError when they say neither yes nor no."""
        return says_yes(self.binding, "reactions")

    def _message(self, message: Document) -> Iterable[Event]:
        where = self._where(message)
        if _SERVICE & message.keys():
            return
        direction, role = _roles(message)
        told = Message(
            **where,
            message=_id(message, message),
            sent_at=reading.milliseconds(message, "date", unit_ms=1_000),
            direction=direction,
            sender=_sender(message, role),
            text=_text(message),
            reply_to=_reply_to(message),
            attachments=_attachments(message),
            via="push",
            extra=_extra(message),
        )
        yield told
        if direction == "out":
            yield taken(told)

    def _edit(self, message: Document, update: str) -> Iterable[Event]:
        """A live location is edited as it moves, which changes no word of the message."""
        if message.get("location") is None:
            yield Edit(**self._where(message), message=_id(message, message), event=update, text=_text(message))

    def _reaction(self, told: Document, update: str) -> Iterable[Event]:
        """What somebody put under a message, as a line of the chat's own: it waits for no answer."""
        before = reading.items(told, "old_reaction")
        added = [one for one in reading.items(told, "new_reaction") if one not in before]
        if added:
            yield Message(
                **self._where(told),
                message=f"reaction:{update}",
                sent_at=reading.milliseconds(told, "date", unit_ms=1_000),
                direction="in",
                sender=_sender({"from": told.get("user"), "sender_chat": told.get("actor_chat")}, "system"),
                text=" ".join(filter(None, map(_emoji, added))) or None,
                via="push",
                extra={"kind": "reaction", "of": _short(told, "message_id")},
            )

    def _deleted(self, deleted: Document, update: str) -> Iterable[Parsed]:
        where = self._where(deleted)

        def recalled(one: Document) -> Iterable[Parsed]:
            message = _id(deleted, one)
            return canonical([Delete(**where, message=message, event=f"{update}:{message}")])

        return reading.each(({"message_id": one} for one in reading.items(deleted, "message_ids")), recalled)

    def _where(self, told: Document) -> dict[str, Any]:
        chat = reading.identity(reading.part(told, "chat"), "id")
        return {"platform": self.platform, "account": self.binding.account, "conversation": chat}


def _short(parent: Document, name: str) -> str:
    """An id that others are made of."""
    found = reading.identity(parent, name)
    if len(found) > _LONGEST_PART:
        raise UnreadableError(f"{name!r} is too long")
    return found


def _id(told: Document, message: Document) -> str:
    number = _short(message, "message_id")
    if told.get("business_connection_id") is None:
        return number
    return f"{_short(told, 'business_connection_id')}:{number}"


def _roles(message: Document) -> tuple[Literal["in", "out"], Literal["customer", "agent", "bot"]]:
    """A business account's own messages come too: from somebody else than whom the private chat is with."""
    author = reading.optional_part(message, "from")
    if message.get("business_connection_id") is not None:
        # what the account sends by itself (greetings, while away) or by a bot answers nobody
        if message.get("sender_business_bot") is not None or message.get("is_from_offline") is True:
            return "out", "bot"
        person = reading.identity(reading.part(message, "chat"), "id")
        if author and reading.optional_identity(author, "id") != person:
            return "out", "agent"
    # whoever writes in the name of a chat is shown as one of Telegram's own bots
    is_bot = author.get("is_bot") is True and message.get("sender_chat") is None
    return "in", "bot" if is_bot else "customer"


def _sender(message: Document, role: Literal["customer", "agent", "bot", "system"]) -> Sender:
    author = reading.optional_part(message, "sender_chat") or reading.optional_part(message, "from")
    names = (reading.text(author, name) for name in ("title", "first_name", "last_name"))
    name = " ".join(filter(None, names)) or reading.text(author, "username")
    return Sender(id=reading.optional_identity(author, "id"), name=name, role=role)


def _emoji(reaction: object) -> str | None:
    """What a reaction looks like; of those that are a bot's or a group's own pictures nothing is told."""
    told = reading.optional_part({"reaction": reaction}, "reaction")
    return _STAR if reading.text(told, "type") == "paid" else reading.text(told, "emoji")


def _text(message: Document) -> str | None:
    found = reading.text(message, "text")
    return reading.text(message, "caption") if found is None else found


def _reply_to(message: Document) -> str | None:
    """Everything in a forum's topic answers the service message that opened it, which is no message here."""
    replied = reading.optional_part(message, "reply_to_message")
    if not replied or _SERVICE & replied.keys():
        return None
    return _id(message, replied)


def _attachments(message: Document) -> list[Attachment] | None:
    """The files, by the id they can be asked for; a photo comes in several sizes, the last is the largest."""
    photos = reading.items(message, "photo")
    found = [_file("photo", reading.part({"photo": photos[-1]}, "photo"))] if photos else []
    kinds = [kind for kind in _FILES if message.get(kind) is not None]
    if "animation" in kinds and "document" in kinds:
        kinds.remove("document")  # an animation is told as a document too, for bots of old
    return [*found, *(_file(kind, reading.part(message, kind)) for kind in kinds)] or None


def _file(kind: str, told: Document) -> Attachment:
    return Attachment(
        id=reading.identity(told, "file_id"),
        kind=kind,
        mime=reading.text(told, "mime_type"),
        size=reading.size(told, "file_size"),
        content_id=reading.optional_identity(told, "file_unique_id"),
    )


def _extra(message: Document) -> dict[str, Any] | None:
    place = reading.optional_part(message, "location")
    venue = reading.optional_part(message, "venue")
    contact = reading.optional_part(message, "contact")
    found = {
        "business_connection": reading.optional_identity(message, "business_connection_id"),
        "chat": reading.text(reading.part(message, "chat"), "title"),
        "topic": reading.optional_identity(message, "message_thread_id"),
        "album": reading.optional_identity(message, "media_group_id"),
        "filename": reading.text(reading.optional_part(message, "document"), "file_name"),
        "forwarded": True if message.get("forward_origin") is not None else None,
        "latitude": reading.number(place, "latitude"),
        "longitude": reading.number(place, "longitude"),
        "name": reading.text(venue, "title") or reading.text(contact, "first_name"),
        "address": reading.text(venue, "address"),
        "phone": reading.text(contact, "phone_number"),
        "poll": reading.text(reading.optional_part(message, "poll"), "question"),
    }
    return {name: value for name, value in found.items() if value is not None} or None
