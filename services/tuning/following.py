"""What another process brings into force (thresholds, labels) holds here within a second.

The bus tells at once; the store is asked twice a second, so that nothing depends on the bus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from actors.errors import RetriableError
from streams.bus import Bus, Subscription

log = structlog.get_logger(__name__)

TOPIC = "thresholds"
PERIOD_S = 0.5


class Followed(Protocol):
    """What has versions, such as `Thresholds`."""

    async def refresh(self) -> bool:
        """Read what another process may have brought into force; True when it did."""
        ...

    def on_made(self, told: Callable[[int], None]) -> None:
        """Call `told(version)` with every version that is brought into force through this object."""
        ...


class Following:
    """Keeps one `Thresholds`, or what else is `followed`, in step with those of the other processes, both ways."""

    def __init__(self, followed: Followed, bus: Bus, topic: str = TOPIC) -> None:
        self._followed = followed
        self._bus = bus
        self._topic = topic
        self._told = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        followed.on_made(self._made)

    async def run(self) -> None:
        """For ever."""
        ears = self._bus.subscribe(self._topic)
        listening = asyncio.create_task(self._listen(ears), name=f"{self._topic}-ear")
        trouble = False
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), PERIOD_S)
                self._told.clear()
                try:
                    await self._followed.refresh()
                    trouble = False
                except RetriableError as wrong:
                    if not trouble:
                        log.warning(
                            "what is in force cannot be read anew and holds on", of=self._topic, reason=str(wrong)
                        )
                    trouble = True
        finally:
            ears.close()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, ears: Subscription) -> None:
        async for _ in ears:
            self._told.set()

    def _made(self, version: int) -> None:
        task = asyncio.create_task(self._publish(version), name=f"{self._topic}-told")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _publish(self, version: int) -> None:
        try:
            await self._bus.publish(self._topic, {"version": version})
        except RetriableError as wrong:
            log.info("other processes read the new version from the store", of=self._topic, reason=str(wrong))
