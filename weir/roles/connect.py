"""`weir connect`: the way in, and all that is done at platforms, without screens.

Any number of them may run, apart from the screens, so that people at work and a burst of traffic do not wait for each
other. They take events and webhooks in and make them durable in the log; they send replies, fetch what webhooks only
point to, and compare histories, for one account in one process at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from fastapi import FastAPI

from actors.errors import RetriableError
from api.routes import events, health, webhooks
from services.health.heartbeats import Heartbeats, limits_of
from services.health.signs import Report, SignOfLife
from services.health.watchdog import Watchdog
from services.labels.book import LabelsInForce
from services.tuning.thresholds import Thresholds
from streams.ports import LogReader
from weir import figures
from weir.parts.opened import Parts
from weir.roles.channels import Channels
from weir.roles.front import api_of, base_services
from weir.roles.tasks import Tasks
from weir.version import VERSION
from weir.vitals import Vitals, watchdog_reasons

ROUTES = (events.router, webhooks.router, health.router)
PERIOD_S = 1.0
_log = structlog.get_logger(__name__)


class Connect:
    """The way in."""

    first_password: str | None = None

    def __init__(self, parts: Parts) -> None:
        self.config, self.store, self.gateway = parts.config, parts.store, parts.gateway
        now = self.gateway.now
        self.heartbeats = Heartbeats(now, limits_of("gateway", "watchdog"))
        self.watchdog = Watchdog(self.heartbeats, now)
        self.vitals = Vitals(
            reasons=[watchdog_reasons(self.watchdog)],
            readings=[
                figures.of_process("connect"),
                figures.of_gateway(self.gateway),
                figures.of_watchdog(self.watchdog),
            ],
        )
        self.signs = SignOfLife(self.store, now, role="connect", version=VERSION, report=self.report)
        self.channels = Channels(parts, who=self.signs.process)
        self.services = base_services(
            parts, Thresholds(self.store, now), LabelsInForce(self.store, now), self.vitals, self.channels
        )
        self._tasks = Tasks()

    def web(self) -> FastAPI:
        """The way in, health, readiness and figures."""
        return api_of(self.services, self.config, ROUTES)

    def report(self) -> Report:
        """What the other processes are told."""
        return Report(
            ready=not self.vitals.unready(),
            ages=self.heartbeats.ages(),
            troubles=self.vitals.unready(),
            loop_lag_ms=self.watchdog.verdict.loop_lag_ms,
        )

    async def start(self) -> None:
        """Begin to take events in."""
        self.watchdog.start(asyncio.get_running_loop())
        self._tasks.run("pulse", feel_gateway(self.gateway, self.gateway.horizon, self.heartbeats))
        self._tasks.run("signs of life", self.signs.run())
        self.channels.start(self._tasks)
        self.vitals.accepting = True

    async def stop(self) -> None:
        """Make durable what was accepted, and say good-bye."""
        self.vitals.accepting = False
        await self._tasks.stop()
        await self.channels.close()
        await self.gateway.close()
        await self.signs.last_word()
        self.watchdog.stop()


async def feel_gateway(reader: LogReader, horizon: Callable[[], int], heartbeats: Heartbeats) -> None:
    """For ever: the gateway lives while the log answers and nothing waits in it for long."""
    while True:
        try:
            await reader.positions()
            heartbeats.beat("gateway", horizon())
        except RetriableError as wrong:
            _log.warning("pulse_not_felt", reason=str(wrong))
        await asyncio.sleep(PERIOD_S)
