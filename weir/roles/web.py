"""`weir web`: the API and the screens, without an engine. Any number of them may run.

What it knows of the engines it knows by their signs of life in the store and by the log itself: when all workers stop,
its monitor says so, and what is accepted meanwhile waits in the log.
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from services.health.fleet_pulse import FleetPulse
from services.health.heartbeats import Heartbeats
from services.health.signs import Report, SignOfLife, process_name
from services.health.watchdog import Watchdog
from services.labels.book import LabelsInForce
from services.people.farewells import Farewells
from services.tuning.following import Following
from services.tuning.thresholds import Thresholds
from weir import figures
from weir.parts.opened import Parts
from weir.roles.channels import Channels
from weir.roles.first_admin import first_admin
from weir.roles.front import Front, front_vitals
from weir.roles.tasks import Tasks
from weir.version import VERSION
from weir.vitals import watchdog_reasons

WORKERS_PARTS = ("engine", "persister")


class Web:
    """The API and the screens. As a part of another role it leaves the signs of life to that.

    Then there may be no `weir connect`, and it looks after the bound channels too.
    """

    def __init__(self, parts: Parts, role: str = "web") -> None:
        self.config, self.store, self.gateway = parts.config, parts.store, parts.gateway
        self._parts = parts
        now = self.gateway.now
        self.thresholds = Thresholds(self.store, now)
        self.labels = LabelsInForce(self.store, now)
        self.heartbeats = Heartbeats(now)
        self.watchdog = Watchdog(self.heartbeats, now)
        self.pulse = FleetPulse(
            store=self.store,
            reader=self.gateway,
            horizon=self.gateway.horizon,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=now,
            partitions=self.config.partitions,
        )
        self.vitals = front_vitals(
            parts,
            role,
            thresholds=self.thresholds,
            watchdog=self.watchdog,
            reasons=[watchdog_reasons(self.watchdog, apart_from=WORKERS_PARTS)],
            readings=[figures.of_fleet(self.pulse.fleet)],
        )
        self.channels = Channels(parts, who=process_name(role))
        self._front = Front(
            parts,
            thresholds=self.thresholds,
            labels=self.labels,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            checks=self.pulse,
            vitals=self.vitals,
            channels=self.channels,
        )
        self.services, self.monitor = self._front.services, self._front.monitor
        self.accounts, self.tokens = self.services.accounts, self.services.tokens
        self.signs = SignOfLife(self.store, now, role=role, version=VERSION, report=self.report)
        self._signs_too = role == "web"
        self._following = Following(self.thresholds, parts.live.bus)
        self._following_labels = Following(self.labels, parts.live.bus, "labels")
        self._farewells = Farewells(self.accounts, parts.live.bus)
        self._tasks = Tasks()
        self.first_password: str | None = None
        """The password of the first admin, when this was the very first start; to be shown once."""

    def web(self) -> FastAPI:
        """The HTTP side with the screens; call it once."""
        return self._front.web()

    def report(self) -> Report:
        """What the other processes are told."""
        return Report(
            ready=not self.vitals.unready(),
            ages=own_ages(self.heartbeats),
            troubles=self.vitals.unready(),
            thresholds=self.thresholds.current().version,
            loop_lag_ms=self.watchdog.verdict.loop_lag_ms,
        )

    async def start(self) -> None:
        """Begin to answer; workers need not be there."""
        await self.thresholds.load()
        await self.labels.load()
        self.first_password = await first_admin(self.accounts, self._parts.live.locks)
        self.watchdog.start(asyncio.get_running_loop())
        await self.pulse.start()
        await self.monitor.start()
        self._tasks.run("thresholds", self._following.run())
        self._tasks.run("labels", self._following_labels.run())
        self._tasks.run("farewells", self._farewells.run())
        self._tasks.run("alerts", self._front.alerting.run())
        self._tasks.run("inbox", self.services.desk_duty.run())
        self._front.inboxes.start(self._tasks)
        self.vitals.accepting = True
        if self._signs_too:
            self._tasks.run("signs of life", self.signs.run())
        else:
            self.channels.start(self._tasks)

    async def stop(self) -> None:
        """Make durable what was accepted, and say good-bye."""
        self.vitals.accepting = False
        await self.monitor.stop()
        await self.pulse.stop()
        await self._tasks.stop()
        await self.channels.close()
        await self.gateway.close()
        if self._signs_too:
            await self.signs.last_word()
        self.watchdog.stop()


def own_ages(heartbeats: Heartbeats) -> dict[str, int]:
    """By part of this process, for how long (ms) it has given no sign of life."""
    return {part: age for part, age in heartbeats.ages().items() if part not in WORKERS_PARTS}
