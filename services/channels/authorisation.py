"""Authorisations of bound channels: renewed in time, looked after at the platform, told of while they can be mended.

Of a deployment's processes one at a time looks after a channel. Only an answer that says so makes an authorisation
lost: a platform that cannot be reached, or fails, changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol

import structlog
from msgspec.structs import replace

from actors.errors import PermanentError, RetriableError
from actors.events import Auth
from actors.keys import channel_key
from connectors.contract.calling import DeniedError, RefusedError, without
from connectors.contract.connector import Connector
from connectors.contract.history import Probe
from services.arrivals.arrivals import Arrivals
from services.channels.authorisation_rules import (
    LOST,
    Memory,
    Seen,
    announced,
    backoff,
    can_renew,
    is_due,
    must_probe,
    must_renew,
    says_ok,
    told,
)
from services.channels.binding_checks import secrets_of
from services.channels.bindings import Bindings
from services.channels.oauth_runs import Apis
from services.channels.secrets import SecretsError
from services.channels.standing import Standing, keep, standing_of
from services.channels.turns import in_turn
from services.errors import ConflictError, NotFoundError
from services.masking import mask_text
from storage.channel_ports import SweepStore
from storage.ports import BindingStore
from storage.records import BoundChannel, ChannelRow
from streams.coordination.locks import Locks

FRUITLESS_MS = 3_600_000
"""A platform that renews nothing is asked again after this."""
ASK_S = 60.0
STOP_S = 10.0
TICK_S = 5.0
AT_ONCE = 32
WHO = "weir"
UNSET = "setting_missing"
"""The code of `connectors.contract.calling.needed`: nobody gave what asking needs."""
_log = structlog.get_logger(__name__)


class Looked(SweepStore, BindingStore, Protocol):
    """The parts of a store used here."""

    async def channels(self) -> list[ChannelRow]:
        """Every channel that was told of."""
        ...


class Authorisation:
    """Looks after the authorisations of one deployment; any number of processes may run one."""

    def __init__(
        self,
        *,
        store: Looked,
        bindings: Bindings,
        apis: Apis,
        arrivals: Arrivals,
        locks: Locks,
        now: Callable[[], int],
    ) -> None:
        """`now`: the time in ms."""
        self._store = store
        self._bindings = bindings
        self._apis = apis
        self._arrivals = arrivals
        self._locks = locks
        self._now = now
        self._memories: dict[str, Memory] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._renewals: set[asyncio.Task[bool]] = set()
        self.observe: Callable[[str], None] | None = None
        """Told of each `renewed`, `not_renewed`, `probed`, `denied` and `unreachable`, for metrics."""

    async def run(self) -> None:
        """For ever; what fails for a moment is tried again."""
        try:
            while True:
                try:
                    await self.begin(self._now())
                except RetriableError as busy:
                    _log.warning("authorisations are looked after later", reason=str(busy))
                await asyncio.sleep(TICK_S)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End what is under way; a renewal may end by itself, for what it brings would be lost."""
        for task in self._running.values():
            task.cancel()
        if self._running:
            await asyncio.wait(list(self._running.values()))
        if self._renewals:
            _, hanging = await asyncio.wait(self._renewals, timeout=STOP_S)
            for task in hanging:
                task.cancel()

    async def step(self, now: int) -> None:
        """One round: every channel that is due at `now` (ms) was looked after when it returns."""
        await self.begin(now)
        if self._running:
            await asyncio.wait(list(self._running.values()))

    async def begin(self, now: int) -> None:
        """Begin to look after every channel that is due, apart from those that are being looked after."""
        rows = await self._store.bindings()
        standings = {(row.platform, row.account): standing_of(row) for row in await self._store.sweeps()}
        known = {row.key: row for row in await self._store.channels()}
        names = {channel_key(row.platform, row.account): row for row in rows}
        self._memories = {name: memory for name, memory in self._memories.items() if name in names}
        for name, row in names.items():
            connector = None if name in self._running else await self._connector(row)
            if connector is None or len(self._running) >= AT_ONCE:
                continue
            memory = self._memories.setdefault(name, Memory())
            standing = standings.get((row.platform, row.account), Standing())
            if is_due(Seen(row, connector, standing, known.get(name), now, memory)):
                work = self._one(name, known.get(name), now, memory, row)
                task = asyncio.create_task(work, name=f"authorisation {name}")
                self._running[name] = task
                task.add_done_callback(lambda _, name=name: self._running.pop(name, None))

    async def _connector(self, row: BoundChannel) -> Connector | None:
        try:
            return await self._bindings.connector(row.platform, row.account)
        except SecretsError:
            return None  # the channel's list says so, with what to do

    async def _one(self, name: str, known: ChannelRow | None, now: int, memory: Memory, row: BoundChannel) -> None:
        """Whatever goes wrong with one channel stays with it."""

        async def look() -> None:
            # Who had the turn before may have renewed what is good for once.
            current = await self._bindings.current(row.platform, row.account)
            if current is not None:
                standing = standing_of(await self._store.sweep(row.platform, row.account))
                await self._look(Seen(*current, standing, known, now, memory))

        try:
            await in_turn(self._locks, f"authorisation {name}", look)
        except (RetriableError, SecretsError) as busy:
            _log.warning("a channel is looked after later", channel=name, reason=mask_text(str(busy)))
        except Exception:  # noqa: BLE001 # a connector's own fault must not keep the others from being looked after
            memory.failures += 1
            memory.quiet_until = now + backoff(memory)
            _log.exception("a channel could not be looked after", channel=name)

    async def _look(self, seen: Seen) -> None:
        if must_renew(seen):
            if await self._renew(seen):
                return  # the next round sees the binding as it is then
        elif must_probe(seen):
            await self._probe(seen)
            return
        ends = announced(seen)
        if ends is not None:
            await self._tell(seen, "expiring", ends)

    async def _renew(self, seen: Seen) -> bool:
        """Renew the authorisation; whether that changed anything. What was begun is not broken off."""
        task = asyncio.create_task(self._renewed(seen), name=f"renewal {_name(seen)}")
        self._renewals.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._renewals.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; nobody may be waiting any more

    async def _renewed(self, seen: Seen) -> bool:
        memory = seen.memory
        if memory.granted is None and not await self._asked_anew(seen):
            return False
        if memory.granted is None:
            return False
        # The platform may take a token of before no more: what it granted is kept here until the store has it.
        try:
            bound = await self._bindings.granted(WHO, *memory.granted, "channel.renewed")
        except (ConflictError, NotFoundError) as wrong:
            memory.granted = None
            _log.info("a renewal has come too late", channel=_name(seen), reason=str(wrong))
            return True
        memory.granted, memory.failures, memory.renews, memory.denied_at = None, 0, True, None
        self._count("renewed")
        if seen.standing.unrenewed is not None:
            await self._keep(seen, replace(seen.standing, unrenewed=None))
        await self._tell(seen, "ok", bound.expires_at)
        return True

    async def _asked_anew(self, seen: Seen) -> bool:
        """Whether the platform grants anything now."""
        memory = seen.memory
        try:
            async with asyncio.timeout(ASK_S):
                grant = await seen.connector.renew(self._apis.of(seen.connector))
        except DeniedError as wrong:
            memory.denied_at, reason = seen.bound.changed_at, str(wrong)
            await self._denied(seen, revoked=wrong.revoked)
        except (RetriableError, PermanentError, TimeoutError) as wrong:
            reason = str(wrong) or f"the platform did not answer within {ASK_S:g} s"
        except Exception as fault:  # noqa: BLE001 # whatever a connector raises, the channel is looked at all the same
            reason = self._fault(seen, fault)
        else:
            memory.renews = grant is not None
            if grant is None:
                memory.renew_after = seen.now + FRUITLESS_MS
            else:
                memory.granted = (seen.connector, grant)
            return memory.renews
        memory.failures += 1
        memory.renew_after = seen.now + backoff(memory)
        self._count("not_renewed")
        reason = _plain(seen, reason)
        _log.warning("an authorisation could not be renewed", channel=_name(seen), reason=reason)
        await self._keep(seen, replace(seen.standing, unrenewed=reason))
        return False

    async def _probe(self, seen: Seen) -> None:
        """Ask the platform how the channel stands, keep it, and tell what changed."""
        try:
            async with asyncio.timeout(ASK_S):
                probe = await seen.connector.probe(self._apis.of(seen.connector))
        except DeniedError as wrong:
            if can_renew(seen) and await self._renew(seen):
                return  # what ran out unforeseen
            await self._keep(seen, _refused(seen, wrong))
            await self._denied(seen, revoked=wrong.revoked)
            return
        except (RetriableError, PermanentError, TimeoutError) as wrong:
            if isinstance(wrong, RefusedError) and wrong.code == UNSET:
                await self._keep(seen, Standing(asked_at=seen.now, detail=_plain(seen, str(wrong))))
                return  # bound to receive alone: nothing is wrong
            self._count("unreachable")
            reason = str(wrong) or f"the platform did not answer within {ASK_S:g} s"
            await self._keep(seen, _troubled(seen, reason))
            return
        except Exception as fault:  # noqa: BLE001 # whatever a connector raises, the authorisation is renewed all the same
            await self._keep(seen, _troubled(seen, self._fault(seen, fault)))
            return
        self._count("probed")
        await self._keep(seen, _answered(seen, probe))
        if probe.auth in LOST:
            await self._denied(seen, revoked=probe.auth == "revoked")
        elif seen.memory.denied_at != seen.bound.changed_at:
            ends = _ahead(seen.bound.expires_at or probe.expires_at, seen.now)
            if says_ok(seen, ends):
                await self._tell(seen, "ok", ends)

    def _fault(self, seen: Seen, fault: Exception) -> str:
        _log.error("a connector has failed", channel=_name(seen), error=type(fault).__name__, exc_info=fault)
        return f"a fault of this version ({type(fault).__name__}); Weir's log says more"

    async def _denied(self, seen: Seen, *, revoked: bool) -> None:
        self._count("denied")
        said = told(seen)
        if said is None or said[0] not in LOST:
            await self._tell(seen, "revoked" if revoked else "expired", None)

    async def _tell(
        self, seen: Seen, status: Literal["ok", "expiring", "expired", "revoked"], expires_at: int | None
    ) -> None:
        auth = Auth(platform=seen.bound.platform, account=seen.bound.account, status=status, expires_at=expires_at)
        await self._arrivals.take(seen.connector, [auth])
        seen.memory.told, seen.memory.told_at = (status, expires_at), seen.now

    async def _keep(self, seen: Seen, standing: Standing) -> None:
        await keep(self._store, seen.bound.platform, seen.bound.account, standing)

    def _count(self, what: str) -> None:
        if self.observe is not None:
            self.observe(what)


def _answered(seen: Seen, probe: Probe) -> Standing:
    return Standing(
        asked_at=seen.now,
        answered_at=seen.now,
        auth=probe.auth,
        expires_at=probe.expires_at,
        subscription=probe.subscription,
        lacking=list(probe.lacking),
        detail=_plain(seen, probe.detail),
        unrenewed=seen.standing.unrenewed,
    )


def _refused(seen: Seen, wrong: DeniedError) -> Standing:
    lost = "revoked" if wrong.revoked else "expired"
    return replace(_troubled(seen, str(wrong)), answered_at=seen.now, auth=lost)


def _troubled(seen: Seen, reason: str) -> Standing:
    since = seen.now if seen.standing.since is None else seen.standing.since
    return replace(seen.standing, asked_at=seen.now, trouble=_plain(seen, reason), since=since)


def _plain(seen: Seen, told: str) -> str:
    """What a platform told, without the channel's secrets and personal data."""
    return mask_text(without(secrets_of(seen.connector), told))


def _ahead(ends: int | None, now: int) -> int | None:
    """An end that is still to come."""
    return ends if ends is not None and ends > now else None


def _name(seen: Seen) -> str:
    return channel_key(seen.bound.platform, seen.bound.account)


__all__ = ["Authorisation", "Looked"]
