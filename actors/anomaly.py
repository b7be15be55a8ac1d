"""An anomaly: one detected trouble, with a life cycle and evidence (SPEC section 3)."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from actors.times import rfc3339

Kind: TypeAlias = Literal[
    "delay",
    "loss",
    "duplicate",
    "out_of_sync",
    "attachment_failed",
    "notification_missed",
    "translation_failed",
    "channel_silent",
]
Severity: TypeAlias = Literal["info", "warning", "critical"]
Status: TypeAlias = Literal["open", "acknowledged", "resolved"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
STATUSES: tuple[Status, ...] = get_args(Status)

CURES: dict[str, tuple[str, ...]] = {
    "delay": ("check_network", "resync"),
    "loss": ("resync", "check_binding"),
    "loss_outbound": ("resend", "check_binding"),
    "duplicate": ("merge",),
    "out_of_sync": ("resync", "compare"),
    "attachment_failed": ("refetch", "ask_upload"),
    "notification_missed": ("check_notifications", "open_conversation"),
    "translation_failed": ("retry_translation", "answer_by_hand"),
    "channel_silent": ("probe", "resync"),
    "auth": ("reauthorise", "resync"),
}
"""What to do next, per kind (handling guide); each has a text `action.<name>` in the catalogue."""


TIMES_IN_EVIDENCE = frozenset(("from", "to"))


class Cure(Struct, frozen=True, array_like=False, gc=False):
    """One step of the handling guide, and what came of trying it automatically (`tried_at` in ms)."""

    action: str
    text_key: str
    tried_at: int | None = None
    result: str | None = None


class Anomaly(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One trouble. Times in milliseconds since the epoch; `since` in event time, the others in observed time."""

    id: str
    kind: Kind
    severity: Severity
    status: Status
    platform: str
    account: str
    conversation: str | None = None
    message: str | None = None
    since: int
    opened_at: int
    resolved_at: int | None = None
    resolution: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    actions: list[Cure] = field(default_factory=list)
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    cause: str | None = None


def anomaly_id(kind: str, subject: tuple[str, ...], spell: int) -> str:
    """32 hex digits that are the same for the same kind, subject and spell, for ever."""
    text = "\x1f".join((kind, *subject, str(spell)))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def cures(guide: str) -> list[Cure]:
    """The handling guide of one kind of trouble."""
    return [Cure(name, f"action.{name}") for name in CURES[guide]]


def raised(severity: Severity, *, vip: bool) -> Severity:
    """The severity, one step higher for a VIP."""
    if not vip:
        return severity
    return SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]


def resolved(anomaly: Anomaly, at: int, resolution: str, **evidence: Any) -> Anomaly:
    """The same anomaly, resolved at `at` (ms), with more evidence."""
    return replace(
        anomaly,
        status="resolved",
        resolved_at=at,
        resolution=resolution,
        evidence=anomaly.evidence | evidence if evidence else anomaly.evidence,
    )


def record(anomaly: Anomaly) -> dict[str, Any]:
    """The anomaly as the API and the replay report show it: SPEC section 3's fields, times as RFC 3339 in UTC."""
    shown: dict[str, Any] = {
        "id": anomaly.id,
        "kind": anomaly.kind,
        "severity": anomaly.severity,
        "status": anomaly.status,
        "platform": anomaly.platform,
        "account": anomaly.account,
        "conversation": anomaly.conversation,
        "message": anomaly.message,
        "since": rfc3339(anomaly.since),
        "opened_at": rfc3339(anomaly.opened_at),
        "resolved_at": None if anomaly.resolved_at is None else rfc3339(anomaly.resolved_at),
        "resolution": anomaly.resolution,
        "evidence": {k: rfc3339(v) if k in TIMES_IN_EVIDENCE else v for k, v in anomaly.evidence.items()},
        "actions": [
            {
                "action": cure.action,
                "text_key": cure.text_key,
                "tried_at": None if cure.tried_at is None else rfc3339(cure.tried_at),
                "result": cure.result,
            }
            for cure in anomaly.actions
        ],
    }
    if anomaly.acknowledged_by is not None or anomaly.acknowledged_at is not None:
        shown["acknowledged_by"] = anomaly.acknowledged_by
        shown["acknowledged_at"] = None if anomaly.acknowledged_at is None else rfc3339(anomaly.acknowledged_at)
    if anomaly.cause is not None:
        shown["cause"] = anomaly.cause
    return shown
