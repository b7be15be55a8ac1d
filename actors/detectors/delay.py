"""`delay`: a message took longer than the threshold, or the median of a channel's last 20 did.

The first is opened resolved, since the message is here; the second stays open until the median is back.

Delays are corrected by the channel's clock offset: the smallest raw delay of its last 20 messages, when negative.
"""

from __future__ import annotations

from actors.anomaly import Anomaly, Severity, anomaly_id, cures, raised
from actors.effects import Effects
from actors.events import Message
from actors.spells import next_spell, open_anomaly, resolve_anomaly, subject_label
from actors.state import Channel, Conversation

LAST = 20
AHEAD_MS = 600_000
"""A platform time further ahead than this is a wrong clock, not an offset to learn."""
GRAVE = 10
"""From this many times the threshold on, a single delay is a warning."""
CHANNEL = subject_label("delay", ("channel",))


def on_message(where: Channel, c: Conversation, m: Message, now: int, out: Effects) -> int:
    """A counted message; returns its corrected delay in ms."""
    state = where.state
    raw = now - m.sent_at
    offset = state.offset
    if raw >= -AHEAD_MS:
        raws = state.raw_delays
        gone = raws.pop(0) if len(raws) >= LAST else 0
        raws.append(raw)
        if raw < offset or (offset and gone == offset):
            state.offset = offset = min(0, *raws)
    corrected = raw - offset
    threshold = where.limits.delay_ms
    delays = state.delays
    if len(delays) >= LAST:
        del delays[0]
    delays.append(corrected)
    over = state.over
    if corrected > threshold:
        _late(where, c, m, corrected, now, out)
        state.over = over = LAST
    elif over:
        state.over = over = over - 1
    if (over or (state.open and CHANNEL in state.open)) and len(delays) == LAST:
        _judge_median(where, m, threshold, now, out)
    return corrected


def _late(where: Channel, c: Conversation, m: Message, corrected: int, now: int, out: Effects) -> None:
    threshold = where.limits.delay_ms
    severity: Severity = "info" if corrected < GRAVE * threshold else "warning"
    spell = next_spell(c.state, subject_label("delay", (m.message,)))
    anomaly = Anomaly(
        id=anomaly_id("delay", (where.platform, where.account, c.conversation, m.message), spell),
        kind="delay",
        severity=raised(severity, vip=bool(m.vip)),
        status="resolved",
        platform=where.platform,
        account=where.account,
        conversation=c.conversation,
        message=m.message,
        since=m.sent_at,
        opened_at=now,
        resolved_at=now,
        resolution="arrived",
        evidence=_evidence(where, corrected),
        actions=cures("delay"),
    )
    out.anomalies.append(anomaly)


def _judge_median(where: Channel, m: Message, threshold: int, now: int, out: Effects) -> None:
    ordered = sorted(where.state.delays)
    median = (ordered[LAST // 2 - 1] + ordered[LAST // 2]) / 2
    if median > threshold:
        open_anomaly(
            where,
            None,
            "delay",
            ("channel",),
            out,
            message=None,
            since=m.sent_at,
            opened_at=now,
            severity="warning",
            evidence=_evidence(where, median),
        )
    else:
        resolve_anomaly(where.state, "delay", ("channel",), now, "recovered", out)


def _evidence(where: Channel, delay: float) -> dict[str, float]:
    return {
        "delay_s": delay / 1000,
        "threshold_s": where.limits.delay_ms / 1000,
        "offset_s": where.state.offset / 1000,
    }
