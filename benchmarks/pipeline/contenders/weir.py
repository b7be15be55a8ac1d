"""Weir itself: its runtime on its Kafka transport. `store=none` swallows what is saved; else state, deltas and all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import uvloop

from actors.effects import KeyRemembered
from actors.thresholds import ThresholdSet
from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task
from storage.records import Batch, PartitionMark, StateRow
from streams import topics
from streams.bus import LocalBus
from streams.engine import Engine

PLENTY = 10_000_000
"""Conversations kept in memory: all of them, as the peers do."""


def run(task: Task, job: Job) -> dict[int, Engine]:
    """Process until all is saved; the engines by partition."""
    # Topics of several measurements lie beside each other on one broker: named before anybody reads the names.
    topics.TOPIC, topics.GROUP = task.topic, task.group
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_process(task, job))


async def _process(task: Task, job: Job) -> dict[int, Engine]:
    from streams.app import Runtime  # noqa: PLC0415 # after the names are set

    store = StubStore(job)
    clock = StandingClock()
    runtime = Runtime(
        store=store,
        gateway=clock,
        reader=NoReader(),
        broker=f"kafka://{task.bootstrap}",
        bus=LocalBus(),
        thresholds=ThresholdSet(),
        partitions=task.partitions,
        most_conversations=PLENTY,
    )
    await runtime.start()
    await runtime.wait_ready()
    while runtime.health().processed < task.events:  # noqa: ASYNC110 # another thread's work
        await asyncio.sleep(0.01)
    job.end()
    engines = runtime.engines
    await runtime.stop()
    return engines


class StandingClock:
    """A gateway's clock that stands still: no timer fires because of the time the measurement takes."""

    def now(self) -> int:
        """Always the same."""
        return 1

    def horizon(self) -> int:
        """Always the same."""
        return 1


class NoReader:
    """Nobody asks for the log's past here."""


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
