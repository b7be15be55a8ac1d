"""Anomalies for people: lists, and what operators do about one.

Acknowledging and resolving are `action` events in the log, so they are ordered with everything else and replayed;
the answer is the anomaly as it will be once the engine has read them.
"""

from typing import Protocol

from msgspec.structs import replace

from actors.anomaly import Anomaly, resolved
from actors.keys import channel_key
from services.deeds import FALSE_ALARM, Done, action_on, check_cause
from services.errors import ConflictError, NotFoundError
from storage.ports import AccountStore, HealthStore
from storage.records import AnomalyFilter, AuditRow, Page
from streams.ports import Gateway


class Resyncer(Protocol):
    """A connector's offer to fetch a channel's messages again."""

    def serves(self, platform: str, account: str) -> bool:
        """Whether it can re-sync that channel."""
        ...

    async def resync(self, anomaly: Anomaly) -> None:
        """Start fetching again what the anomaly misses; returns once that is under way."""
        ...


class AnomalyStore(HealthStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Anomalies:
    """Reads anomalies and carries out operators' actions; every action leaves an audit row."""

    def __init__(self, store: AnomalyStore, gateway: Gateway, resyncers: tuple[Resyncer, ...] = ()) -> None:
        self._store = store
        self._gateway = gateway
        self._resyncers = resyncers

    async def page(self, where: AnomalyFilter, limit: int, cursor: str | None = None) -> Page[Anomaly]:
        """One page, newest first; raises RejectedError for a bad cursor."""
        return await self._store.anomalies(where, limit, cursor)

    async def one(self, anomaly_id: str) -> Anomaly:
        """One anomaly; raises NotFoundError."""
        found = await self._store.anomaly(anomaly_id)
        if found is None:
            raise NotFoundError(f"there is no anomaly {anomaly_id[:64]!r}")
        return found

    async def acknowledge(self, anomaly_id: str, *, who: str) -> Anomaly:
        """Somebody looks after it. Raises NotFoundError, ConflictError when it is resolved already."""
        return await self._act(await self.one(anomaly_id), "acknowledged", who, None)

    async def resolve(self, anomaly_id: str, *, who: str, cause: str | None = None) -> Anomaly:
        """Done with, by hand, with its cause. Raises NotFoundError, ConflictError, RejectedError."""
        check_cause(cause)
        return await self._act(await self.one(anomaly_id), "resolved", who, cause)

    async def false_alarm(self, anomaly_id: str, *, who: str) -> Anomaly:
        """Resolve it as no trouble at all; a hint to tune its threshold. Raises like `resolve`."""
        return await self.resolve(anomaly_id, who=who, cause=FALSE_ALARM)

    async def resync(self, anomaly_id: str, *, who: str) -> Anomaly:
        """Ask the channel's connector to fetch again. Raises NotFoundError, ConflictError when none can."""
        anomaly = await self.one(anomaly_id)
        channel = channel_key(anomaly.platform, anomaly.account)
        for resyncer in self._resyncers:
            if resyncer.serves(anomaly.platform, anomaly.account):
                await resyncer.resync(anomaly)
                await self._note(who, "anomaly.resync", anomaly, "started")
                return anomaly
        await self._note(who, "anomaly.resync", anomaly, "no connector")
        raise ConflictError(f"no connector of the channel {channel} can re-sync; send what is missing with via=resync")

    async def _act(self, anomaly: Anomaly, what: Done, who: str, cause: str | None) -> Anomaly:
        if anomaly.status == "resolved":
            raise ConflictError(f"the anomaly is resolved already ({anomaly.resolution}); nothing is left to do")
        if anomaly.status == what:
            return anomaly
        now = self._gateway.now()
        await self._gateway.submit([action_on(anomaly, what, who=who, cause=cause, at=now)])
        await self._note(who, f"anomaly.{what}", anomaly, cause)
        if what == "resolved":
            done = resolved(anomaly, max(now, anomaly.opened_at), "manual")
            return replace(done, cause=cause, acknowledged_by=who)
        return replace(anomaly, status=what, acknowledged_by=who, acknowledged_at=now)

    async def _note(self, who: str, what: str, anomaly: Anomaly, after: str | None) -> None:
        row = AuditRow(
            at=self._gateway.now(),
            who=who,
            what=what,
            subject=f"anomaly {anomaly.id}",
            before=anomaly.status,
            after=after,
        )
        await self._store.append_audit(row)
