"""`weir worker`: the engines of its share of the partitions, and nothing else. Any number of them may run.

It says every second how it is, follows the thresholds that people change on the web, and stops in order: what is
applied is saved and committed, then the partitions are handed over.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp

from services.health.heartbeats import Heartbeats, limits_of
from services.health.pulse import Pulse
from services.health.signs import Report, SignOfLife
from services.health.watchdog import Watchdog
from services.labels.book import LabelsInForce
from services.people.accounts import Accounts
from services.tuning.following import Following
from services.tuning.thresholds import Thresholds
from streams.app import warmed_up
from weir import figures
from weir.parts.opened import Parts
from weir.roles.engines import duty_of, runtime_of, upkeep_of
from weir.roles.probes import probes
from weir.roles.tasks import Tasks
from weir.version import VERSION
from weir.vitals import Vitals, engine_reasons, watchdog_reasons


class Worker:
    """The engines of one process."""

    first_password: str | None = None

    def __init__(self, parts: Parts, role: str = "worker") -> None:
        self.config, self.store, self.gateway = parts.config, parts.store, parts.gateway
        now = self.gateway.now
        self.thresholds = Thresholds(self.store, now)
        self.labels = LabelsInForce(self.store, now)
        self.heartbeats = Heartbeats(now, limits_of("engine", "persister", "watchdog"))
        self.watchdog = Watchdog(self.heartbeats, now)
        self.runtime = runtime_of(parts, self.thresholds, self.labels)
        self.pulse = Pulse(
            runtime=self.runtime,
            reader=None,
            horizon=self.gateway.horizon,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=now,
        )
        self.readings = [
            figures.of_engines(self.runtime, now),
            figures.of_process(role, self.thresholds.current),
            figures.of_watchdog(self.watchdog),
            figures.of_live(parts.live),
        ]
        self.vitals = Vitals(
            reasons=[engine_reasons(self.runtime), watchdog_reasons(self.watchdog)], readings=self.readings
        )
        self.signs = SignOfLife(
            self.store, now, role=role, version=VERSION, report=self.report, partitions=self._partitions
        )
        self.upkeep = upkeep_of(parts, Accounts(self.store, now))
        self._following = Following(self.thresholds, parts.live.bus)
        self._following_labels = Following(self.labels, parts.live.bus, "labels")
        self._duty = duty_of(parts, self.upkeep)
        self._tasks = Tasks()

    def web(self) -> ASGIApp:
        """Health, readiness and figures."""
        return probes(self.vitals)

    def report(self) -> Report:
        """What the other processes are told."""
        health = self.runtime.health()
        return Report(
            ready=health.running and health.ready and self.vitals.accepting,
            ages=self.heartbeats.ages(),
            troubles=[*([health.trouble] if health.trouble else []), *self.watchdog.verdict.problems()],
            lag=health.lag,
            watermark=health.watermark,
            waiting_ms=self.pulse.waiting_ms(),
            unsaved=health.unsaved,
            processed=health.processed,
            thresholds=self.thresholds.current().version,
            loop_lag_ms=self.watchdog.verdict.loop_lag_ms,
        )

    async def start(self) -> None:
        """Join the others; returns when the engines of the partitions it was given are loaded."""
        self._tasks.run("signs of life", self.signs.run())
        await self.thresholds.load()
        await self.labels.load()
        self.watchdog.start(asyncio.get_running_loop())
        await self.runtime.start()
        await self.runtime.wait_ready()
        await self.pulse.start()
        self._tasks.run("thresholds", self._following.run())
        self._tasks.run("labels", self._following_labels.run())
        self._tasks.run("upkeep", self._duty.run())
        self.vitals.accepting = True
        warmed_up()

    async def stop(self) -> None:
        """Save and commit what was applied, hand the partitions over, and say good-bye."""
        self.vitals.accepting = False
        await self.pulse.stop()
        await self._tasks.stop()
        await self.runtime.stop(self.config.shutdown_s)
        await self.gateway.close()
        await self.signs.last_word()
        self.watchdog.stop()

    def _partitions(self) -> list[int]:
        return sorted(self.runtime.engines)
