"""What Messenger, Instagram and WhatsApp share: the challenge, the signature, and how items are read.

After Meta's pages "Webhooks from Meta", "Messenger Platform: Webhook Events Reference" and "Webhooks for Instagram
Messaging". A watermark of deliveries or reads names no message: it stands for all of ours before it. Every echo of our
own message gives an `accepted` receipt too, for Meta holds it then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

from actors.events import Attachment, Delete, Edit, Event, Message, Receipt, Sender
from connectors.contract import reading, signatures
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import (
    Answer,
    Connector,
    Parsed,
    Setting,
    SignatureError,
    UnreadableError,
    UpTo,
    WebhookRequest,
)
from connectors.contract.reading import Document

APP_SECRET = Setting(
    name="app_secret",
    about="the app's secret: App Dashboard, App settings, Basic; it proves that a request comes from Meta",
)
VERIFY_TOKEN = Setting(
    name="verify_token",
    about="a word of your own choice; enter the same one as Verify token where the webhook is registered",
)
_SIGNATURE = "x-hub-signature-256"
_LONGEST_ID = 1_024
_BEYOND_ASCII = re.compile("[^\x00-\x7f]+")
_LINKS = frozenset({"fallback", "location", "template"})
"""Kinds of attachments that are no files."""


class MetaConnector(Connector):
    """The handshake and the signature of every product of Meta."""

    about: ClassVar[str]
    """What `object` says in the product's webhooks."""

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The challenge, when the verify token is ours. Raises SignatureError when it is not."""
        query = request.query
        if request.method != "GET" or not any(name.startswith("hub.") for name in query):
            return None
        token = query.get("hub.verify_token")
        if query.get("hub.mode") != "subscribe" or not token:
            raise SignatureError("the question has no hub.mode=subscribe or no hub.verify_token; is it Meta's?")
        signatures.require(token, signatures.secret(self.binding.settings, "verify_token"), where="hub.verify_token")
        return Answer(body=query.get("hub.challenge", "").encode("utf-8", "replace"))

    def verify(self, request: WebhookRequest) -> None:
        """Return when the body is signed with the app's secret; raises SignatureError.

        Meta signs what it sends: JSON with escapes. A proxy may have decoded them on the way, so that form counts too.
        """
        secret = signatures.secret(self.binding.settings, "app_secret")
        genuine = [_signature(secret, request.body)]
        if not request.body.isascii():
            genuine.append(_signature(secret, escaped(request.body)))
        signatures.require(request.headers.get(_SIGNATURE), *genuine, where="X-Hub-Signature-256")

    def entries(self, request: WebhookRequest) -> Sequence[Any]:
        """The entries of a request. Raises UnreadableError, also when they are another product's."""
        body = reading.document(request.body)
        told = reading.text(body, "object")
        if told is not None and told != self.about:
            raise UnreadableError(f"'object' is not {self.about!r}; is the address registered for another product?")
        return reading.items(body, "entry")

    def own(self, setting: str, told: str | None) -> None:
        """Return when the id told is the one of the setting, or either is missing; raises UnreadableError."""
        ours = self.binding.settings.get(setting)
        if ours and told and ours != told:
            raise UnreadableError(f"it is for another account than this channel's {setting} {ours!r}")


class PageConnector(MetaConnector):
    """What Messenger and Instagram tell: `entry[].messaging[]`, or `standby[]` while another app has the thread.

    A conversation is known by the person's id, which is theirs for this page or account only.
    """

    own_id: ClassVar[str]
    """The optional setting that holds the page's or account's id."""

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Messages, echoes, postbacks, edits, deletions, and receipts that name their messages."""
        return reading.each(self.entries(request), self._entry)

    def _entry(self, entry: Document) -> Iterable[Parsed]:
        self.own(self.own_id, reading.optional_identity(entry, "id"))
        found = [*reading.items(entry, "messaging"), *reading.items(entry, "standby")]
        return reading.each(found, partial(self._item, entry=entry))

    def _item(self, item: Document, *, entry: Document) -> Iterable[Parsed]:
        for name, read in (
            ("message", self._message),
            ("postback", self._postback),
            ("message_edit", self._edit),
        ):
            if item.get(name) is not None:
                return canonical(read(reading.part(item, name), item, entry))
        if item.get("read") is not None:
            return self._read(reading.part(item, "read"), item, entry)
        if item.get("delivery") is not None:
            return self._delivery(reading.part(item, "delivery"), item, entry)
        return ()

    def _message(self, message: Document, item: Document, entry: Document) -> Iterable[Event]:
        sender, conversation, ours = _people(item, entry, echo=message.get("is_echo") is True)
        mid = reading.identity(message, "mid")
        if message.get("is_deleted") is True:
            yield Delete(**self.at(conversation, mid), event=mid)
            return
        files, links = _attachments(message, mid)
        reply_to = reading.optional_part(message, "reply_to")
        told = Message(
            **self.at(conversation, mid),
            sent_at=_sent_at(item, entry),
            direction="out" if ours else "in",
            sender=Sender(id=sender, role="agent" if ours else "customer"),
            text=reading.text(message, "text"),
            reply_to=reading.optional_identity(reply_to, "mid"),
            attachments=files or None,
            via="push",
            extra=_extra(message, reply_to, links),
        )
        yield told
        if ours:
            yield taken(told)

    def _postback(self, postback: Document, item: Document, entry: Document) -> Iterable[Event]:
        """A button the person pressed: its title is what they said."""
        sender, conversation, _ = _people(item, entry)
        payload = reading.text(postback, "payload")
        yield Message(
            **self.at(conversation, reading.identity(postback, "mid")),
            sent_at=_sent_at(item, entry),
            direction="in",
            sender=Sender(id=sender, role="customer"),
            text=reading.text(postback, "title"),
            via="push",
            extra={"kind": "postback"} | ({"payload": payload} if payload else {}),
        )

    def _edit(self, edit: Document, item: Document, entry: Document) -> Iterable[Event]:
        mid = reading.identity(edit, "mid")
        number = reading.optional_identity(edit, "num_edit") or str(_sent_at(item, entry))
        yield Edit(**self.at(_people(item, entry)[1], mid), event=key(mid, number), text=reading.text(edit, "text"))

    def _delivery(self, delivery: Document, item: Document, entry: Document) -> Iterable[Parsed]:
        """A receipt for every message named; where none is, the watermark stands for all before it."""
        conversation = _people(item, entry)[1]
        if not reading.items(delivery, "mids"):
            return _until(delivery, conversation, "delivered")

        def receipt(named: Document) -> Iterable[Parsed]:
            mid = reading.identity(named, "mid")
            delivered = Receipt(**self.at(conversation, mid), status="delivered", event=key(mid, "delivered"))
            return canonical([delivered])

        return reading.each(({"mid": mid} for mid in reading.items(delivery, "mids")), receipt)

    def _read(self, read: Document, item: Document, entry: Document) -> Iterable[Parsed]:
        """A receipt for the message named (Instagram); Messenger gives a watermark, which stands for all before it."""
        conversation = _people(item, entry)[1]
        if (mid := reading.optional_identity(read, "mid")) is None:
            return _until(read, conversation, "read")
        return canonical([Receipt(**self.at(conversation, mid), status="read", event=key(mid, "read"))])

    def at(self, conversation: str, message: str) -> dict[str, Any]:
        """What every event about a message says of where it is."""
        account = self.binding.account
        return {"platform": self.platform, "account": account, "conversation": conversation, "message": message}


def escaped(body: bytes) -> bytes:
    r"""The body with every character beyond ASCII as `\uXXXX`, small letters; as it is when it is no UTF-8."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    return _BEYOND_ASCII.sub(lambda found: json.dumps(found.group())[1:-1], text).encode()


def key(*parts: str) -> str:
    """An id made of ids. Raises UnreadableError when it gets longer than an id may be."""
    found = ":".join(parts)
    if len(found) > _LONGEST_ID:
        raise UnreadableError("its ids are too long")
    return found


def present(**found: Any) -> dict[str, Any] | None:
    """What is there of these fields, for an event's `extra`; None when nothing is."""
    return {name: value for name, value in found.items() if value is not None} or None


def _signature(secret: str, body: bytes) -> str:
    return "sha256=" + signatures.hex_of(signatures.hmac_sha256(secret, body))


def _people(item: Document, entry: Document, *, echo: bool = False) -> tuple[str, str, bool]:
    """Who sent it, the person it is a conversation with, and whether it is our own."""
    sender = reading.identity(reading.part(item, "sender"), "id")
    if echo or sender == reading.optional_identity(entry, "id"):
        return sender, reading.identity(reading.part(item, "recipient"), "id"), True
    return sender, sender, False


def _until(told: Document, conversation: str, status: Literal["delivered", "read"]) -> Iterable[Parsed]:
    at = _time(told, "watermark", 1)
    return [] if at is None else [UpTo(conversation=conversation, status=status, at=at)]


def _sent_at(item: Document, entry: Document) -> int:
    """When it was sent, ms. What the dashboard's test button sends may have seconds, or no time but the entry's."""
    for parent, name in ((item, "timestamp"), (entry, "time")):
        for unit_ms in (1, 1_000):
            if (at := _time(parent, name, unit_ms)) is not None:
                return at
    raise UnreadableError("'timestamp' is missing or no time")


def _time(parent: Document, name: str, unit_ms: int) -> int | None:
    try:
        return reading.milliseconds(parent, name, unit_ms=unit_ms)
    except UnreadableError:
        return None


def _attachments(message: Document, mid: str) -> tuple[list[Attachment], list[Mapping[str, str]]]:
    """The files, and what is only pointed at."""
    files: list[Attachment] = []
    links: list[Mapping[str, str]] = []
    for index, found in enumerate(reading.items(message, "attachments")):
        one = reading.part({"attachment": found}, "attachment")
        payload = reading.optional_part(one, "payload")
        kind, url = reading.text(one, "type"), reading.text(payload, "url")
        if url and kind not in _LINKS:
            files.append(Attachment(id=key(mid, str(index)), kind=kind, url=url))
        else:
            title = reading.text(payload, "title") or reading.text(one, "title")
            links.append(present(kind=kind, title=title, url=url or reading.text(one, "url")) or {})
    return files, links


def _extra(message: Document, reply_to: Document, links: list[Mapping[str, str]]) -> dict[str, Any] | None:
    referral = reading.optional_part(message, "referral")
    return present(
        app=reading.optional_identity(message, "app_id"),
        metadata=reading.text(message, "metadata"),
        payload=reading.text(reading.optional_part(message, "quick_reply"), "payload"),
        story=reading.text(reading.optional_part(reply_to, "story"), "url"),
        product=reading.optional_identity(reading.optional_part(referral, "product"), "id"),
        ad=reading.optional_identity(referral, "ad_id"),
        shared=links or None,
        unsupported=True if message.get("is_unsupported") is True else None,
    )
