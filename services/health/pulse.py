"""Feels the pulse of the runtime and the gateway once a second, independently of the database.

A part beats when it has nothing to do or when it got further since the last look; one that has work and does not move
on stops beating, and the watchdog draws the conclusions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from actors.keys import channel_key
from services.health.heartbeats import Heartbeats
from services.health.pulsing import Pulsing
from services.health.watchdog import Watchdog
from streams.engine import Engine
from streams.ports import LogReader


class Health(Protocol):
    """How the runtime is; `streams.app.Health` fits."""

    @property
    def running(self) -> bool:
        """Whether it takes records."""
        ...

    @property
    def ready(self) -> bool:
        """Whether every engine is loaded."""
        ...

    @property
    def lag(self) -> dict[int, int]:
        """Records that wait to be applied, by partition."""
        ...

    @property
    def unsaved(self) -> int:
        """Entries applied and not saved."""
        ...

    @property
    def processed(self) -> int:
        """Entries saved since the start."""
        ...


class Runtime(Protocol):
    """The runtime as it is looked at; `streams.app.Runtime` fits."""

    @property
    def engines(self) -> dict[int, Engine]:
        """The engines by partition."""
        ...

    def health(self) -> Health:
        """How it goes."""
        ...

    async def oldest_unprocessed(self) -> int | None:
        """When the oldest entry that is not saved was accepted (ms)."""
        ...


class Pulse(Pulsing):
    """Beats for engine, persister and gateway; tells the watchdog what waits. Fits `services.health.monitor.Checks`.

    Without a `reader` it looks at this process's engines only: what waits for others is not its business.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        reader: LogReader | None,
        horizon: Callable[[], int],
        heartbeats: Heartbeats,
        watchdog: Watchdog,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(horizon=horizon, heartbeats=heartbeats, watchdog=watchdog, clock=clock)
        self._runtime = runtime
        self._reader = reader
        self._applied = -1
        self._saved = -1
        self._oldest: int | None = None

    def checked_channels(self, bound: set[str]) -> set[str]:
        """Those that an engine of this process looks after; whether it lives, its heartbeat tells."""
        return bound & {channel_key(*names) for engine in self._runtime.engines.values() for names in engine.channels}

    def applied_unsaved(self) -> bool:
        """Whether everything accepted is applied and some of it only waits to be saved."""
        health = self._runtime.health()
        return bool(health.unsaved) and not any(health.lag.values())

    async def look(self) -> None:
        """Look once."""
        self._beat()
        now = self._clock()
        self._oldest = await self._runtime.oldest_unprocessed()
        if self._reader is not None:
            positions = await self._reader.positions()
            self._watchdog.tell_backlog(self._backlog.observe(positions, self._oldest, now))

    def waiting_ms(self) -> int | None:
        """The age of the oldest entry that was not saved when this was last looked at (ms); None when all were."""
        return None if self._oldest is None else max(0, self._clock() - self._oldest)

    def _beat(self) -> None:
        health = self._runtime.health()
        applied = sum(engine.applied for engine in self._runtime.engines.values())
        if health.running and health.ready and (not any(health.lag.values()) or applied != self._applied):
            self._heartbeats.beat("engine")
        if health.running and (not health.unsaved or health.processed != self._saved):
            self._heartbeats.beat("persister")
        if "gateway" in self._heartbeats.limits_ms:
            self._heartbeats.beat("gateway", self._horizon())
        self._applied, self._saved = applied, health.processed
