"""The pulse of engines that run in other processes, felt by their signs of life in the store.

A web process has no engine of its own. What waits is read from the log itself: that counts even when no worker is there
to tell of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from msgspec.structs import replace

from actors.keys import partition_of, split_key
from services.health.backlog import Reading
from services.health.fleet import Fleet
from services.health.heartbeats import Heartbeats
from services.health.pulsing import Pulsing
from services.health.signs import FORGOTTEN_AFTER_MS
from services.health.watchdog import Watchdog
from storage.ports import ProcessStore
from streams.ports import LogReader, PartitionPosition

log = structlog.get_logger(__name__)


class FleetPulse(Pulsing):
    """Beats for the engines, the persisters and the gateway; tells the watchdog what waits. Fits `Checks`."""

    def __init__(
        self,
        *,
        store: ProcessStore,
        reader: LogReader,
        horizon: Callable[[], int],
        heartbeats: Heartbeats,
        watchdog: Watchdog,
        clock: Callable[[], int],
        partitions: int,
        fleet: Fleet | None = None,
    ) -> None:
        super().__init__(horizon=horizon, heartbeats=heartbeats, watchdog=watchdog, clock=clock)
        self.fleet = fleet or Fleet(partitions)
        self._store = store
        self._reader = reader
        self._partitions = partitions
        self._said: set[str] = set()

    def checked_channels(self, bound: set[str]) -> set[str]:
        """Those whose partition a living process looks after, or did until a moment ago."""
        forsaken = self.fleet.forsaken()
        if not forsaken:
            return bound
        return {key for key in bound if self._partition(key) not in forsaken}

    def applied_unsaved(self) -> bool:
        """Whether everything accepted is applied and some of it only waits to be saved."""
        return self.fleet.applied_unsaved()

    async def look(self) -> None:
        """Look once."""
        now = self._clock()
        self.fleet.observe(await self._store.beats(now - FORGOTTEN_AFTER_MS), now)
        for part in ("engine", "persister"):
            age = self.fleet.youngest(part)
            if age is not None and self.fleet.served():
                self._heartbeats.beat(part, self._clock() - age)
        self._say_troubles()
        positions = await self._reader.positions()
        # A log that does not answer takes nothing in either: only now is the gateway known to live.
        self._heartbeats.beat("gateway", self._horizon())
        reading = self._backlog.observe(positions, await self._oldest(positions), self._clock())
        self._watchdog.tell_backlog(self._with_forsaken(reading))

    def _partition(self, channel: str) -> int:
        platform, account = split_key(channel)
        return partition_of(platform, account, self._partitions)

    def _with_forsaken(self, reading: Reading) -> Reading:
        """A partition that nobody looks after is stuck, whether or not anything waits in it: silence is no health."""
        forsaken = {partition: reading.at - age for partition, age in self.fleet.forsaken().items()}
        return replace(reading, stuck=forsaken | reading.stuck) if forsaken else reading

    async def _oldest(self, positions: list[PartitionPosition]) -> int | None:
        """When the oldest entry that is not saved was accepted (ms)."""
        served, waiting = self.fleet.served(), self.fleet.waiting_ms()
        oldest = [] if waiting is None else [self._clock() - waiting]
        for position in positions:
            if position.partition not in served and position.end > position.committed:
                async for record in self._reader.records(position.partition, position.committed):
                    oldest.append(record.wall)
                    break
        return min(oldest, default=None)

    def _say_troubles(self) -> None:
        """Log what other processes suffer from, once when it begins."""
        # The same trouble with other numbers in it is no news.
        troubles = {re.sub(r"\d+", "#", trouble): trouble for trouble in self.fleet.troubles()}
        for shape in sorted(troubles.keys() - self._said):
            log.warning("a process of this deployment is in trouble", trouble=troubles[shape])
        self._said = set(troubles)


__all__ = ["FleetPulse"]
