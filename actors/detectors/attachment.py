"""`attachment_failed`: an attachment's status is not `ok`, or none came within the grace; resolved by a later `ok`."""

from __future__ import annotations

from actors.effects import Effects
from actors.events import AttachmentStatus, Message
from actors.sla import NEVER
from actors.spells import open_on_message, resolve_anomaly
from actors.state import HISTORY, MERGED, Channel, Conversation, Held


def on_message(where: Channel, c: Conversation, m: Message, now: int) -> None:
    """A message announced files; only a customer's are awaited."""
    state = c.state
    ids = [a.id for a in m.attachments or ()]
    state.listed[m.message] = ids
    grace = where.limits.attachment_ms
    if m.direction == "in" and not m.history and grace is not None:
        due = now + grace
        state.files[m.message] = dict.fromkeys(ids, due)
        if due < state.due:
            state.due = due


def on_status(where: Channel, c: Conversation, status: AttachmentStatus, held: Held, now: int, out: Effects) -> None:
    """The fate of one file; of an unlisted one it is kept without judgement."""
    state = c.state
    message, attachment = status.message, status.attachment
    if attachment not in state.listed.get(message, ()):
        return
    awaited = state.files.get(message)
    if awaited is not None and awaited.pop(attachment, None) is not None and not awaited:
        del state.files[message]
    if status.status == "ok":
        resolve_anomaly(state, "attachment_failed", (message, attachment), now, "recovered", out)
    elif not held.flags & (HISTORY | MERGED):
        _bad(where, c, (message, attachment), held, now, status.status, out)


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Files of which nothing was heard when the grace ends."""
    state = c.state
    over = [(message, awaited) for message, awaited in state.files.items() if min(awaited.values()) < now]
    for message, awaited in over:  # all files of a message are awaited until the same instant
        del state.files[message]
        held = state.held.get(message)
        if held is not None:
            for attachment, due in awaited.items():
                _bad(where, c, (message, attachment), held, due, "none", out)


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min((min(awaited.values()) for awaited in c.state.files.values()), default=NEVER)


def _bad(
    where: Channel, c: Conversation, subject: tuple[str, str], held: Held, at: int, status: str, out: Effects
) -> None:
    evidence = {"attachment": subject[1], "status": status}
    open_on_message(where, c, "attachment_failed", subject, held, at, out, evidence)
