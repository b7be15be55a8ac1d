"""Saves what the engines changed, then acks: the state is safe before its offset is committed.

A double buffer: while one batch is being saved the engines go on filling the next. A flush starts at FLUSH_EVENTS, as
soon as nothing more came for IDLE_S, or when the flush before began long enough ago: GATHERS times as long as it took,
within bounds, and after its end no sooner than it took. So a store that is quick is written to often and the screens
hear of a message at once, and one that is slow gets fewer and larger writes. While runs wait to be applied it is
BACKLOG_S: what waits is late already, and a state or a document written once instead of four times helps all of it.
Retriable errors are tried in place for ever; taking new runs stops at MOST_UNSAVED events.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from actors.errors import RetriableError
from storage.records import Batch
from streams.bus import Bus
from streams.deltas import TOPIC, delta_of, encode_delta
from streams.partition import AbandonedError, Partition

logger = logging.getLogger(__name__)

FLUSH_S = 0.25
QUICKEST_S = 0.05
GATHERS = 4
BACKLOG_S = 1.0
BACKLOG_BYTES = 1_000_000
"""Some thousands of events: a worker that keeps up never has as many waiting."""
IDLE_S = 0.02
FLUSH_EVENTS = 30_000
MOST_UNSAVED = 2 * FLUSH_EVENTS

Enrich: TypeAlias = Callable[[Batch], Awaitable[None]]
"""Adds to a batch what is not the engines' to know; it is saved with it. May let others on the loop have their turn."""


class Persister:
    """One for all partitions of this process. Raises FencedError out of `run` when another writer owns a partition."""

    def __init__(
        self,
        bus: Bus,
        partitions: Mapping[int, Partition],
        now: Callable[[], int],
        enrich: Enrich | None = None,
        *,
        waiting: Callable[[], int] = int,
    ) -> None:
        self._bus = bus
        self._partitions = partitions
        self._now = now
        self._enrich = enrich
        self._waiting = waiting
        """The bytes of all runs that wait to be applied."""
        self._began = 0.0
        self._took = FLUSH_S
        self._work = asyncio.Event()
        self._full = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._changes = 0
        self._closing = False
        self.unsaved = 0
        self.saved_events = 0
        self.flushes = 0
        self.last_progress = now()

    def changed(self, events: int) -> None:
        """Something was applied or fired."""
        self._changes += 1
        self.unsaved += events
        self._work.set()
        if self.unsaved >= FLUSH_EVENTS:
            self._full.set()
        if self.unsaved >= MOST_UNSAVED:
            self._room.clear()

    @property
    def busy(self) -> bool:
        """Whether something is applied and not saved."""
        return self._work.is_set() or any(part.saving.locked() or part.runs for part in self._partitions.values())

    async def room(self) -> None:
        """Wait until more may be taken."""
        await self._room.wait()

    async def run(self) -> None:
        """Flush until `close`. Not to be cancelled: a save cut off leaves nobody knowing whether it was done."""
        while not self._closing:
            await self._work.wait()
            await self._moment()
            self._work.clear()
            self._full.clear()
            self._began = asyncio.get_running_loop().time()
            await self.flush_all()
            self._took = asyncio.get_running_loop().time() - self._began

    def close(self) -> None:
        """Let `run` end after one more flush."""
        self._closing = True
        self._full.set()
        self._work.set()

    async def flush_all(self) -> None:
        """Save and ack everything applied by now."""
        async with asyncio.TaskGroup() as group:
            for partition in list(self._partitions.values()):
                group.create_task(self.flush(partition))

    async def flush(self, partition: Partition) -> None:
        """Save and ack everything applied by now in one partition, unless it is abandoned. Raises FencedError."""
        async with partition.saving:
            if partition.abandoned:
                return
            runs, partition.runs = partition.runs, []
            events = sum(run.events for run in runs)
            partition.saving_since = runs[0].wall if runs else None
            batch = partition.engine.take(self._now())
            try:
                if batch is not None:
                    await self._add_to(batch)
                    if partition.abandoned:
                        return
                    await partition.save(batch)
                    self.flushes += 1
            except AbandonedError:
                return
            finally:
                partition.saving_since = None
                self._forget(events)
            for run in runs:
                run.ack()
            self.saved_events += events
            self.last_progress = self._now()
        if batch is not None:
            await self._tell(encode_delta(delta_of(batch, self._now())))

    async def _add_to(self, batch: Batch) -> None:
        if self._enrich is None:
            return
        try:
            await self._enrich(batch)
        except Exception:
            # What is added is a help for people; the messages themselves must not wait for it.
            logger.exception("a batch of partition %d is saved without what was to be added", batch.mark.partition)

    def abandon(self, partition: Partition) -> None:
        """Save and ack nothing more of a partition; what is applied of it and not saved counts no longer."""
        partition.abandon()
        runs, partition.runs = partition.runs, []
        self._forget(sum(run.events for run in runs))

    def _forget(self, events: int) -> None:
        self.unsaved -= events
        if self.unsaved < MOST_UNSAVED:
            self._room.set()

    async def _moment(self) -> None:
        """Let changes gather: until enough, until it is time, or until nothing more comes."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        longest = min(FLUSH_S, max(QUICKEST_S, GATHERS * self._took))
        until = max(self._began + longest, began + min(longest, self._took))
        while not self._full.is_set():
            before = self._changes
            try:
                await asyncio.wait_for(self._full.wait(), IDLE_S)
            except TimeoutError:
                if self._changes == before:
                    return
            if loop.time() >= (until if self._waiting() < BACKLOG_BYTES else began + BACKLOG_S):
                return

    async def _tell(self, data: bytes) -> None:
        try:
            await self._bus.publish(TOPIC, data)
        except RetriableError as error:
            logger.warning("screens are not told of a change, they will read it anew: %s", error)
