"""Anomalies for people: lists, and what operators do about one.

Acknowledging and resolving are `action` events in the log, so they are ordered with everything else and replayed;
the answer is the anomaly as it will be once the engine has read them.
"""

from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.anomaly import Anomaly, resolved
from actors.keys import channel_key
from services.deeds import FALSE_ALARM, Done, action_on, check_cause
from services.errors import ConflictError, NotFoundError
from services.sweeps.resyncs import Resynced
from storage.ports import AccountStore, HealthStore
from storage.records import AnomalyFilter, AuditRow, Page
from streams.ports import Gateway


class Resyncer(Protocol):
    """A connector's offer to fetch a channel's messages again."""

    async def serves(self, platform: str, account: str) -> bool:
        """Whether it can re-sync that channel."""
        ...

    async def resync(self, anomaly: Anomaly, *, who: str) -> Resynced:
        """Fetch again what the anomaly misses; returns when it is done, or under way for long. It notes who asked."""
        ...

    async def state(self, job_id: str) -> Resynced | None:
        """How the re-sync of that anomaly stands while it is under way or has failed."""
        ...


class Fetched(Struct, frozen=True, kw_only=True):
    """An anomaly, and how its re-sync stands."""

    anomaly: Anomaly
    resync: Resynced


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

    async def resync(self, anomaly_id: str, *, who: str) -> Fetched:
        """Ask the channel's connector to fetch again; what comes of it closes the anomaly, not the asking.

        Raises NotFoundError, ConflictError when no connector can.
        """
        anomaly = await self.one(anomaly_id)
        channel = channel_key(anomaly.platform, anomaly.account)
        for resyncer in self._resyncers:
            if await resyncer.serves(anomaly.platform, anomaly.account):
                resynced = await resyncer.resync(anomaly, who=who)
                return Fetched(anomaly=await self.one(anomaly_id), resync=resynced)
        await self._note(who, "anomaly.resync", anomaly, "no connector")
        raise ConflictError(f"no connector of the channel {channel} can re-sync; send what is missing with via=resync")

    async def resync_state(self, anomaly_id: str) -> Resynced | None:
        """How a re-sync of the anomaly stands that is under way or has failed; None when there is none."""
        for resyncer in self._resyncers:
            state = await resyncer.state(anomaly_id)
            if state is not None:
                return state
        return None

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
