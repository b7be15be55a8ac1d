"""`weir serve` with parts of its own: one process is the whole product.

Start: thresholds, engines, monitor, then the web. Stop is the other way round: no new requests, what is accepted
becomes durable, what is applied is saved, then everything is closed.
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI

from services.health.heartbeats import Heartbeats
from services.health.pulse import Pulse
from services.health.signs import process_name
from services.health.watchdog import Watchdog
from services.labels.book import LabelsInForce
from services.tuning.thresholds import Thresholds
from weir import figures
from weir.parts.opened import Parts
from weir.roles.channels import Channels
from weir.roles.engines import duty_of, runtime_of, upkeep_of
from weir.roles.front import Front, front_vitals
from weir.roles.tasks import Tasks
from weir.vitals import Vitals, engine_reasons, watchdog_reasons

VERDICT_FILE = "watchdog.json"


class Alone:
    """Everything, in one process."""

    def __init__(self, parts: Parts) -> None:
        self.config, self.store, self.log, self.gateway = parts.config, parts.store, parts.log, parts.gateway
        self.bus, self.presence = parts.live.bus, parts.live.presence
        now = self.gateway.now
        self.thresholds = Thresholds(self.store, now)
        self.labels = LabelsInForce(self.store, now)
        self.heartbeats = Heartbeats(now)
        verdict = self.config.data / VERDICT_FILE if self.config.keeps_files else None
        self.watchdog = Watchdog(self.heartbeats, now, verdict)
        self.runtime = runtime_of(parts, self.thresholds, self.labels)
        self.pulse = Pulse(
            runtime=self.runtime,
            reader=self.gateway,
            horizon=self.gateway.horizon,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=now,
        )
        self.vitals = self._vitals(parts)
        self.channels = Channels(parts, who=process_name("serve"))
        self._front = Front(
            parts,
            thresholds=self.thresholds,
            labels=self.labels,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            checks=self.pulse,
            vitals=self.vitals,
            channels=self.channels,
            runtime=self.runtime,
        )
        self.services, self.monitor = self._front.services, self._front.monitor
        self.accounts, self.tokens = self.services.accounts, self.services.tokens
        self.upkeep = upkeep_of(parts, self.accounts)
        self._duty = duty_of(parts, self.upkeep)
        self._tasks = Tasks()
        self.first_password: str | None = None
        """The password of the first admin, when this was the very first start; to be shown once."""

    def web(self) -> FastAPI:
        """The HTTP side with the screens; call it once."""
        return self._front.web()

    async def start(self) -> None:
        """Begin to process; returns when every engine is loaded."""
        await self.thresholds.load()
        await self.labels.load()
        self.first_password = await self.accounts.ensure_admin()
        self.watchdog.start(asyncio.get_running_loop())
        await self.runtime.start()
        await self.runtime.wait_ready()
        await self.pulse.start()
        await self.monitor.start()
        self._tasks.run("upkeep", self._duty.run())
        self._tasks.run("alerts", self._front.alerting.run())
        self._tasks.run("inbox", self.services.desk_duty.run())
        self._front.inboxes.start(self._tasks)
        self.channels.start(self._tasks)
        self.vitals.accepting = True

    async def stop(self) -> None:
        """Make durable what was accepted, save what was applied, and stop; the deadline is the server's."""
        self.vitals.accepting = False
        await self._tasks.stop()
        await self.channels.close()
        await self.gateway.close()
        await self.monitor.stop()
        await self.pulse.stop()
        await self.runtime.stop(self.config.shutdown_s)
        self.watchdog.stop()

    def _vitals(self, parts: Parts) -> Vitals:
        readings = [figures.of_engines(self.runtime, self.gateway.now)]
        if self.config.keeps_files:
            readings.append(figures.of_disk(self.config.data))
        return front_vitals(
            parts,
            "serve",
            thresholds=self.thresholds,
            watchdog=self.watchdog,
            reasons=[engine_reasons(self.runtime), watchdog_reasons(self.watchdog)],
            readings=readings,
        )
