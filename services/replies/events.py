"""What the log is told of a reply: the message that it is, and what became of it. Their keys make repeats harmless."""

from __future__ import annotations

from actors.events import Action, Attachment, Failure, Message, Receipt, Sender
from storage.channel_records import ReplyRow


def message_of(row: ReplyRow, now: int) -> Message:
    """The reply as the conversation shows it, from before it is sent; `now` in ms."""
    files = [
        Attachment(id=f"{row.id}:{index}", kind=file.mime.partition("/")[0], mime=file.mime, size=file.size)
        for index, file in enumerate(row.files)
    ]
    return Message(
        platform=row.platform,
        account=row.account,
        conversation=row.conversation,
        message=row.id,
        at=now,
        sent_at=row.at,
        direction="out",
        sender=Sender(id=row.who, name=row.who, role="agent"),
        text=row.text or None,
        reply_to=row.reply_to,
        resend_of=row.resend_of,
        order=row.order,
        attachments=files or None,
        extra=None if row.kind is None else {"kind": row.kind},
    )


def accepted_key(reply: str) -> str:
    """The idempotency key of a reply's `accepted` receipt, whoever tells it."""
    return f"{reply}/accepted"


def accepted(row: ReplyRow, now: int) -> Receipt:
    """The platform has it."""
    return Receipt(
        platform=row.platform,
        account=row.account,
        conversation=row.conversation,
        message=row.id,
        status="accepted",
        at=now,
        event=accepted_key(row.id),
    )


def failed(row: ReplyRow, now: int) -> Receipt:
    """The platform will never have it. Each attempt has a fate of its own."""
    return Receipt(
        platform=row.platform,
        account=row.account,
        conversation=row.conversation,
        message=row.id,
        status="failed",
        error=Failure(code=row.code, reason=row.reason),
        at=now,
        event=f"{row.id}/failed/{row.attempts}",
    )


def reopened(row: ReplyRow, now: int) -> Action:
    """A reply that did not get through opens its conversation again, for the one who wrote it."""
    return Action(
        platform=row.platform,
        account=row.account,
        conversation=row.conversation,
        what="reopened",
        agent=row.who,
        at=now,
        event=f"{row.id}/reopened/{row.attempts}",
    )


def stranger(row: ReplyRow, message: str, now: int) -> Message:
    """A message of the platform's that was taken for the echo of this reply and is not: as much as is known of it."""
    return Message(
        platform=row.platform,
        account=row.account,
        conversation=row.conversation,
        message=message,
        at=now,
        sent_at=now if row.settled_at is None else row.settled_at,
        direction="out",
        text=row.text or None,
        via="poll",
    )


__all__ = ["accepted", "accepted_key", "failed", "message_of", "reopened", "stranger"]
