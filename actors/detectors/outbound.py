"""`loss` (outbound): one of our messages has no receipt within the grace, or a `failed` one.

Resolved by a later `delivered` or `read`, or when a re-send of it gets one.
"""

from __future__ import annotations

from typing import Any

from actors.effects import Effects
from actors.events import Message, Receipt
from actors.sla import NEVER
from actors.spells import open_on_message, resolve_anomaly
from actors.state import DELIVERED, FAILED, HISTORY, MERGED, OUTBOUND, Channel, Conversation, Held


def on_message(where: Channel, c: Conversation, m: Message, now: int) -> None:
    """We wrote to a customer."""
    on_merged(c, m)
    state = c.state
    grace = where.limits.outbound_ms
    if grace is not None:
        due = state.receipts[m.message] = now + grace
        if due < state.due:
            state.due = due


def on_merged(c: Conversation, m: Message) -> None:
    """Remember what a message re-sends; one merged with its original may be the one that gets through."""
    if m.resend_of is not None and m.resend_of != m.message:
        c.state.resends[m.message] = m.resend_of


def on_receipt(where: Channel, c: Conversation, receipt: Receipt, held: Held, now: int, out: Effects) -> None:
    """The platform told the fate of a message; for an inbound one it says nothing."""
    if not held.flags & OUTBOUND:
        return
    state = c.state
    state.receipts.pop(receipt.message, None)
    match receipt.status:
        case "accepted":
            pass
        case "delivered" | "read":
            if not held.flags & DELIVERED:
                held.flags |= DELIVERED
            if state.open:
                resolve_anomaly(state, "loss", ("out", receipt.message), now, "delivered", out)
            if state.resends:
                _resent(state.resends.get(receipt.message), c, now, out)
        case "failed":
            if not held.flags & (MERGED | HISTORY):
                # Kept whatever came before: the state depends on which receipts came, not on their order.
                held.flags |= FAILED
                if not held.flags & DELIVERED:
                    _refused(where, c, receipt, held, now, out)


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Messages without any receipt when the grace ends."""
    state = c.state
    for message, due in [(m, d) for m, d in state.receipts.items() if d < now]:
        del state.receipts[message]
        held = state.held.get(message)
        if held is not None:
            _lost(where, c, message, held, due, {"cause": "outbound", "status": "none"}, out)


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min(c.state.receipts.values(), default=NEVER)


def _refused(where: Channel, c: Conversation, receipt: Receipt, held: Held, now: int, out: Effects) -> None:
    evidence: dict[str, Any] = {"cause": "outbound", "status": "failed"}
    if receipt.error is not None:
        evidence |= {"code": receipt.error.code, "reason": receipt.error.reason}
    _lost(where, c, receipt.message, held, now, evidence, out)


def _resent(original: str | None, c: Conversation, now: int, out: Effects) -> None:
    """A re-send got through: what it repeats is lost no longer."""
    if original is not None:
        c.state.receipts.pop(original, None)
        resolve_anomaly(c.state, "loss", ("out", original), now, "resent", out)


def _lost(
    where: Channel, c: Conversation, message: str, held: Held, at: int, evidence: dict[str, Any], out: Effects
) -> None:
    open_on_message(
        where,
        c,
        "loss",
        ("out", message),
        held,
        at,
        out,
        evidence,
        severity="critical",
        guide="loss_outbound",
    )
