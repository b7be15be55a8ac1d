"""A million conversations with armed timers: memory, and how far from their instants the timers fire.

Every conversation waits for its first answer (SLA warning and breach); 200,000 stay in memory as in a running Weir, the
others wait in the store. Then the stream's clock moves in the runtime's own ticks over the densest part, and the time
each tick takes is how late the last timer of that tick is. `python -m benchmarks.timers [--conversations N]`
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time

import msgspec
import psutil

from actors.events import Message, Sender
from actors.thresholds import ThresholdSet
from benchmarks.figures import Figure, pretty, quantile, seconds
from storage.records import PartitionMark, StateRow
from streams.engine import Engine
from ui.garbage import Collector

CONVERSATIONS = 1_000_000
PARTITIONS = 8
IN_MEMORY = 200_000
START = 1_794_355_200_000
PER_SECOND = 1_000
TICK_MS = 200
WATCHED_S = 30
FIRST_RESPONSE_MS = 30 * 60_000
CHUNK = 5_000


class Partition:
    """One engine with the states that are not in memory, as the store would keep them."""

    def __init__(self, number: int) -> None:
        self.engine = Engine(number, ThresholdSet(), PartitionMark(partition=number))
        self.cold: dict[str, bytes] = {}

    def save(self) -> int:
        """Take what changed, as the persister does; how many SLA clocks changed."""
        batch = self.engine.take(0)
        if batch is None:
            return 0
        self.cold.update({row.key: row.state for row in batch.conversations})
        self.engine.evict(IN_MEMORY // PARTITIONS, steps=2 * CHUNK)
        return len(batch.effects.sla)

    def tick(self, now: int) -> None:
        """Load what is due and fire it."""
        keys = self.engine.due_keys(now)
        self.engine.restore_conversations(keys, [StateRow(key, self.cold[key]) for key in keys])
        self.engine.tick(now)


def measure(conversations: int = CONVERSATIONS) -> list[Figure]:
    """Run in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.timers", "--conversations", str(conversations), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=list[Figure])


def run(conversations: int) -> list[Figure]:
    """Arm the timers, then let the part of time pass in which most of them are due."""
    Collector().start()  # as the product does: no full collection in the middle of a tick
    before = _rss_mib()
    partitions = [Partition(n) for n in range(PARTITIONS)]
    started = time.perf_counter()
    for first in range(0, conversations, CHUNK):
        for number in range(first, min(first + CHUNK, conversations)):
            partition = partitions[number % PARTITIONS]
            partition.engine.apply(number // PARTITIONS, 0, [_message(number)])
        for partition in partitions:
            partition.save()
    armed_s = time.perf_counter() - started
    stored = sum(sum(map(len, p.cold.values())) for p in partitions) / 2**20
    keys = sum(sum(map(sys.getsizeof, p.cold)) for p in partitions) / 2**20
    memory = _rss_mib() - before

    ticks, late, fired = _fire(partitions)
    collection_s = seconds(gc.collect)
    return [
        Figure(name="conversations with armed timers", value=conversations, unit="", note=f"armed in {armed_s:.0f} s"),
        Figure(name="memory of the process", value=memory, unit="MiB", note="the store's stand-in included"),
        Figure(name="of it states that a store would hold", value=stored + keys, unit="MiB"),
        Figure(name="timers fired", value=fired, unit="", note=f"in {WATCHED_S} s of the stream's time"),
        Figure(name="a tick, median", value=quantile(ticks, 0.5) * 1000, unit="ms"),
        Figure(name="a tick, longest", value=max(ticks) * 1000, unit="ms"),
        Figure(name="firing error, 99 % of the timers", value=quantile(late, 0.99), unit="ms", note="of 1,000 allowed"),
        Figure(name="firing error, largest", value=max(late), unit="ms", note="of 1,000 allowed"),
        Figure(name="a full garbage collection", value=collection_s * 1000, unit="ms", note="outside of the ticks"),
    ]


def _fire(partitions: list[Partition]) -> tuple[list[float], list[float], int]:
    """Ticks through the first breaches: (seconds of each tick, how late the timers of each tick were in ms, timers)."""
    base = START + FIRST_RESPONSE_MS
    for partition in partitions:  # what was due before (notifications) and every warning is not the point here
        now = base - 1
        while partition.engine.next_due() < now:
            partition.tick(now)
            partition.save()
    ticks: list[float] = []
    late: list[float] = []
    fired = 0
    behind = 0.0
    for now in range(base, base + WATCHED_S * 1000, TICK_MS):
        started = time.perf_counter()
        changed = 0
        for partition in partitions:
            partition.tick(now)
            changed += partition.save()
        took = time.perf_counter() - started
        ticks.append(took)
        # A tick that takes longer than the pause between two makes the next ones late as well.
        behind = max(0.0, behind + took * 1000 - TICK_MS)
        late += [TICK_MS + behind + took * 1000] * changed
        fired += changed
    return ticks, late, fired


def _message(number: int) -> Message:
    at = START + number * 1000 // PER_SECOND
    return Message(
        platform="shopee",
        account=f"shop-{number % PARTITIONS}",
        at=at,
        conversation=f"c{number:08d}",
        message="m1",
        sent_at=at,
        direction="in",
        sender=Sender(id=f"u{number}", role="customer"),
        text="Where is my order?",
        lang="en",
    )


def _rss_mib() -> float:
    return psutil.Process().memory_info().rss / 2**20


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = run(given.conversations)
    if given.json:
        print(msgspec.json.encode(figures).decode())
        return
    for figure in figures:
        print(f"{figure.name:<45} {pretty(figure.value):>12} {figure.unit:<4} {figure.note}")


if __name__ == "__main__":
    main()
