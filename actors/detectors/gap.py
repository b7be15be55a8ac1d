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
    elif state.missing.pop(seq, None) is None:
        if state.open:
            resolution = "resynced" if m.via == "resync" else "arrived_late"
            resolve_anomaly(state, "loss", ("seq", str(seq)), now, resolution, out, message=m.message)
        if seq < first and len(state.below) < LONGEST_JUMP and seq not in state.below:
            insort(state.below, seq)


def on_checkpoint(where: Channel, c: Conversation, check: Checkpoint, now: int) -> None:
    """A checkpoint named a range of numbers: those in it that never came are expected from now on.

    An end that it leaves out is ours. The range is joined to what we know, since numbers are contiguous.
    """
    if check.first_seq is None and check.last_seq is None:
        return
    state = c.state
    first, high = state.first_seq, state.high_seq
    low, top = _range(check, first, high)
    if first is None:
        absent = [*range(max(low, top - LONGEST_JUMP), top + 1)]
        state.first_seq, state.high_seq = low, top
    else:
        seen = set(state.below)
        absent = [n for n in range(max(low, first - LONGEST_JUMP), first) if n not in seen]
        absent += range(max(high + 1, top - LONGEST_JUMP), top + 1)
        state.first_seq, state.high_seq = min(first, low), max(high, top)
        state.below = [n for n in state.below if n < low]
    await_numbers(c, absent, Gap(now + where.limits.loss_ms, check.start, "gap"))


def _range(check: Checkpoint, first: int | None, high: int) -> tuple[int, int]:
    """The lowest and highest number a checkpoint speaks of."""
    low, top = check.first_seq, check.last_seq
    if first is None:
        low = low if low is not None else top or 0
        return low, low if top is None else top
    low = first if low is None else low
    return low, max(high, low) if top is None else top


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
