# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""The runtime: log in, effects out. Starts Faust on the running loop, feeds the engines, lets time pass, guards it all.

What may go wrong, and what is done: retriable errors are tried in place; entries that cannot be applied are
dead-lettered; anything else ends the process with status 70 after a loud log line, for a supervisor to start it again.
That is safe at any moment: what was acknowledged is in the log, and what was saved is not applied again. Losing the
brokers is no such error: it is told as trouble, and everything goes on by itself when they are back.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol, cast

from faust.contrib.asgi import bind_to_running_loop
from faust.types import TP
from msgspec import Struct, field

from actors.sla import Policy
from actors.thresholds import ThresholdSet
from storage.ports import EngineStore
from streams.bus import Bus
from streams.engine import Engine
from streams.faust_app import StreamApp, build_app, topic_of
from streams.holdings import Holdings
from streams.partition import MOST_CONVERSATIONS, Partition
from streams.patience import Patience
from streams.persister import Enrich, Persister
from streams.ports import LogReader
from streams.runs import Run
from streams.topics import PARTITIONS

logger = logging.getLogger(__name__)

EXIT_SOFTWARE = 70
TICK_S = 0.2
TICK_BEHIND_MS = 300
WATCH_S = 1.0
STALL_S = 60.0
STOP_S = 10.0
HAND_OVER_S = 2.0
"""For saving what is applied when partitions are to be given up; what is not saved by then is read again."""
COMMIT_S = 0.5
SILENT_MS = 5_000
YOUNG, MIDDLE, OLD = 20_000, 50, 100


class Timekeeper(Protocol):
    """The gateway as the runtime needs it."""

    def now(self) -> int:
        """The gateway's clock in ms."""
        ...

    def horizon(self) -> int:
        """The time (ms) before which every entry accepted is in the log already."""
        ...


class Health(Struct, frozen=True, kw_only=True):
    """How the runtime is. Times in ms of the gateway's clock; `lag` in records by partition, `unsaved` in entries.

    `lag` leaves out the partitions of which the log has not told anything yet. `watermark` is each loaded partition's
    time, `loading` those that wait for the store, `rebalances` how often partitions were assigned since the start.
    """

    running: bool
    ready: bool
    partitions: int
    lag: dict[int, int]
    unsaved: int
    processed: int
    last_progress: int
    trouble: str | None = None
    watermark: dict[int, int] = field(default_factory=dict[int, int])
    assigned: list[int] = field(default_factory=list[int])
    loading: list[int] = field(default_factory=list[int])
    flushes: int = 0
    rebalances: int = 0


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
        enrich: Enrich | None = None,
        end_process: Callable[[int], Any] = os._exit,
    ) -> None:
        self._gateway = gateway
        self._reader = reader
        self._end_process = end_process
        self._patience = Patience()
        self._partitions: dict[int, Partition] = {}
        self._rebalances = 0
        self._stopping = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._guards: list[asyncio.Task[None]] = []
        self._topic = topic_of(broker)
        self._app: StreamApp = build_app(
            broker, partitions=partitions, handle=self._handle, commit_interval_s=commit_interval_s
        )
        cast("Any", self._app.on_partitions_assigned).connect(self._on_assigned)
        cast("Any", self._app.on_partitions_revoked).connect(self._on_revoked)
        self._persister = Persister(bus, self._partitions, gateway.now, enrich, waiting=self._waiting_bytes)
        self._holdings = Holdings(
            store=store,
            reader=reader,
            persister=self._persister,
            patience=self._patience,
            partitions=self._partitions,
            policies=policies,
            most_conversations=most_conversations,
            in_all=partitions,
            hold=lambda number: self._app.runs.hold(self._tp(number)),
            release=lambda number: self._app.runs.release(self._tp(number)),
            spawn=self._run,
        )
        self._holdings.set_thresholds(thresholds)
        self._unassigned_since: float | None = None

    # For the composition root

    async def start(self) -> None:
        """Start reading. Returns before the engines are loaded; see `wait_ready`."""
        bind_to_running_loop(self._app)
        self._app.finalize()
        self._unassigned_since = asyncio.get_running_loop().time()
        await self._app.maybe_start()
        self._workers = [self._run("persister", self._persister.run()), self._run("ticker", self._tick_until_stopped())]
        self._guards.append(self._run("watchdog", self._watch()))

    async def wait_ready(self) -> None:
        """Wait until every assigned partition's engine is loaded."""
        await self._holdings.ready.wait()

    async def stop(self, deadline_s: float = STOP_S) -> None:
        """Save and commit what was applied, then stop; past the deadline the process ends (nothing is lost by that)."""
        self._stopping.set()
        try:
            async with asyncio.timeout(deadline_s):
                await self._stop()
        except TimeoutError:
            self._fatal(f"stopping took longer than {deadline_s:g} s ({self.trouble() or 'no known trouble'})")

    async def _stop(self) -> None:
        for task in self._guards:
            task.cancel()
        await asyncio.gather(*self._guards, return_exceptions=True)
        await self._holdings.close_lanes()
        self._persister.close()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._app.stop()

    # For services and screens

    @property
    def engines(self) -> dict[int, Engine]:
        """The engines by partition."""
        return {number: partition.engine for number, partition in self._partitions.items()}

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds in force."""
        return self._holdings.thresholds

    def set_thresholds(self, thresholds: ThresholdSet) -> None:
        """Put other thresholds in force for everything observed from now on."""
        self._holdings.set_thresholds(thresholds)

    @property
    def last_progress(self) -> int:
        """When something was last saved, or found to need no saving (ms)."""
        return self._persister.last_progress

    def health(self) -> Health:
        """How it goes."""
        return Health(
            running=self._app.started and not self._app.should_stop,
            ready=self._holdings.ready.is_set(),
            partitions=len(self._partitions),
            lag=self.lag(),
            unsaved=self._persister.unsaved,
            processed=self._persister.saved_events,
            last_progress=self.last_progress,
            trouble=self.trouble(),
            watermark={number: part.engine.time for number, part in self._partitions.items()},
            assigned=sorted(self._holdings.lanes),
            loading=sorted(self._holdings.lanes.keys() - self._partitions.keys()),
            flushes=self._persister.flushes,
            rebalances=self._rebalances,
        )

    def lag(self) -> dict[int, int]:
        """How many records of each partition wait to be applied, as far as the log has told."""
        known = {number: self._behind(part) for number, part in self._partitions.items()}
        return {number: behind for number, behind in known.items() if behind is not None}

    def trouble(self) -> str | None:
        """What holds things up, as a sentence; None when nothing does."""
        return self._patience.trouble or self._silence()

    async def oldest_unprocessed(self) -> int | None:
        """When the oldest entry that is not saved yet was accepted (ms); None when all are."""
        oldest: list[int] = []
        for number, partition in list(self._partitions.items()):
            waiting = [partition.oldest_unsaved(), self._app.runs.oldest(self._tp(number))]
            known = [wall for wall in waiting if wall is not None]
            if known:
                oldest.append(min(known))
            elif self._behind(partition):
                async for record in self._reader.records(number, partition.engine.applied + 1):
                    oldest.append(record.wall)
                    break
        return min(oldest, default=None)

    async def settled(self) -> None:
        """Wait until everything in the log is applied and saved; for tests, replays and orderly moves."""
        while not self._is_settled():  # noqa: ASYNC110 # three parties, none with an event of all
            await asyncio.sleep(0.005)

    def _is_settled(self) -> bool:
        behind = [self._behind(part) for part in self._partitions.values()]
        return self._holdings.ready.is_set() and not any(b is None or b for b in behind) and not self._persister.busy

    # Runs

    async def _handle(self, run: Run, ack: Callable[[], object]) -> None:
        """Hand a run to its lane; one of a partition that is no longer ours is dropped: whoever has it reads it."""
        lane = self._holdings.lanes.get(run[0].partition)
        if lane is not None and not self._stopping.is_set():
            lane.put(run, ack)

    async def _on_assigned(self, _app: object, assigned: set[TP], **_: Any) -> None:
        self._rebalances += 1
        self._unassigned_since = None
        self._holdings.assign(tp.partition for tp in assigned)

    async def _on_revoked(self, _app: object, revoked: set[TP], **_: Any) -> None:
        """Others may get these partitions: save what is applied, and let go of their states."""
        del revoked  # always all that are ours
        self._unassigned_since = asyncio.get_running_loop().time()
        try:
            await self._holdings.give_up(HAND_OVER_S)
        except Exception as error:  # noqa: BLE001 # see the module's docstring
            self._fatal("partitions could not be handed over", error)

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

        The horizon is asked first: whatever was accepted before it is counted by the log's end asked after it. While
        the brokers are silent time stands still: nobody knows what was accepted meanwhile.
        """
        silent = self._app.runs.silent_ms(self._tp(partition.number))
        reached = min(self._gateway.horizon(), self._gateway.now() - TICK_BEHIND_MS - silent)
        behind = self._behind(partition)
        if behind is None or behind or self._stopping.is_set():
            return None
        return reached + partition.engine.drift

    def _waiting_bytes(self) -> int:
        return sum(lane.waiting_bytes for lane in self._holdings.lanes.values() if lane.partition is not None)

    def _behind(self, partition: Partition) -> int | None:
        return self._app.runs.behind(self._tp(partition.number), partition.engine.applied)

    def _tp(self, number: int) -> TP:
        return TP(self._topic, number)

    # Guard

    def _silence(self) -> str | None:
        """Whether the brokers are heard; a partition that has enough waiting is not asked for."""
        for number, lane in self._holdings.lanes.items():
            silent = self._app.runs.silent_ms(self._tp(number))
            if silent > SILENT_MS and not lane.waiting:
                return f"the log has told nothing of partition {number} for {silent // 1000} s: check its brokers"
        if self._unassigned_since is not None:
            waited = asyncio.get_running_loop().time() - self._unassigned_since
            if waited * 1000 > SILENT_MS:
                return f"no partitions have been assigned for {waited:.0f} s: check the log's brokers"
        return None

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal(f"the task of {task.get_name()} failed", error)

    async def _watch(self) -> None:
        """End the process when Faust has crashed or nothing moves although something waits."""
        loop = asyncio.get_running_loop()
        moved, progress = loop.time(), (-1, -1)
        while True:
            await asyncio.sleep(WATCH_S)
            if self._app.crashed or cast("Any", self._app.consumer).crashed:
                self._fatal("the stream application crashed", self._app.crash_reason)
            now = (self._persister.saved_events, sum(part.engine.applied for part in self._partitions.values()))
            if now != progress or not any(self.lag().values()) or self.trouble() is not None:
                moved, progress = loop.time(), now
            elif loop.time() - moved > STALL_S:
                self._fatal(f"records wait and none was processed for {STALL_S:g} s")

    def _fatal(self, what: str, error: BaseException | None = None) -> None:
        if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        logger.critical("%s: Weir ends now and is safe to start again", what, exc_info=error)
        for handler in logging.getLogger().handlers:
            with suppress(OSError, ValueError):  # nobody reads the log any more: the process ends all the same
                handler.flush()
        self._end_process(EXIT_SOFTWARE)


def warmed_up() -> None:
    """To be called once, when everything is loaded: garbage is looked for seldom, and never among what is there now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


__all__ = ["Health", "Runtime", "Timekeeper", "warmed_up"]
