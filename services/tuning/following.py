"""Thresholds that another process brings into force hold here within a second.

The bus tells at once; the store is asked twice a second, so that nothing depends on the bus.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from actors.errors import RetriableError
from services.tuning.thresholds import Thresholds
from streams.bus import Bus, Subscription

log = structlog.get_logger(__name__)

TOPIC = "thresholds"
PERIOD_S = 0.5


class Following:
    """Keeps one `Thresholds` in step with those of the other processes; tells them of changes made here."""

    def __init__(self, thresholds: Thresholds, bus: Bus) -> None:
        self._thresholds = thresholds
        self._bus = bus
        self._told = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        thresholds.on_made(self._made)

    async def run(self) -> None:
        """For ever."""
        ears = self._bus.subscribe(TOPIC)
        listening = asyncio.create_task(self._listen(ears), name="thresholds-ear")
        trouble = False
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), PERIOD_S)
                self._told.clear()
                try:
                    await self._thresholds.refresh()
                    trouble = False
                except RetriableError as wrong:
                    if not trouble:
                        log.warning("thresholds cannot be read anew; those known hold on", reason=str(wrong))
                    trouble = True
        finally:
            ears.close()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, ears: Subscription) -> None:
        async for _ in ears:
            self._told.set()

    def _made(self, version: int) -> None:
        task = asyncio.create_task(self._publish(version), name="thresholds-told")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _publish(self, version: int) -> None:
        try:
            await self._bus.publish(TOPIC, {"version": version})
        except RetriableError as wrong:
            log.info("other processes read the new thresholds from the store", reason=str(wrong))
