"""WhatsApp Cloud API: webhooks of a business phone number.

After Meta's "WhatsApp Business Platform: webhooks reference" (messages, status, edit, revoke, smb_message_echoes).
What was sent from the phone's own app gives an `accepted` receipt too, for WhatsApp holds it then. Reactions give no
event; the history that is pushed when a number is onboarded is not read (unconfirmed).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from actors.events import Attachment, Delete, Edit, Event, Failure, Message, Receipt, Sender
from connectors.contract import reading
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import OnePerson, Parsed, UnreadableError, WebhookRequest
from connectors.contract.reading import Document
from connectors.meta.webhooks import MetaConnector, key, present

_HEX_DIGITS = 64
"""Of a SHA-256."""
_FIELDS = frozenset({"messages", "smb_message_echoes"})
_SILENT = frozenset({"reaction", "request_welcome"})
"""Types that carry no message of their own."""
_MEDIA = frozenset({"audio", "document", "image", "sticker", "video"})
_PEOPLE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "contacts": (("wa_id", "user_id"),),
    "messages": (("from", "from_user_id"),),
    "message_echoes": (("to", "to_user_id"),),
    "statuses": (("recipient_id", "recipient_user_id"),),
}
"""Where both names of a person stand, the phone number first."""
_STATUSES: Mapping[str, Literal["accepted", "delivered", "read", "failed"]] = {
    "sent": "accepted",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}


class WhatsAppWebhooks(MetaConnector):
    """What a business phone number's webhooks tell.

    A conversation is the group's id, else the person's phone number, else (they may hide it) their business-scoped
    user id. Both names of a person are told, whenever either comes: whichever was heard first is kept.
    """

    platform = "whatsapp"
    aliases = True
    about = "whatsapp_business_account"

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """Messages, what was sent from the phone's own app, statuses, edits and revocations."""
        return reading.each(self.entries(request), self._entry)

    def _entry(self, entry: Document) -> Iterable[Parsed]:
        return reading.each(reading.items(entry, "changes"), self._change)

    def _change(self, change: Document) -> Iterable[Parsed]:
        if reading.text(change, "field") not in _FIELDS:
            return ()
        value = reading.part(change, "value")
        metadata = reading.optional_part(value, "metadata")
        self.own("phone_number_id", reading.optional_identity(metadata, "phone_number_id"))
        names = _names(value)

        def message(item: Document) -> Iterable[Parsed]:
            return canonical(self._message(item, names=names, ours=False))

        def echo(item: Document) -> Iterable[Parsed]:
            return canonical(self._message(item, names=names, ours=True))

        return [
            *_people(value),
            *reading.each(reading.items(value, "messages"), message),
            *reading.each(reading.items(value, "message_echoes"), echo),
            *reading.each(reading.items(value, "statuses"), lambda status: canonical(self._status(status))),
        ]

    def _message(self, item: Document, *, names: Mapping[str, str], ours: bool) -> Iterable[Event]:
        kind, message = reading.text(item, "type"), reading.identity(item, "id")
        if kind in _SILENT:
            return
        where = self._where(_conversation(item, ours=ours))
        if kind in {"edit", "revoke"}:
            yield _version(where, reading.part(item, kind), message, recalled=kind == "revoke")
            return
        context = reading.optional_part(item, "context")
        sender = _either(item, "from", "from_user_id")
        told = Message(
            **where,
            message=message,
            sent_at=reading.milliseconds(item, "timestamp", unit_ms=1_000),
            direction="out" if ours else "in",
            sender=Sender(
                id=sender,
                name=names.get(sender or ""),
                role="system" if kind == "system" else "agent" if ours else "customer",
            ),
            text=_text(item, kind),
            reply_to=reading.optional_identity(context, "id"),
            attachments=_attachments(item, kind, message),
            via="push",
            extra=_extra(item, kind, context),
        )
        yield told
        if ours:
            yield taken(told)

    def _status(self, status: Document) -> Iterable[Event]:
        found = _STATUSES.get(reading.text(status, "status") or "")
        if found is None:
            return
        message = reading.identity(status, "id")
        conversation = _either(status, "recipient_id", "recipient_user_id")
        if conversation is None:
            raise UnreadableError("'recipient_id' is missing or no id")
        member = reading.optional_identity(status, "recipient_participant_id")
        yield Receipt(
            **self._where(conversation),
            message=message,
            status=found,
            error=_failure(status) if found == "failed" else None,
            event=key(message, status["status"], *([member] if member else [])),
            extra=present(metadata=reading.text(status, "biz_opaque_callback_data")),
        )

    def _where(self, conversation: str) -> dict[str, Any]:
        return {"platform": self.platform, "account": self.binding.account, "conversation": conversation}


def _either(parent: Document, *names: str) -> str | None:
    return next(filter(None, (reading.optional_identity(parent, name) for name in names)), None)


def _conversation(item: Document, *, ours: bool) -> str:
    person = _either(item, "to", "to_user_id") if ours else _either(item, "from", "from_user_id")
    before = reading.optional_identity(reading.optional_part(item, "system"), "previous_user_id")
    found = reading.optional_identity(item, "group_id") or person or before
    if found is None:
        raise UnreadableError(f"{'to' if ours else 'from'!r} is missing or no id")
    return found


def _people(value: Document) -> Iterable[OnePerson]:
    """Everybody that a change tells of, by all the names it gives; those of whom it tells nothing else are left out."""
    told: list[tuple[str | None, ...]] = []
    for name, pairs in _PEOPLE.items():
        for found in reading.items(value, name):
            item = reading.optional_part({"item": found}, "item")
            told += [tuple(reading.optional_identity(item, one) for one in pair) for pair in pairs]
    people = dict.fromkeys(tuple(dict.fromkeys(filter(None, names))) for names in told)
    return [OnePerson(names) for names in people if names]


def _names(value: Document) -> dict[str, str]:
    """The names that people gave themselves, by both ids they are known by."""
    names: dict[str, str] = {}
    for found in reading.items(value, "contacts"):
        contact = reading.optional_part({"contact": found}, "contact")
        name = reading.text(reading.optional_part(contact, "profile"), "name")
        for known in ("wa_id", "user_id"):
            if name and (person := reading.optional_identity(contact, known)):
                names[person] = name
    return names


def _version(where: dict[str, Any], change: Document, event: str, *, recalled: bool) -> Event:
    original = reading.identity(change, "original_message_id")
    if recalled:
        return Delete(**where, message=original, event=event)
    message = reading.part(change, "message")
    return Edit(**where, message=original, event=event, text=_text(message, reading.text(message, "type")))


def _text(item: Document, kind: str | None) -> str | None:
    """What was written: text, caption, or the title of what was chosen."""
    body = reading.optional_part(item, kind or "")
    for name in ("body", "caption", "text"):
        if (found := reading.text(body, name)) is not None:
            return found
    for chosen in ("button_reply", "list_reply", "nfm_reply"):
        reply = reading.optional_part(body, chosen)
        if found := reading.text(reply, "title") or reading.text(reply, "body"):
            return found
    return None


def _attachments(item: Document, kind: str | None, message: str) -> list[Attachment] | None:
    if kind not in _MEDIA:
        return None
    media = reading.part(item, kind)
    return [
        Attachment(
            id=reading.optional_identity(media, "id") or key(message, "0"),
            kind=kind,
            mime=reading.text(media, "mime_type"),
            url=reading.text(media, "url"),
            sha256=_digest(reading.text(media, "sha256") or ""),
        )
    ]


def _digest(told: str) -> str | None:
    """A SHA-256 that is told in base64 or in hexadecimal."""
    try:
        found = bytes.fromhex(told) if len(told) == _HEX_DIGITS else base64.b64decode(told, validate=True)
    except ValueError:
        return None
    return found.hex() if len(found) == _HEX_DIGITS // 2 else None


def _extra(item: Document, kind: str | None, context: Document) -> dict[str, Any] | None:
    body = reading.optional_part(item, kind or "")
    place: Document = body if kind == "location" else {}
    referral = reading.optional_part(item, "referral")
    product = reading.optional_part(context, "referred_product")
    return present(
        kind=None if kind == "text" or kind in _MEDIA else kind,
        user_id=_either(item, "from_user_id", "to_user_id"),
        filename=reading.text(body, "filename"),
        forwarded=True if context.get("forwarded") is True else None,
        product=reading.optional_identity(product, "product_retailer_id"),
        ad=reading.text(referral, "headline") or reading.text(referral, "source_url"),
        name=reading.text(place, "name"),
        address=reading.text(place, "address"),
        latitude=reading.number(place, "latitude"),
        longitude=reading.number(place, "longitude"),
        products=_products(item) if kind == "order" else None,
        contacts=_contacts(item) if kind == "contacts" else None,
        reason=_failure(item).reason if kind == "unsupported" else None,
    )


def _products(item: Document) -> list[str] | None:
    """What was put into the cart, by the catalogue's own ids."""
    found = reading.items(reading.optional_part(item, "order"), "product_items")
    products = (reading.optional_part({"item": one}, "item") for one in found)
    return [name for one in products if (name := reading.optional_identity(one, "product_retailer_id"))] or None


def _contacts(item: Document) -> list[str] | None:
    """The names on the cards that were sent."""
    cards = (reading.optional_part({"card": one}, "card") for one in reading.items(item, "contacts"))
    named = (reading.text(reading.optional_part(card, "name"), "formatted_name") for card in cards)
    return [name for name in named if name] or None


def _failure(status: Document) -> Failure:
    first = next(iter(reading.items(status, "errors")), None)
    error = reading.optional_part({"error": first}, "error")
    details = reading.text(reading.optional_part(error, "error_data"), "details")
    return Failure(
        code=reading.optional_identity(error, "code"),
        reason=details or reading.text(error, "title") or reading.text(error, "message"),
    )
