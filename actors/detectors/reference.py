"""`loss` (reference, checkpoint): a message that a reply or a checkpoint names was never seen, for too long.

One anomaly however often the id is named, by either; resolved when the message arrives.
"""

from __future__ import annotations

from zlib import crc32

from actors.effects import Effects
from actors.events import Checkpoint, Message
from actors.sla import NEVER
from actors.spells import open_anomaly, resolve_anomaly
from actors.state import Absent, Channel, Conversation

JOINED_LATE_MS = 3_600_000
"""For the first hour of a conversation joined in the middle, replies may name what came before us."""
ABSENT_MOST = 10_000
SWEEP = "sweep"


def on_arrival(c: Conversation, m: Message, now: int, out: Effects) -> None:
    """A message arrived (merged ones too): it is missing no longer."""
    state = c.state
    if state.absent.pop(m.message, None) is None and state.open:
        resolution = "resynced" if m.via == "resync" else "arrived_late"
        resolve_anomaly(state, "loss", ("id", m.message), now, resolution, out)


def on_reply(where: Channel, c: Conversation, m: Message, target: str, now: int) -> None:
    """A message names another one."""
    state = c.state
    if target == m.message or was_seen(c, target):
        return
    if state.joined_late and now - state.first_at <= JOINED_LATE_MS:
        return
    _await(where, c, target, m.sent_at, "reference", m.message, now)


def on_checkpoint(where: Channel, c: Conversation, check: Checkpoint, now: int, out: Effects) -> None:
    """A checkpoint names the ids the platform holds. What a sweep found missing is lost at once.

    Otherwise a loss that the sweep repairs within the grace would leave no trace.
    """
    for message in check.messages or ():
        if was_seen(c, message):
            continue
        if check.found_by == SWEEP:
            c.state.absent.pop(message, None)
            _lose(where, c, message, Absent(now, check.start, "checkpoint", None), out, found_by=SWEEP)
        else:
            _await(where, c, message, check.start, "checkpoint", None, now)


def was_seen(c: Conversation, message: str) -> bool:
    """Whether the message ever came, as far as Weir remembers."""
    return message in c.state.held or (
        bool(c.state.elder) and crc32(message.encode("utf-8", "surrogatepass")) in c.state.elder
    )


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Ids whose grace is over are lost."""
    absent = c.state.absent
    for message, wait in [(m, a) for m, a in absent.items() if a.due < now]:
        del absent[message]
        named = {} if wait.named_by is None else {"named_by": wait.named_by}
        _lose(where, c, message, wait, out, **named)


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min((wait.due for wait in c.state.absent.values()), default=NEVER)


def _lose(where: Channel, c: Conversation, message: str, wait: Absent, out: Effects, **evidence: str) -> None:
    open_anomaly(
        where,
        c,
        "loss",
        ("id", message),
        out,
        message=message,
        since=wait.since,
        opened_at=wait.due,
        severity="critical",
        evidence={"cause": wait.cause} | evidence,
    )


def _await(
    where: Channel, c: Conversation, message: str, since: int, cause: str, named_by: str | None, now: int
) -> None:
    state = c.state
    if message in state.absent or f"loss\x1fid\x1f{message}" in state.open or len(state.absent) >= ABSENT_MOST:
        return
    due = now + where.limits.loss_ms
    state.absent[message] = Absent(due, since, cause, named_by)
    state.due = min(state.due, due)
