"""`loss` (gap): a sequence number is missing after a higher one for longer than the grace; resolved when it arrives.

A jump of more than 1,000 starts the sequence anew and is one `out_of_sync` instead.
"""

from __future__ import annotations

from bisect import insort

from actors.effects import Effects
from actors.events import Checkpoint, Message
from actors.sla import NEVER
from actors.spells import open_anomaly, resolve_anomaly
from actors.state import VIP, Channel, Conversation, Gap, Held

LONGEST_JUMP = 1_000
MISSING_MOST = 10_000
"""Numbers awaited at once in one conversation; a platform that skips more has no usable sequence."""


def on_message(where: Channel, c: Conversation, m: Message, seq: int, held: Held, now: int, out: Effects) -> None:
    """A message with a sequence number arrived (merged ones too)."""
    state = c.state
    first = state.first_seq
    if first is None:
        state.first_seq = state.high_seq = seq
        state.joined_late = seq > 1
        return
    high = state.high_seq
    if seq == high + 1:
        state.high_seq = seq
    elif seq > high:
        state.high_seq = seq
        if m.history:
            return
        if seq - high > LONGEST_JUMP or len(state.missing) + seq - high > MISSING_MOST:
            _restart(where, c, m, high, held, now, out)
            return
        await_numbers(c, range(high + 1, seq), Gap(now + where.limits.loss_ms, m.sent_at, "gap"))
    elif seq < first:
        if len(state.below) < LONGEST_JUMP and seq not in state.below:
            insort(state.below, seq)
    elif state.missing.pop(seq, None) is None and state.open:
        resolution = "resynced" if m.via == "resync" else "arrived_late"
        resolve_anomaly(state, "loss", ("seq", str(seq)), now, resolution, out, message=m.message)


def on_checkpoint(where: Channel, c: Conversation, check: Checkpoint, now: int) -> None:
    """A checkpoint named a range of numbers: those in between that never came are expected from now on."""
    state = c.state
    low = check.first_seq if check.first_seq is not None else check.last_seq
    top = check.last_seq if check.last_seq is not None else check.first_seq
    if low is None or top is None:
        return
    first = state.first_seq
    known = range(first, state.high_seq + 1) if first is not None else range(0)
    seen_below = set(state.below)
    absent = [n for n in range(max(low, top - LONGEST_JUMP), top + 1) if n not in known and n not in seen_below]
    await_numbers(c, absent, Gap(now + where.limits.loss_ms, check.start, "checkpoint"))
    state.first_seq = low if first is None else min(first, low)
    state.high_seq = max(state.high_seq, top)
    state.below = [n for n in state.below if n < state.first_seq]


def await_numbers(c: Conversation, numbers: range | list[int], gap: Gap) -> None:
    """Wait for these numbers until the gap's due time."""
    for number in numbers:
        c.state.missing.setdefault(number, gap)
    if numbers and gap.due < c.state.due:
        c.state.due = gap.due


def expire(where: Channel, c: Conversation, now: int, out: Effects) -> None:
    """Numbers whose grace is over are lost."""
    missing = c.state.missing
    for number, gap in [(n, g) for n, g in missing.items() if g.due < now]:
        del missing[number]
        open_anomaly(
            where,
            c,
            "loss",
            ("seq", str(number)),
            out,
            message=None,
            since=gap.since,
            opened_at=gap.due,
            severity="critical",
            evidence={"seq": number, "cause": gap.cause},
        )


def next_due(c: Conversation) -> int:
    """The end of the earliest grace (ms)."""
    return min((gap.due for gap in c.state.missing.values()), default=NEVER)


def _restart(where: Channel, c: Conversation, m: Message, high: int, held: Held, now: int, out: Effects) -> None:
    state = c.state
    state.first_seq = m.seq
    state.below = []
    open_anomaly(
        where,
        c,
        "out_of_sync",
        ("seq", str(m.seq)),
        out,
        message=m.message,
        since=m.sent_at,
        opened_at=now,
        severity="warning",
        evidence={"ours": high, "theirs": m.seq, "cause": "sequence_jump"},
        vip=bool(held.flags & VIP),
    )
