"""What a list of incidents shows beside the counts: the evidence of one sample anomaly each, and who looks after it."""

from __future__ import annotations

from msgspec.structs import replace

from actors.anomaly import Anomaly
from services.health.incidents import Incident, guide_of_anomaly
from storage.ports import HealthStore
from storage.records import AnomalyFilter

FETCHES_MOST = 12
"""Samples fetched in one go; the rest keep their older sample until the next."""
KEPT_MOST = 2_000
LOOKED_THROUGH = 20
"""A kind's newest anomalies may be of another cause than the incident's."""

Signature = tuple[int, int, int, str]


class Samples:
    """Remembers a sample per incident and fetches a new one only when the incident's numbers changed."""

    def __init__(self, store: HealthStore) -> None:
        self._store = store
        self._kept: dict[str, tuple[Signature, Anomaly | None]] = {}

    async def describe(self, incidents: list[Incident]) -> list[Incident]:
        """The incidents with evidence, `by` and `since` of their samples; the first ones are served first."""
        fetches = 0
        for incident in incidents:
            kept = self._kept.get(incident.id)
            if fetches < FETCHES_MOST and (kept is None or kept[0] != _signature(incident)):
                fetches += 1
                self._kept[incident.id] = (_signature(incident), await self.newest(incident))
        while len(self._kept) > KEPT_MOST:
            del self._kept[next(iter(self._kept))]
        return [_described(i, self._kept[i.id][1]) if i.id in self._kept else i for i in incidents]

    async def newest(self, incident: Incident) -> Anomaly | None:
        """The newest anomaly of an incident, an unresolved one while there is any."""
        page = await self._store.anomalies(where(incident, unresolved=incident.open > 0), LOOKED_THROUGH)
        return next((a for a in page.items if guide_of_anomaly(a) == incident.guide), None)


def where(incident: Incident, *, unresolved: bool) -> AnomalyFilter:
    """The anomalies of an incident; of a kind with several handling guides, those of the others too."""
    return AnomalyFilter(
        kind=incident.kind,
        platform=incident.platform,
        account=incident.account,
        cause=incident.cause,
        unresolved=unresolved,
    )


def _signature(incident: Incident) -> Signature:
    return (incident.count, incident.open, incident.latest, incident.status)


def _described(incident: Incident, sample: Anomaly | None) -> Incident:
    if sample is None:
        return incident
    alone = incident.channel_level or incident.count == 1
    since = sample.since if alone else incident.since
    return replace(incident, evidence=sample.evidence, by=sample.acknowledged_by, since=since)
