"""`out_of_sync`: a checkpoint's count differs from Weir's own for its window, after the grace, and it names no ids.

Resolved by an agreeing checkpoint of an overlapping window (`agreed`), or when a re-sync brings what was missing
(`resynced`).
The subject is the window; a disagreement in a window that overlaps an open one updates that one.
"""

from __future__ import annotations

from actors.anomaly import Anomaly
from actors.effects import Effects
from actors.events import Checkpoint, Message
from actors.sla import NEVER
from actors.spells import open_anomaly, resolve_anomaly, update_anomaly
from actors.state import Channel, Check, Conversation, Watched

KIND = "out_of_sync"


def on_checkpoint(where: Channel, c: Conversation | None, check: Checkpoint, now: int, out: Effects) -> None:
    """The platform told its count for a window of the channel, or of one conversation."""
    channel = where.state
    if check.start < (channel.begins or channel.first_at) and not channel.history:
        return
    state = channel if c is None else c.state
    if own_count(where, c, check.start, check.end) == check.count:
        _agree(state, check.start, check.end, now, out)
    elif check.messages is None:
        due = now + where.limits.sync_ms
        state.checks.append(Check(due, check.start, check.end, check.count))
        state.due = min(state.due, due)


def on_resync(where: Channel, c: Conversation | None, m: Message, now: int, out: Effects) -> None:
    """A re-sync brought a message: an open difference it makes up for is closed."""
    state = where.state if c is None else c.state
    for anomaly in _windows(state):
        start, end = anomaly.evidence["from"], anomaly.evidence["to"]
        if start <= m.sent_at < end and own_count(where, c, start, end) == anomaly.evidence["theirs"]:
            resolve_anomaly(state, KIND, _subject(start, end), now, "resynced", out)


def expire(where: Channel, c: Conversation | None, now: int, out: Effects) -> None:
    """Compare again when the grace ends."""
    state = where.state if c is None else c.state
    over = [check for check in state.checks if check.due < now]
    if not over:
        return
    state.checks = [check for check in state.checks if check.due >= now]
    for check in over:
        ours = own_count(where, c, check.start, check.end)
        if ours == check.count:
            _agree(state, check.start, check.end, check.due, out)
        else:
            _disagree(where, c, check, ours, out)


def next_due(state: Watched) -> int:
    """The end of the earliest grace (ms)."""
    return min((check.due for check in state.checks), default=NEVER)


def own_count(where: Channel, c: Conversation | None, start: int, end: int) -> int:
    """How many messages Weir holds with start <= sent_at < end, merged ones too (raw platform times)."""
    if c is not None:
        state = c.state
        return sum(start <= held.sent_at < end for held in state.held.values()) + sum(
            start <= sent_at < end for sent_at in state.elder_sent
        )
    return 0 if where.sent is None else where.sent.count(start, end)


def _agree(state: Watched, start: int, end: int, at: int, out: Effects) -> None:
    jumps = [a for a in state.open.values() if a.kind == KIND and "from" not in a.evidence and start <= a.since < end]
    for anomaly in jumps:
        resolve_anomaly(state, KIND, ("seq", str(anomaly.evidence["theirs"])), at, "agreed", out)
    for anomaly in _windows(state):
        first, last = anomaly.evidence["from"], anomaly.evidence["to"]
        if first < end and start < last:
            resolve_anomaly(state, KIND, _subject(first, last), at, "agreed", out)


def _disagree(where: Channel, c: Conversation | None, check: Check, ours: int, out: Effects) -> None:
    state = where.state if c is None else c.state
    for anomaly in _windows(state):
        first, last = anomaly.evidence["from"], anomaly.evidence["to"]
        if first < check.end and check.start < last:
            update_anomaly(state, KIND, _subject(first, last), out, ours=ours, theirs=check.count)
            return
    open_anomaly(
        where,
        c,
        KIND,
        _subject(check.start, check.end),
        out,
        message=None,
        since=check.start,
        opened_at=check.due,
        severity="warning",
        evidence={"ours": ours, "theirs": check.count, "from": check.start, "to": check.end},
    )


def _windows(state: Watched) -> list[Anomaly]:
    return [a for a in state.open.values() if a.kind == KIND and "from" in a.evidence]


def _subject(start: int, end: int) -> tuple[str, str, str]:
    return ("window", str(start), str(end))
