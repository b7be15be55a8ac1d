"""One worker and two on the same topic: the records are written when all are ready, and the clock on the wall counts.

The store is stubbed out. The second worker shares its core with the broker and with whoever fills the topic, hence two
workers cannot reach twice the rate of one on a machine of two cores.
"""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from statistics import median
from uuid import uuid4

import msgspec

from benchmarks.pipeline import broker, environments
from benchmarks.pipeline.held import Records
from benchmarks.pipeline.results import Workers
from benchmarks.pipeline.task import Outcome, Task

READY_S = 60.0
NOTE = "Store stubbed out, frames; the second worker shares its core with the broker and the producer."


def measure(bootstrap: str, held: Records, partitions: int, rounds: int, digests: Mapping[int, str]) -> Workers:
    """Both rates, medians of the rounds in turn; `digests` are what the states have to come to, where known."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, found in rates.items():
            found.append(asyncio.run(_rate(bootstrap, held, partitions, workers, digests)))
    one, two = median(rates[1]), median(rates[2])
    ratio = median(b / a for a, b in zip(rates[1], rates[2], strict=True))
    return Workers(one_per_s=one, two_per_s=two, ratio=ratio, note=NOTE)


async def _rate(bootstrap: str, held: Records, partitions: int, workers: int, digests: Mapping[int, str]) -> float:
    topic = f"workers-{uuid4().hex[:8]}"
    await broker.create(bootstrap, topic, partitions)
    tasks = [
        Task(
            contender="weir",
            kind="frames",
            bootstrap=bootstrap,
            topic=topic,
            group=topic,
            partitions=partitions,
            records=len(held.records),
            events=held.events,
            records_file="",
            core=core,
            options={"hold": "yes"},
        )
        for core in range(workers)
    ]
    members = [_Member(await _started(task)) for task in tasks]
    async with asyncio.TaskGroup() as listening:
        for member in members:
            listening.create_task(member.listen())
        await _until(lambda: sorted(m.partitions for m in members) == [partitions // workers] * workers)
        started = time.perf_counter()
        await broker.fill(bootstrap, topic, held.records)
        await _until(lambda: sum(m.processed for m in members) >= held.events)
        took = time.perf_counter() - started
        for member in members:
            member.end()
    found = {number: digest for member in members for number, digest in member.outcome().digests.items()}
    if digests and found != dict(digests):
        raise SystemExit(f"{workers} workers ended with other states than one contender: {found}, not {dict(digests)}")
    return held.events / took


async def _started(task: Task) -> Process:
    interpreter = environments.python(environments.MAIN)
    module = ("-m", "benchmarks.pipeline.child", msgspec.json.encode(task).decode())
    return await asyncio.create_subprocess_exec(interpreter, *module, cwd=environments.ROOT, stdin=PIPE, stdout=PIPE)


async def _until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + READY_S
    while not reached():
        if time.monotonic() > until:
            raise TimeoutError(f"the workers did not get there within {READY_S:g} s")
        await asyncio.sleep(0.005)


class _Member:
    """One worker's process and what it said last."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._last = b""
        self.partitions = 0
        self.processed = 0

    async def listen(self) -> None:
        """Until the process ends."""
        assert self._process.stdout is not None  # noqa: S101 # asked for above
        async for line in self._process.stdout:
            words = line.split()
            if len(words) == 2 and all(word.isdigit() for word in words):
                self.partitions, self.processed = map(int, words)
            self._last = line.strip() or self._last
        await self._process.wait()

    def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None  # noqa: S101 # asked for above
        self._process.stdin.write(b"end\n")

    def outcome(self) -> Outcome:
        """What it said at its end."""
        return msgspec.json.decode(self._last, type=Outcome)
