# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""The runtime: log in, effects out. Starts Faust on the running loop, feeds the engines, lets time pass, guards it all.

What may go wrong, and what is done: retriable errors are tried in place; entries that cannot be applied are
dead-lettered; anything else ends the process with status 70 after a loud log line, for a supervisor to start it again.
That is safe at any moment: what was acknowledged is in the log, and what was saved is not applied again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, cast

from faust.contrib.asgi import bind_to_running_loop
from faust.types import TP
from msgspec import Struct

from actors.sla import Policy
from actors.thresholds import ThresholdSet
from storage.ports import EngineStore
from streams.bus import Bus
from streams.engine import Engine
from streams.faust_app import StreamApp, build_app, lag
from streams.partition import Partition, recover
from streams.patience import Patience
from streams.persister import Persister
from streams.ports import LogReader, LogRecord
from streams.topics import PARTITIONS

logger = logging.getLogger(__name__)

EXIT_SOFTWARE = 70
TICK_S = 0.2
TICK_BEHIND_MS = 300
WATCH_S = 1.0
STALL_S = 60.0
STOP_S = 10.0
COMMIT_S = 0.5
MOST_CONVERSATIONS = 50_000


class Timekeeper(Protocol):
    """The gateway as the runtime needs it."""

    def now(self) -> int:
        """The gateway's clock in ms."""
        ...

    def horizon(self) -> int:
        """The time (ms) before which every entry accepted is in the log already."""
        ...


class Health(Struct, frozen=True, kw_only=True):
    """How the runtime is. Times in ms of the gateway's clock; `lag` in records by partition, `unsaved` in entries."""

    running: bool
    ready: bool
    partitions: int
    lag: dict[int, int]
    unsaved: int
    processed: int
    last_progress: int
    trouble: str | None = None


class Runtime:
    """Owns the engines of this process's partitions. `most_conversations`: how many states stay in memory, in all."""

    def __init__(
        self,
        *,
        store: EngineStore,
        gateway: Timekeeper,
        reader: LogReader,
        broker: str,
        bus: Bus,
        thresholds: ThresholdSet,
        policies: Sequence[Policy] = (),
        partitions: int = PARTITIONS,
        most_conversations: int = MOST_CONVERSATIONS,
        commit_interval_s: float = COMMIT_S,
        end_process: Callable[[int], Any] = os._exit,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._reader = reader
        self._thresholds = thresholds
        self._policies = policies
        self._most_conversations = max(1, most_conversations // partitions)
        self._end_process = end_process
        self._patience = Patience()
        self._partitions: dict[int, Partition] = {}
        self._recovering = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._guards: list[asyncio.Task[None]] = []
        self._app: StreamApp = build_app(
            broker, partitions=partitions, handle=self._handle, commit_interval_s=commit_interval_s
        )
        cast("Any", self._app.on_partitions_assigned).connect(self._on_assigned)
        cast("Any", self._app.on_partitions_revoked).connect(self._on_revoked)
        self._persister = Persister(store, bus, self._partitions, self._patience, gateway.now)

    # For the composition root

    async def start(self) -> None:
        """Start reading. Returns before the engines are loaded; see `wait_ready`."""
        bind_to_running_loop(self._app)
        self._app.finalize()
        await self._app.maybe_start()
        self._workers = [self._run("persister", self._persister.run()), self._run("ticker", self._tick_until_stopped())]
        self._guards.append(self._run("watchdog", self._watch()))

    async def wait_ready(self) -> None:
        """Wait until every assigned partition's engine is loaded."""
        await self._ready.wait()

    async def stop(self, deadline_s: float = STOP_S) -> None:
        """Save and commit what was applied, then stop; past the deadline the process ends (nothing is lost by that)."""
        self._stopping.set()
        try:
            async with asyncio.timeout(deadline_s):
                await self._stop()
        except TimeoutError:
            self._fatal(f"stopping took longer than {deadline_s:g} s ({self._patience.trouble or 'no known trouble'})")

    async def _stop(self) -> None:
        for task in self._guards:
            task.cancel()
        self._persister.close()
        await asyncio.gather(*self._guards, *self._workers, return_exceptions=True)
        await self._app.stop()
        self._ready.clear()

    # For services and screens

    @property
    def engines(self) -> dict[int, Engine]:
        """The engines by partition."""
        return {number: partition.engine for number, partition in self._partitions.items()}

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds in force."""
        return self._thresholds

    def set_thresholds(self, thresholds: ThresholdSet) -> None:
        """Put other thresholds in force for everything observed from now on."""
        self._thresholds = thresholds
        for partition in self._partitions.values():
            partition.engine.thresholds = thresholds

    @property
    def last_progress(self) -> int:
        """When something was last saved, or found to need no saving (ms)."""
        return self._persister.last_progress

    def health(self) -> Health:
        """How it goes."""
        return Health(
            running=self._app.started and not self._app.should_stop,
            ready=self._ready.is_set(),
            partitions=len(self._partitions),
            lag=self.lag(),
            unsaved=self._persister.unsaved,
            processed=self._persister.saved_events,
            last_progress=self.last_progress,
            trouble=self._patience.trouble,
        )

    def lag(self) -> dict[int, int]:
        """How many records of each partition wait to be applied."""
        return {number: lag(self._app, number, part.engine.applied) for number, part in self._partitions.items()}

    async def oldest_unprocessed(self) -> int | None:
        """When the oldest entry that is not saved yet was accepted (ms); None when all are."""
        oldest: list[int] = []
        for number, partition in list(self._partitions.items()):
            unsaved = partition.oldest_unsaved()
            if unsaved is not None:
                oldest.append(unsaved)
            elif lag(self._app, number, partition.engine.applied):
                async for record in self._reader.records(number, partition.engine.applied + 1):
                    oldest.append(record.wall)
                    break
        return min(oldest, default=None)

    async def settled(self) -> None:
        """Wait until everything in the log is applied and saved; for tests, replays and orderly moves."""
        while not self._ready.is_set() or any(self.lag().values()) or self._persister.busy:  # noqa: ASYNC110 # three parties, none with an event of all
            await asyncio.sleep(0.005)

    # Frames

    async def _handle(self, record: LogRecord, ack: Callable[[], Awaitable[object]]) -> None:
        """Take one record; never raises, or Faust would drop it."""
        if self._stopping.is_set():
            return
        try:
            await self._persister.room()
            partition = await self._partition(record.partition)
            self._persister.changed(await partition.take(record, ack))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 # see the module's docstring
            self._fatal(f"record {record.offset} of partition {record.partition} could not be taken", error)
            await asyncio.Event().wait()

    async def _partition(self, number: int) -> Partition:
        partition = self._partitions.get(number)
        if partition is not None:
            return partition
        async with self._recovering:
            if number not in self._partitions:
                engine = await recover(number, self._store, self._thresholds, self._policies, self._patience)
                engine.thresholds = self._thresholds
                self._partitions[number] = Partition(
                    engine, self._store, self._patience, self._persister.flush, self._most_conversations
                )
            return self._partitions[number]

    async def _on_assigned(self, _app: object, assigned: set[TP], **_: Any) -> None:
        self._guards.append(self._run("recovery", self._recover_all(sorted(tp.partition for tp in assigned))))

    async def _recover_all(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self._partition(number)
        self._ready.set()

    async def _on_revoked(self, _app: object, revoked: set[TP], **_: Any) -> None:
        """Another process gets these partitions: save what is applied and forget their states."""
        for number in sorted(tp.partition for tp in revoked):
            partition = self._partitions.get(number)
            if partition is not None:
                await self._persister.flush(partition)
                del self._partitions[number]

    # Time

    async def _tick_until_stopped(self) -> None:
        while not await self._stops_within(TICK_S):
            for number in list(self._partitions):
                partition = self._partitions.get(number)
                if partition is not None and await partition.tick(lambda part=partition: self._stream_clock(part)):
                    self._persister.changed(0)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _stream_clock(self, partition: Partition) -> int | None:
        """The time up to which a partition has heard everything (ms); None when it is behind.

        The horizon is asked first: whatever was accepted before it is counted by the log's end asked after it.
        """
        reached = min(self._gateway.horizon(), self._gateway.now() - TICK_BEHIND_MS)
        engine = partition.engine
        if lag(self._app, engine.partition, engine.applied) or self._stopping.is_set():
            return None
        return reached + engine.drift

    # Guard

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal(f"the {task.get_name()} failed", error)

    async def _watch(self) -> None:
        """End the process when Faust has crashed or nothing moves although something waits."""
        loop = asyncio.get_running_loop()
        moved, progress = loop.time(), (-1, -1)
        while True:
            await asyncio.sleep(WATCH_S)
            if self._app.crashed or cast("Any", self._app.consumer).crashed:
                self._fatal("the stream application crashed", self._app.crash_reason)
            now = (self._persister.saved_events, sum(part.engine.applied for part in self._partitions.values()))
            if now != progress or not any(self.lag().values()) or self._patience.trouble is not None:
                moved, progress = loop.time(), now
            elif loop.time() - moved > STALL_S:
                self._fatal(f"records wait and none was processed for {STALL_S:g} s")

    def _fatal(self, what: str, error: BaseException | None = None) -> None:
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        logger.critical("%s: Weir ends now and is safe to start again", what, exc_info=error)
        for handler in logging.getLogger().handlers:
            handler.flush()
        self._end_process(EXIT_SOFTWARE)


__all__ = ["Health", "Runtime", "Timekeeper"]
