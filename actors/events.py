"""Everything Weir can be told, as frozen records (SPEC section 2).

Canonical events carry integer milliseconds since the epoch in every time field. On the wire a time may also be an
RFC 3339 string; `actors.intake` turns those into milliseconds before anybody else sees the event.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

if TYPE_CHECKING:
    Instant: TypeAlias = int
    ObservedAt: TypeAlias = int
else:
    Instant = int | datetime
    ObservedAt = int | datetime | None

Id = Annotated[str, Meta(min_length=1, max_length=1024)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""What the log and the store can hold."""


class Sender(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who wrote a message."""

    id: str | None = None
    name: str | None = None
    role: Literal["customer", "agent", "bot", "system"] | None = None


class Attachment(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file announced with a message; `size` in bytes, `sha256` of its content in hexadecimal.

    `content_id`: the platform's own name of the content; files with different ones are different files.
    """

    id: Id
    kind: str | None = None
    mime: str | None = None
    size: Whole | None = None
    url: str | None = None
    sha256: str | None = None
    content_id: str | None = None


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the customer's order is worth."""

    amount: float | Whole | str | None = None
    currency: str | None = None


class Failure(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why the platform refused an outbound message."""

    code: str | Whole | None = None
    reason: str | None = None


class ChannelEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", gc=False):
    """What every event of a channel has; `at` is the observed time."""

    platform: Id
    account: Id
    at: ObservedAt = None  # pyright: ignore[reportAssignmentType] # the gateway stamps it before anybody reads it
    event: Id | None = None
    extra: Any = None


class Message(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="message", gc=False):
    """One message of a conversation; `message` is the platform's own id."""

    conversation: Id
    message: Id
    sent_at: Instant
    direction: Literal["in", "out"]
    sender: Sender | None = None
    text: str | None = None
    lang: str | None = None
    seq: Seq | None = None
    reply_to: Id | None = None
    order: str | None = None
    attachments: list[Attachment] | None = None
    vip: bool | None = None
    value: Value | None = None
    via: Literal["push", "poll", "resync"] | None = None
    history: bool | None = None
    resend_of: Id | None = None


class Receipt(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="receipt", gc=False):
    """The fate of an outbound message."""

    conversation: Id
    message: Id
    status: Literal["accepted", "delivered", "read", "failed"]
    error: Failure | None = None


class AttachmentStatus(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="attachment", gc=False):
    """The fate of one attachment."""

    conversation: Id
    message: Id
    attachment: Id
    status: Literal["ok", "failed", "expired", "unsupported", "too_large", "corrupt"]
    detail: Any = None


class Translation(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="translation", gc=False):
    """The fate of a translation of one message."""

    conversation: Id
    message: Id
    status: Literal["ok", "failed"]
    source: str | None = None
    target: str | None = None
    detail: Any = None


class Notification(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="notification", gc=False):
    """The fate of telling somebody of one message."""

    conversation: Id
    message: Id
    status: Literal["fired", "seen", "failed"]
    medium: Literal["desktop", "mobile", "email", "webhook"] | None = None


class Checkpoint(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="checkpoint", gc=False):
    """What the platform says it holds for the event-time window [`start`, `end`).

    `found_by` = `sweep`: Weir asked for it, long after these messages should have come. No grace is left for them.
    """

    start: Instant = field(name="from")
    end: Instant = field(name="to")
    count: Count
    conversation: Id | None = None
    messages: list[Id] | None = None
    first_seq: Seq | None = None
    last_seq: Seq | None = None
    found_by: str | None = None


class Auth(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="auth", gc=False):
    """The state of a channel's authorisation."""

    status: Literal["ok", "expiring", "expired", "revoked"]
    expires_at: Instant | None = None


class Edit(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="edit", gc=False):
    """The platform changed a message."""

    conversation: Id
    message: Id
    text: str | None = None


class Delete(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="delete", gc=False):
    """The platform recalled a message."""

    conversation: Id
    message: Id
    text: str | None = None


class Action(ChannelEvent, frozen=True, kw_only=True, omit_defaults=True, tag="action", gc=False):
    """What a person did in Weir, to a conversation or to one `anomaly` (its id)."""

    what: Literal["opened", "closed", "reopened", "acknowledged", "resolved"]
    conversation: Id | None = None
    agent: str | None = None
    anomaly: Id | None = None
    cause: str | None = None


class Clock(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="clock", gc=False):
    """Nothing but time has passed."""

    at: ObservedAt = None  # pyright: ignore[reportAssignmentType] # the gateway stamps it before anybody reads it
    platform: Any = None
    account: Any = None
    event: Any = None
    extra: Any = None


class Rejected(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="rejected", gc=False):
    """Input that was refused, journalled so that the ledger can account for it. Never accepted from outside."""

    at: int
    reason: str
    raw: bytes
    platform: str | None = None
    account: str | None = None


Event: TypeAlias = (
    Message
    | Receipt
    | AttachmentStatus
    | Translation
    | Notification
    | Checkpoint
    | Auth
    | Edit
    | Delete
    | Action
    | Clock
)
Entry: TypeAlias = Event | Rejected
"""One entry of the log: an accepted event, or what was refused and why."""

EVENT_TYPES: tuple[type[Struct], ...] = (
    Message,
    Receipt,
    AttachmentStatus,
    Translation,
    Notification,
    Checkpoint,
    Auth,
    Edit,
    Delete,
    Action,
    Clock,
)
