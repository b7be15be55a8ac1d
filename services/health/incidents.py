"""Many anomalies, few incidents: one per channel and kind of trouble; what a larger trouble explains is hidden by it.

An incident is what a channel's unresolved anomalies of one kind have in common, with those that opened in the range
looked at. Its id is a hash of channel and kind of trouble: the same while it is open and after a restart. What a mute
covers is an incident as well, which alarms nobody; a muted trouble mutes the consequences that it hides. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from actors.anomaly import SEVERITIES, Anomaly
from actors.keys import channel_key
from services.health.mutes import last_to_end
from storage.records import AnomalyCount, Mute

GUIDES: dict[tuple[str, str], str] = {("loss", "outbound"): "loss_outbound", ("channel_silent", "auth"): "auth"}
"""Causes that are a trouble of their own, with their own handling guide (`actors.anomaly.CURES`)."""

HIDDEN_BY: dict[str, frozenset[str]] = {
    "auth": frozenset({"channel_silent", "delay", "loss", "loss_outbound", "notification_missed"}),
    "channel_silent": frozenset({"delay", "loss", "notification_missed"}),
}
"""What an open trouble of a channel hides on the same channel: its likely consequences."""

STATUS_ORDER = {"open": 0, "acknowledged": 1, "resolved": 3}
MUTED_ORDER = 2
"""Muted incidents stand after those that need somebody, before what is over."""


class Incident(Struct, frozen=True, kw_only=True):
    """One trouble of one channel.

    `count`: its anomalies, `open` the unresolved ones; `hidden`: unresolved anomalies of other kinds that it hides;
    `guide` names the handling guide; `since`, `opened_at`, `latest` in ms; `muted_by` is the id of the mute that keeps
    it quiet longest, to `muted_until` (ms).
    """

    id: str
    platform: str
    account: str
    kind: str
    guide: str
    severity: str
    status: str
    count: int
    open: int
    since: int
    opened_at: int
    latest: int
    hidden: int = 0
    channel_level: bool = False
    hidden_by: str | None = None
    by: str | None = None
    muted_by: str | None = None
    muted_until: int | None = None
    evidence: dict[str, Any] = {}

    @property
    def cause(self) -> str | None:
        """The cause by which its anomalies are told from others of their kind; None when their kind says it all."""
        return next((cause for (_, cause), guide in GUIDES.items() if guide == self.guide), None)


def guide_of(kind: str, cause: str | None) -> str:
    """The handling guide, which is also what separates incidents of one kind."""
    return GUIDES.get((kind, cause or ""), kind)


def guide_of_anomaly(anomaly: Anomaly) -> str:
    """The handling guide of one anomaly."""
    cause = anomaly.evidence.get("cause")
    return guide_of(anomaly.kind, cause if isinstance(cause, str) else None)


def incident_id(platform: str, account: str, guide: str) -> str:
    """16 hex digits, the same for the same channel and trouble."""
    text = f"{channel_key(platform, account)}\x1f{guide}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def group(
    unresolved: Iterable[AnomalyCount], opened: Iterable[AnomalyCount], mutes: Sequence[Mute] = ()
) -> list[Incident]:
    """Incidents of the unresolved anomalies and of the resolved ones among those `opened` in the range looked at.

    Consequences of a larger open trouble carry `hidden_by`; it counts them as `hidden`. `mutes` are those in force.
    The worst come first.
    """
    groups: dict[tuple[str, str, str], list[AnomalyCount]] = defaultdict(list)
    for count in unresolved:
        groups[count.platform, count.account, guide_of(count.kind, count.cause)].append(count)
    for count in opened:
        if count.status == "resolved":
            groups[count.platform, count.account, guide_of(count.kind, count.cause)].append(count)
    incidents = quieten(inhibit([_incident(*key, counts) for key, counts in groups.items()]), mutes)
    return sorted(incidents, key=urgency)


def inhibit(incidents: list[Incident]) -> list[Incident]:
    """The same incidents, with `hidden_by` and `hidden` set."""
    by_place = {(i.platform, i.account, i.guide): i for i in incidents}
    hiders: dict[str, str] = {}
    hidden: dict[str, int] = defaultdict(int)
    for incident in incidents:
        for guide, consequences in HIDDEN_BY.items():
            hider = by_place.get((incident.platform, incident.account, guide))
            if hider is not None and hider.open and incident.guide in consequences:
                hiders[incident.id] = hider.id
                hidden[hider.id] += incident.open
                break
    return [replace(i, hidden_by=hiders.get(i.id), hidden=hidden[i.id]) for i in incidents]


def quieten(incidents: list[Incident], mutes: Sequence[Mute]) -> list[Incident]:
    """The same incidents; the unresolved ones that a mute covers, or whose hider one covers, with `muted_by` set."""
    if not mutes:
        return incidents
    covering = {i.id: last_to_end(mutes, i.platform, i.account, i.guide) for i in incidents if i.open}
    quiet: list[Incident] = []
    for incident in incidents:
        mute = covering.get(incident.id)
        if mute is None and incident.open and incident.hidden_by is not None:
            mute = covering.get(incident.hidden_by)
        quiet.append(incident if mute is None else replace(incident, muted_by=mute.id, muted_until=mute.until))
    return quiet


def urgency(incident: Incident) -> tuple[int, int, int, int, str]:
    """Sort key: unresolved and unacknowledged first, then the severest, the largest, the oldest; muted ones later."""
    return (
        STATUS_ORDER[incident.status] if incident.muted_by is None else MUTED_ORDER,
        -SEVERITIES.index(incident.severity),  # pyright: ignore[reportArgumentType] # a Severity by construction
        -incident.open,
        incident.since,
        incident.id,
    )


def _incident(platform: str, account: str, guide: str, counts: list[AnomalyCount]) -> Incident:
    unresolved = [c for c in counts if c.status != "resolved"]
    judged = unresolved or counts
    severity = max((c.severity for c in judged), key=[*SEVERITIES].index)  # pyright: ignore[reportArgumentType]
    status = "resolved"
    if unresolved:
        status = "open" if any(c.status == "open" for c in unresolved) else "acknowledged"
    first = min(c.oldest for c in judged)
    return Incident(
        id=incident_id(platform, account, guide),
        platform=platform,
        account=account,
        kind=counts[0].kind,
        guide=guide,
        severity=severity,
        status=status,
        count=sum(c.count for c in counts),
        open=sum(c.count for c in unresolved),
        since=first,
        opened_at=first,
        latest=max(c.latest for c in counts),
        channel_level=any(c.channel_level for c in unresolved),
    )
