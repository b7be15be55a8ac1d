"""A partition's lane: its engine is loaded, then its runs are taken, one after the other.

Every assigned partition has its own, so that one that cannot be loaded, or waits for the database, holds up nobody
else. What waits in a lane is bounded: above LANE_BYTES nothing more is fetched for its partition.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from streams.partition import Partition
from streams.persister import Persister
from streams.runs import Run, size_of

LANE_BYTES = 4_000_000
LANE_RUNS = 16

Ack = Callable[[], object]
Take = Callable[[Run, Ack], Awaitable[None]]


class Lane:
    """`hold` is called with the partition when enough waits, `release` when there is room again."""

    def __init__(
        self,
        number: int,
        *,
        load: Callable[[int], Awaitable[Partition]],
        catch_up: Callable[[Partition, Take], Awaitable[None]],
        persister: Persister,
        hold: Callable[[int], None],
        release: Callable[[int], None],
    ) -> None:
        self.number = number
        self.partition: Partition | None = None
        self._load = load
        self._catch_up = catch_up
        self._persister = persister
        self._hold = hold
        self._release = release
        self._waiting: deque[tuple[Run, Ack, int]] = deque()
        self._bytes = 0
        self._held = False
        self._taking = False
        self._closing = False
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, spawn: Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        """Begin; `spawn` makes a task whose failure somebody hears of."""
        self._task = spawn(f"partition {self.number}", self._run())

    @property
    def waiting(self) -> int:
        """How many runs wait."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """How much waits."""
        return self._bytes

    def put(self, run: Run, ack: Ack) -> None:
        """Have a run taken after everything put before."""
        size = size_of(run)
        self._waiting.append((run, ack, size))
        self._bytes += size
        self._news.set()
        if not self._held and (self._bytes > LANE_BYTES or len(self._waiting) > LANE_RUNS):
            self._held = True
            self._hold(self.number)

    async def close(self) -> None:
        """Finish the run under way, drop those that wait (they are delivered again), and let nothing fire any more."""
        self._closing = True
        self._waiting.clear()
        self._bytes = 0
        if self._task is not None:
            if not self._taking:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.partition is not None:
            await self.partition.close()

    async def take(self, run: Run, ack: Ack) -> None:
        """Apply a run at once; `close` lets it finish."""
        if self.partition is None:
            raise RuntimeError(f"partition {self.number} is not loaded yet")
        await self._persister.room()
        self._taking = True
        try:
            self._persister.changed(await self.partition.take(run, ack))
        finally:
            self._taking = False

    async def _run(self) -> None:
        self.partition = await self._load(self.number)
        await self._catch_up(self.partition, self.take)
        self.partition.open()
        while not self._closing:
            if not self._waiting:
                self._news.clear()
                await self._news.wait()
            run, ack, size = self._waiting.popleft()
            self._bytes -= size
            if self._held and self._bytes * 2 <= LANE_BYTES and len(self._waiting) * 2 <= LANE_RUNS:
                self._held = False
                self._release(self.number)
            await self.take(run, ack)


__all__ = ["Ack", "Lane", "Take"]
