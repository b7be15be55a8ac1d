"""Opening and resolving anomalies: one open per subject, each spell an anomaly of its own."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from actors.anomaly import Anomaly, Kind, Severity, anomaly_id, cures, raised, resolved
from actors.effects import Effects
from actors.state import SPELLS_MOST, VIP, Channel, Conversation, Held, Watched


def open_anomaly(
    where: Channel,
    conversation: Conversation | None,
    kind: Kind,
    subject: tuple[str, ...],
    out: Effects,
    *,
    message: str | None,
    since: int,
    opened_at: int,
    severity: Severity,
    evidence: dict[str, Any],
    guide: str | None = None,
    vip: bool = False,
) -> Anomaly | None:
    """Open an anomaly for a subject unless one is open; returns it, or None when one was."""
    state = where.state if conversation is None else conversation.state
    label = subject_label(kind, subject)
    if label in state.open:
        return None
    spell = next_spell(state, label)
    scope = (
        (where.platform, where.account)
        if conversation is None
        else (where.platform, where.account, conversation.conversation)
    )
    anomaly = Anomaly(
        id=anomaly_id(kind, (*scope, *subject), spell),
        kind=kind,
        severity=raised(severity, vip=vip),
        status="open",
        platform=where.platform,
        account=where.account,
        conversation=None if conversation is None else conversation.conversation,
        message=message,
        since=since,
        opened_at=opened_at,
        evidence=evidence,
        actions=cures(guide or kind),
    )
    state.open[label] = anomaly
    out.anomalies.append(anomaly)
    return anomaly


def open_on_message(
    where: Channel,
    c: Conversation,
    kind: Kind,
    subject: tuple[str, ...],
    held: Held,
    at: int,
    out: Effects,
    evidence: dict[str, Any],
    *,
    severity: Severity = "warning",
    guide: str | None = None,
) -> None:
    """Open an anomaly about a held message at `at` (ms), or add the evidence to the one that is open.

    The subject names the message: alone, first (with an attachment's id after it) or last (after a label).
    """
    if update_anomaly(c.state, kind, subject, out, **evidence):
        return
    open_anomaly(
        where,
        c,
        kind,
        subject,
        out,
        message=subject[-1] if kind == "loss" else subject[0],
        since=held.sent_at,
        opened_at=at,
        severity=severity,
        evidence=evidence,
        guide=guide,
        vip=bool(held.flags & VIP),
    )


def resolve_anomaly(
    state: Watched,
    kind: Kind,
    subject: tuple[str, ...],
    at: int,
    resolution: str,
    out: Effects,
    **evidence: Any,
) -> bool:
    """Resolve the open anomaly of a subject at `at` (ms); False when none is open."""
    if not state.open:
        return False
    anomaly = state.open.pop(subject_label(kind, subject), None)
    if anomaly is None:
        return False
    out.anomalies.append(resolved(anomaly, max(at, anomaly.opened_at), resolution, **evidence))
    return True


def update_anomaly(state: Watched, kind: Kind, subject: tuple[str, ...], out: Effects, **evidence: Any) -> bool:
    """Add evidence to the open anomaly of a subject; False when none is open."""
    label = subject_label(kind, subject)
    anomaly = state.open.get(label)
    if anomaly is None:
        return False
    state.open[label] = replace(anomaly, evidence=anomaly.evidence | evidence)
    out.anomalies.append(state.open[label])
    return True


def subject_label(kind: str, subject: tuple[str, ...]) -> str:
    """The key of a subject within its state."""
    return "\x1f".join((kind, *subject))


def next_spell(state: Watched, label: str) -> int:
    """Count one more spell of a subject; the first is 1."""
    spells = state.spells
    spell = spells.get(label, 0) + 1
    if label not in spells and len(spells) >= SPELLS_MOST:
        del spells[next(iter(spells))]
    spells[label] = spell
    return spell
