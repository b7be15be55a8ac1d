"""Weir itself: its runtime on its Kafka transport.

Options: `store` and `redis` are addresses of services that states and deltas go to; without them what is saved is
swallowed by a stub. `hold`: report progress on standard output until a line comes on standard input, for workers that
share a topic.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import uvloop

from actors.effects import KeyRemembered
from actors.thresholds import ThresholdSet
from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task
from storage.mongodb import MongoStore
from storage.ports import EngineStore
from storage.records import Batch, PartitionMark, StateRow
from streams.app import Runtime
from streams.bus import Bus, LocalBus
from streams.engine import Engine
from streams.kafka.log import KafkaLog
from streams.ports import PartitionPosition
from streams.redis.bus import RedisBus
from streams.redis.link import RedisLink

PLENTY = 10_000_000
"""Conversations kept in memory: all of them, as the peers do."""
POLL_S = 0.05
PATIENCE_S = 300.0
"""The tests' database takes long for a flush at full speed; how long is not what is measured."""


def run(task: Task, job: Job) -> dict[int, Engine]:
    """Process until all is saved; the engines by partition."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_process(task, job))


async def _process(task: Task, job: Job) -> dict[int, Engine]:
    log = KafkaLog(f"kafka://{task.bootstrap}", partitions=task.partitions, topic=task.topic, group=task.group)
    async with _store(task, job) as store, _bus(task) as bus:
        runtime = Runtime(
            store=store,
            gateway=StandingClock(),
            reader=NoReader(),
            broker=log.url,
            bus=bus,
            thresholds=ThresholdSet(),
            partitions=task.partitions,
            most_conversations=PLENTY,
        )
        await runtime.start()
        await runtime.wait_ready()
        if "hold" in task.options:
            await _held(runtime)
        else:
            await _until(runtime, task.events)
        job.end()
        engines = runtime.engines
        await runtime.stop()
        return engines


async def _until(runtime: Runtime, events: int) -> None:
    while runtime.health().processed < events:  # noqa: ASYNC110 # a measurement: nothing must wake anybody up more often
        await asyncio.sleep(POLL_S)


async def _held(runtime: Runtime) -> None:
    """Say what was done and what is assigned, until told to end."""
    told = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    said = ""
    while not told.done():
        health = runtime.health()
        line = f"{health.partitions} {health.processed}"
        if line != said:
            said = line
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def _store(task: Task, job: Job) -> AsyncIterator[EngineStore]:
    if "store" not in task.options:
        yield StubStore(job)
        return
    store = MongoStore(task.options["store"], timeout_s=PATIENCE_S)
    await store.open()
    job.begin()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _bus(task: Task) -> AsyncIterator[Bus]:
    if "redis" not in task.options:
        yield LocalBus()
        return
    link = RedisLink(task.options["redis"])
    bus = RedisBus(link)
    await link.start()
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()
        await link.close()


class StandingClock:
    """A gateway's clock that stands still: no timer fires because of the time the measurement takes."""

    def now(self) -> int:
        """Always the same."""
        return 1

    def horizon(self) -> int:
        """Always the same."""
        return 1


class NoReader:
    """Nothing of the log's past is read again here."""

    async def positions(self) -> list[PartitionPosition]:
        """None that matter: nothing was processed before."""
        return []


class StubStore:
    """Has nothing and keeps nothing. The clocks start when the first partition is loaded."""

    def __init__(self, job: Job) -> None:
        self._job = job

    async def mark(self, partition: int) -> PartitionMark:
        """Never processed."""
        self._job.begin()
        return PartitionMark(partition=partition)

    async def channel_states(self, partition: int) -> list[StateRow]:
        """None."""
        del partition
        return []

    async def conversation_states(self, keys: Sequence[str]) -> list[StateRow]:
        """None."""
        del keys
        return []

    async def armed(self, partition: int) -> list[tuple[int, str]]:
        """None."""
        del partition
        return []

    async def sent_times(self, channel: str, since: int) -> list[int]:
        """None."""
        del channel, since
        return []

    async def event_keys(self, partition: int, since: int) -> list[KeyRemembered]:
        """None."""
        del partition, since
        return []

    async def save(self, batch: Batch) -> None:
        """Forget it."""
        del batch
