"""What operators do with an incident: look into it, and act on every unresolved anomaly of it at once.

Acting submits one `action` event per anomaly to the log, as acting on a single anomaly does, and leaves one audit row.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from statistics import median
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.anomaly import CURES, Anomaly, record
from actors.keys import channel_key, conversation_key
from services.deeds import FALSE_ALARM, Done, action_on, check_cause
from services.errors import NotFoundError
from services.health.incidents import Incident, guide_of_anomaly
from services.health.samples import where
from services.health.trace import SEARCH_S, find_logged
from storage.ports import AccountStore, HealthStore, InboxStore
from storage.records import AuditRow, MessageRow
from streams.ports import Gateway, LogReader

SAMPLES = 20
TIMED_SAMPLES = 5
PAGE = 500
GUILTY_LEAST_MS = 1_000
"""A hop that took less than this is nobody's fault."""


class IncidentStore(HealthStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class IncidentReader(Protocol):
    """Who knows the incidents; `services.health.monitor.Monitor` fits."""

    async def incidents(self, range_: str = "15m") -> list[Incident]:
        """Every incident of a range, hidden ones too."""
        ...


class Resync(Protocol):
    """How one anomaly is re-synced; `services.anomalies.Anomalies` fits."""

    async def resync(self, anomaly_id: str, *, who: str) -> object:
        """Ask the channel's connector to fetch again; raises ConflictError when none can."""
        ...


class Hops(Struct, frozen=True, kw_only=True):
    """Where the sample messages lost their time (medians, ms).

    `platform`: from sending until Weir received it, corrected; `gateway`: until it was in the log; `queue`: until it
    was processed and stored (`store` is not told apart). `guilty` took longest, when that was long at all.
    """

    platform_ms: int | None = None
    gateway_ms: int | None = None
    queue_ms: int | None = None
    store_ms: int | None = None
    guilty: str | None = None


class Impact(Struct, frozen=True, kw_only=True):
    """How large it is: messages concerned, and the largest delay among the sample (ms)."""

    messages: int
    max_delay_ms: int | None = None


class Detail(Struct, frozen=True, kw_only=True):
    """One incident with everything that helps to end it."""

    incident: Incident
    anomalies: list[dict[str, Any]]
    hops: Hops
    impact: Impact
    actions: list[dict[str, str]]
    hides: list[Incident]


class Outcome(Struct, frozen=True, kw_only=True):
    """What an action came to: the incident, and how many anomalies were concerned."""

    incident: Incident
    changed: int


class IncidentDesk:
    """Looks into incidents and acts on them."""

    def __init__(
        self,
        *,
        store: IncidentStore,
        gateway: Gateway,
        reader: LogReader,
        incidents: IncidentReader,
        resync: Resync,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._reader = reader
        self._incidents = incidents
        self._resync = resync

    async def detail(self, incident_id: str) -> Detail:
        """One incident; raises NotFoundError."""
        incident, others = await self._find(incident_id)
        samples = await self._samples(incident)
        messages = [(row, await self._logged_at(row)) for row in await self._messages(samples)]
        first = samples[0] if samples else None
        described = replace(incident, evidence=first.evidence, by=first.acknowledged_by) if first else incident
        return Detail(
            incident=described,
            anomalies=[record(a) for a in samples],
            hops=hops(messages),
            impact=impact(incident, samples, others),
            actions=[{"action": name, "text_key": f"action.{name}"} for name in CURES[incident.guide]],
            hides=[other for other in others if other.hidden_by == incident.id],
        )

    async def acknowledge(self, incident_id: str, *, who: str) -> Outcome:
        """Somebody looks after all of it. Raises NotFoundError, OverloadedError, LogFullError."""
        return await self._act(incident_id, "acknowledged", who, None)

    async def resolve(self, incident_id: str, *, who: str, cause: str | None = None) -> Outcome:
        """All of it is done with, by hand. Raises NotFoundError, RejectedError, OverloadedError, LogFullError."""
        check_cause(cause)
        return await self._act(incident_id, "resolved", who, cause)

    async def false_alarm(self, incident_id: str, *, who: str) -> Outcome:
        """Resolve all of it as no trouble; a hint to tune the threshold. Raises like `resolve`."""
        return await self._act(incident_id, "resolved", who, FALSE_ALARM)

    async def resync(self, incident_id: str, *, who: str) -> Outcome:
        """Ask the channel's connector to fetch again. Raises NotFoundError, ConflictError when none can."""
        incident, _ = await self._find(incident_id)
        samples = await self._samples(incident)
        if not samples:
            raise NotFoundError(f"the incident {incident_id[:64]!r} has no anomaly any more")
        await self._resync.resync(samples[0].id, who=who)
        return Outcome(incident=incident, changed=incident.open)

    async def _act(self, incident_id: str, what: Done, who: str, cause: str | None) -> Outcome:
        incident, _ = await self._find(incident_id)
        changed = 0
        async for page in self._unresolved(incident):
            now = self._gateway.now()
            chosen = [a for a in page if a.status != what]
            await self._gateway.submit([action_on(a, what, who=who, cause=cause, at=now) for a in chosen])
            changed += len(chosen)
        await self._note(incident, what, who, cause, changed)
        status = incident.status if not changed else "resolved" if what == "resolved" else "acknowledged"
        left = 0 if what == "resolved" else incident.open
        return Outcome(incident=replace(incident, status=status, open=left, by=who), changed=changed)

    async def _unresolved(self, incident: Incident) -> AsyncIterator[list[Anomaly]]:
        cursor: str | None = None
        while True:
            page = await self._store.anomalies(where(incident, unresolved=True), PAGE, cursor)
            yield [a for a in page.items if guide_of_anomaly(a) == incident.guide]
            cursor = page.next
            if cursor is None:
                return

    async def _find(self, incident_id: str) -> tuple[Incident, list[Incident]]:
        """The incident and all of them: the last 15 minutes' first, those of a whole day if need be."""
        for range_ in ("15m", "24h"):
            every = await self._incidents.incidents(range_)
            found = next((i for i in every if i.id == incident_id), None)
            if found is not None:
                return found, every
        raise NotFoundError(f"there is no incident {incident_id[:64]!r}; it may have ended more than a day ago")

    async def _samples(self, incident: Incident) -> list[Anomaly]:
        """The newest anomalies, unresolved ones first."""
        samples: dict[str, Anomaly] = {}
        for unresolved in (True, False):
            if len(samples) < SAMPLES and (incident.open or not unresolved):
                page = await self._store.anomalies(where(incident, unresolved=unresolved), 2 * SAMPLES)
                fitting = [a for a in page.items if guide_of_anomaly(a) == incident.guide]
                samples |= {a.id: a for a in fitting if a.id not in samples}
        return list(samples.values())[:SAMPLES]

    async def _messages(self, samples: list[Anomaly]) -> list[MessageRow]:
        found: list[MessageRow] = []
        for a in samples:
            if a.message is not None and a.conversation is not None and len(found) < TIMED_SAMPLES:
                row = await self._store.message(conversation_key(a.platform, a.account, a.conversation), a.message)
                if row is not None:
                    found.append(row)
        return found

    async def _logged_at(self, row: MessageRow) -> int | None:
        logged = await find_logged(self._reader, row, SEARCH_S / TIMED_SAMPLES)
        return None if logged is None else logged.wall

    async def _note(self, incident: Incident, what: Done, who: str, cause: str | None, changed: int) -> None:
        row = AuditRow(
            at=self._gateway.now(),
            who=who,
            what=f"incident.{what}",
            subject=f"incident {incident.id} ({incident.guide} on {channel_key(incident.platform, incident.account)})",
            before=incident.status,
            after={"cause": cause, "anomalies": changed},
        )
        await self._store.append_audit(row)


def hops(messages: list[tuple[MessageRow, int | None]]) -> Hops:
    """Medians of the hops of these messages, each with the time (ms) at which it was logged; and the guilty hop."""
    if not messages:
        return Hops()
    platform = round(median(max(0, m.at - m.sent_at if m.delay is None else m.delay) for m, _ in messages))
    logged = [(m, wall) for m, wall in messages if wall is not None]
    gateway = round(median(max(0, wall - m.at) for m, wall in logged)) if logged else None
    waits = [max(0, m.stored_at - wall) for m, wall in logged if m.stored_at is not None]
    queue = round(median(waits)) if waits else None
    slowest = max((("platform", platform), ("queue", queue or 0)), key=lambda hop: hop[1])
    guilty = slowest[0] if slowest[1] >= GUILTY_LEAST_MS else None
    return Hops(platform_ms=platform, gateway_ms=gateway, queue_ms=queue, guilty=guilty)


def impact(incident: Incident, samples: list[Anomaly], others: list[Incident]) -> Impact:
    """How many messages an incident concerns; a silence or lost authorisation concerns what it hides."""
    delays = [a.evidence["delay_s"] for a in samples if isinstance(a.evidence.get("delay_s"), int | float)]
    hidden = sum(other.open for other in others if other.hidden_by == incident.id)
    return Impact(
        messages=hidden if incident.guide in ("channel_silent", "auth") else incident.count - incident.channel_level,
        max_delay_ms=round(max(delays) * 1000) if delays else None,
    )
