"""What stands in a conversation's thread: messages, notes, and what was done; and how each is judged and shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from actors.anomaly import Anomaly, record
from actors.times import rfc3339
from services.files.serving import own_id
from services.message_views import message_view
from services.replies.proofs import CONFLICT
from services.replies.recalls import recall_until
from services.tracking import recognise
from storage.channel_records import ReplyRow
from storage.records import AuditRow, MessageRow
from storage.writing_records import Note

Fate: TypeAlias = Literal["queued", "sending", "sent", "delivered", "read", "failed", "maybe_sent"]
Cure: TypeAlias = Literal["retry", "retry_sure", "settle_sent", "settle_failed", "resend"]
LATE_MS = 60_000
"""From then on a message says how late it came, whatever the channel's threshold."""
OVERTAKEN_MS = 5_000
"""Less than that is how long a platform takes: nobody calls it late, though an answer went out meanwhile."""
AHEAD_MS = 120_000
"""A platform's clock that is so far ahead is not believed (AT-24 of the features)."""
_CURES: Mapping[str, tuple[Cure, ...]] = {
    "failed": ("retry",),
    "unknown": ("retry_sure", "settle_sent", "settle_failed"),
}


class Lateness(Struct, frozen=True, kw_only=True):
    """How late a message was there; `after_reply`: we had answered meanwhile, without knowing it."""

    ms: int
    after_reply: bool = False


class Outgo(Struct, frozen=True, kw_only=True):
    """How far a message of ours came; `can`: what a person may do about it; `looking`: it is being looked for.

    `recall_until`: until when (ms) it may be taken back; None where it may not, or was.
    """

    state: Fate
    code: str | None = None
    reason: str | None = None
    can: tuple[Cure, ...] = ()
    attempts: int = 0
    looking: bool = False
    recall_until: int | None = None


class MessageItem(Struct, frozen=True, kw_only=True):
    """A message in the thread. `pending`: it is asked for and not in the store yet."""

    row: MessageRow
    late: Lateness | None = None
    outgo: Outgo | None = None
    anomalies: tuple[Anomaly, ...] = ()
    pending: bool = False


Item: TypeAlias = MessageItem | Note | AuditRow


def time_of(row: MessageRow) -> int:
    """When it was said (ms): by the platform's clock, unless that is ahead of when it came."""
    return row.at if is_ahead(row) else row.sent_at


def is_ahead(row: MessageRow) -> bool:
    """Whether the platform's time of it lies in what was then the future."""
    return row.sent_at - row.at > AHEAD_MS


def order_of(item: Item) -> tuple[int, int, int, str]:
    """By the platform's time, its sequence, the id; what people did stands behind what was said in the same instant."""
    match item:
        case MessageItem(row=row):
            return time_of(row), 0, -1 if row.seq is None else row.seq, row.message
        case Note():
            return item.at, 1, 0, item.id
        case AuditRow():
            return item.at, 2, item.id, ""


def lateness(row: MessageRow, answers: Iterable[int], anomalies: Sequence[Anomaly]) -> Lateness | None:
    """How late a customer's message came; `answers`: when ours were sent (ms)."""
    if row.direction != "in" or row.history or row.delay is None:
        return None
    meanwhile = row.delay >= OVERTAKEN_MS and any(time_of(row) < sent <= row.at for sent in answers)
    if row.delay >= LATE_MS or meanwhile or any(one.kind == "delay" for one in anomalies):
        return Lateness(ms=row.delay, after_reply=meanwhile)
    return None


def outgo(row: MessageRow, reply: ReplyRow | None) -> Outgo | None:
    """How far a message of ours came, by all that is known of it and never by the order in which it became known.

    Proof of receipt counts for more than a failure, a failure for more than having been sent. An earlier attempt's
    failure says nothing of the one after it.
    """
    if row.direction != "out":
        return None
    until = None if reply is None or "deleted" in row.hops else recall_until(reply)
    for state in ("read", "delivered"):
        if state in row.hops:
            told = reply if reply is not None and reply.code == CONFLICT else None
            return Outgo(state=state, code=told and told.code, reason=told and told.reason, recall_until=until)
    if reply is not None and reply.state != "sent":
        return _on_its_way(reply)
    failed_at = max(
        (at for at in (row.hops.get("failed"), (row.failure or {}).get("at")) if at is not None), default=None
    )
    began = None if reply is None else reply.claimed_at
    if failed_at is not None and (began is None or failed_at > began):
        reason = None if row.failure is None else str(row.failure["reason"])
        return Outgo(state="failed", reason=reason, can=("resend",), attempts=0 if reply is None else reply.attempts)
    return Outgo(state="sent", attempts=0 if reply is None else reply.attempts, recall_until=until)


def _on_its_way(reply: ReplyRow) -> Outgo:
    states: Mapping[str, Fate] = {"claimed": "sending", "failed": "failed", "unknown": "maybe_sent"}
    return Outgo(
        state=states.get(reply.state, "queued"),
        code=reply.code,
        reason=reply.reason,
        can=_CURES.get(reply.state, ()),
        attempts=reply.attempts,
        looking=reply.state == "unknown" and reply.settled_at is None,
    )


def pending_row(reply: ReplyRow) -> MessageRow:
    """The message that a reply will be, for as long as the store has none."""
    files = [
        {"id": own_id(reply.id, n), "kind": file.mime.partition("/")[0], "mime": file.mime, "size": file.size}
        for n, file in enumerate(reply.files)
    ]
    return MessageRow(
        key=reply.key,
        message=reply.id,
        direction="out",
        sent_at=reply.at,
        at=reply.at,
        sender_id=reply.who,
        sender_name=reply.who,
        sender_role="agent",
        text=reply.text or None,
        reply_to=reply.reply_to,
        order=reply.order,
        attachments=files,
    )


def item_view(item: Item) -> dict[str, Any]:
    """An item as the API and the sockets tell it; `time` in ms orders them, then `seq` and `id`."""
    match item:
        case MessageItem():
            return _message_view(item)
        case Note():
            view = {name: getattr(item, name) for name in ("id", "key", "who", "text", "mentions")}
            return {"kind": "note", "time": item.at, "at": rfc3339(item.at), **view}
        case AuditRow():
            told = {"what": item.what, "who": item.who, "before": item.before, "after": item.after}
            return {"kind": "event", "id": str(item.id), "time": item.at, "at": rfc3339(item.at), **told}


def _message_view(item: MessageItem) -> dict[str, Any]:
    row = item.row
    return {
        "kind": "message",
        "id": row.message,
        "time": time_of(row),
        **message_view(row),
        "links": msgspec.to_builtins(recognise(row.text)) if row.text else [],
        "pending": item.pending,
        "late": None if item.late is None else msgspec.to_builtins(item.late),
        "clock_ahead_ms": row.sent_at - row.at if is_ahead(row) else None,
        "reply": None if item.outgo is None else msgspec.to_builtins(item.outgo),
        "anomalies": [record(one) for one in item.anomalies],
    }


__all__ = [
    "Cure",
    "Fate",
    "Item",
    "Lateness",
    "MessageItem",
    "Outgo",
    "item_view",
    "lateness",
    "order_of",
    "outgo",
    "pending_row",
    "time_of",
]
