"""What every pulse has, wherever the engines run: what it tells, and a look every second."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

import structlog

from actors.errors import RetriableError
from services.health.backlog import Backlog
from services.health.heartbeats import Heartbeats
from services.health.watchdog import Watchdog

log = structlog.get_logger(__name__)
PERIOD_S = 1.0


class Pulsing(ABC):
    """Looks every second from `start` to `stop`, whatever goes wrong with a single look."""

    def __init__(
        self, *, horizon: Callable[[], int], heartbeats: Heartbeats, watchdog: Watchdog, clock: Callable[[], int]
    ) -> None:
        self._horizon = horizon
        self._heartbeats = heartbeats
        self._watchdog = watchdog
        self._clock = clock
        self._backlog = Backlog()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def look(self) -> None:
        """Look once."""

    async def start(self) -> None:
        """Look every second until `stop`."""
        self._task = asyncio.create_task(self._run(), name="pulse")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except RetriableError as wrong:
                log.warning("pulse_not_felt", reason=str(wrong))
            except Exception:
                # Without a look nothing beats, and the watchdog says so; the reason belongs in the log.
                log.exception("pulse_look_failed")
            await asyncio.sleep(PERIOD_S)


__all__ = ["Pulsing"]
