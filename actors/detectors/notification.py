"""`notification_missed`: nobody was told of a customer's message within the grace, or telling failed.

Resolved by a later `fired`, when an agent opens the conversation (`opened`), or by an answer (`answered`).
"""

from __future__ import annotations

from actors.effects import Effects
from actors.events import Notification
from actors.sla import NEVER
from actors.spells import open_on_message, resolve_anomaly
from actors.state import CUSTOMER, HISTORY, MERGED, SETTLED, Channel, Conversation, Held

KIND = "notification_missed"


def on_message(where: Channel, c: Conversation, message: str, now: int) -> None:
    """A customer wrote: somebody must be told."""
    grace = where.limits.notification_ms
    if grace is not None:
        state = c.state
        due = state.bells[message] = now + grace
        if due < state.due:
            state.due = due


def on_status(where: Channel, c: Conversation, n: Notification, held: Held, now: int, out: Effects) -> None:
    """A bell rang, was seen, or failed."""
    if not held.flags & CUSTOMER or held.flags & (HISTORY | MERGED):
        return
    state = c.state
    if n.status == "failed":
        if not held.flags & SETTLED:
            state.bells.pop(n.message, None)
            open_on_message(where, c, KIND, (n.message,), held, now, out, {"status": "failed"})
        return
    state.bells.pop(n.message, None)
    held.flags |= SETTLED
    if state.open:
        resolve_anomaly(state, KIND, (n.message,), now, "fired" if n.status == "fired" else "opened", out)


def settle_all(c: Conversation, now: int, resolution: str, out: Effects) -> None:
    """An agent opened or answered the conversation: every message in it so far is known."""
    state = c.state
    for message in state.bells:
        if (held := state.held.get(message)) is not None:
            held.flags |= SETTLED
    if state.bells:
        state.bells.clear()
    if state.open:
        for anomaly in [a for a in state.open.values() if a.kind == KIND and a.message is not None]:
            message = anomaly.message or ""
            if (held := state.held.get(message)) is not None:
                held.flags |= SETTLED
            resolve_anomaly(state, KIND, (message,), now, resolution, out)


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Messages nobody was told of when the grace ends."""
    state = c.state
    for message, due in [(m, d) for m, d in state.bells.items() if d < now]:
        del state.bells[message]
        held = state.held.get(message)
        if held is not None:
            open_on_message(where, c, KIND, (message,), held, due, out, {"status": "none"})


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min(c.state.bells.values(), default=NEVER)
