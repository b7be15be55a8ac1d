"""What a save costs the MongoDB client: `python -m benchmarks.mongo [URL]`.

Saves the flushes of `benchmarks.store` to the server at URL (a database of its own, dropped at the end), prints rows a
second by the clock and by this process's processor time, which is what a worker pays whatever the server is. Without a
URL nothing is sent: what is left is building, encoding and compressing.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from secrets import token_hex
from statistics import median

import pymongo
import uvloop
from pymongo import AsyncMongoClient

from benchmarks.store import batch
from storage.mongodb import MongoStore
from storage.mongodb.compose import Findings, _build, touched
from storage.mongodb.flushes import Holding
from storage.records import Batch


def rows_of(flush: Batch) -> int:
    """Messages, hops and states: what a flush is about."""
    return len(flush.effects.messages) + len(flush.effects.hops) + len(flush.conversations)


def told(name: str, rates: Sequence[float]) -> None:
    """One line: the median, the best and the worst round, and the time of a row."""
    middle = median(rates)
    print(
        f"{name}: {middle:,.0f} rows/s (best {max(rates):,.0f}, worst {min(rates):,.0f}), {1e6 / middle:.1f} µs a row"
    )


def built(flushes: Sequence[Batch]) -> None:
    """Only the building of a flush, every conversation known and every message new."""
    rates: list[float] = []
    for flush in flushes:
        used = time.process_time()
        _build(flush, Findings(touched(flush), {}), Holding(1, 1))
        rates.append(rows_of(flush) / (time.process_time() - used))
    told("building and encoding", rates)


async def saved(url: str, flushes: Sequence[Batch]) -> None:
    """Whole saves, without the first, which finds everything new."""
    name = f"bench-{token_hex(4)}"
    store = MongoStore(f"{url.rstrip('/')}/{name}", timeout_s=120)
    await store.open()
    by_clock: list[float] = []
    by_processor: list[float] = []
    try:
        for flush in flushes:
            start, used = time.perf_counter(), time.process_time()
            await store.save(flush)
            by_clock.append(rows_of(flush) / (time.perf_counter() - start))
            by_processor.append(rows_of(flush) / (time.process_time() - used))
    finally:
        await store.close()
        async with AsyncMongoClient(url) as client:
            await client.drop_database(name)
    told("save, by the clock", by_clock[1:])
    told("save, by this process's processor time", by_processor[1:])


def main() -> None:
    """Run it and print it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url", nargs="?", help="mongodb://HOST:PORT; without it nothing is sent")
    arguments.add_argument("--messages", type=int, default=40_000)
    arguments.add_argument("--flush", type=int, default=5_000)
    arguments.add_argument("--conversations", type=int, default=1_000)
    options = arguments.parse_args()
    rng = random.Random(7)  # noqa: S311 - the same messages at every run
    count = max(3, options.messages // options.flush)
    flushes = [batch(rng, version, options.flush, options.conversations) for version in range(1, count + 1)]
    print(f"Python {sys.version.split()[0]}, PyMongo {pymongo.version}; {rows_of(flushes[0]):,} rows a flush")
    built(flushes)
    if options.url:
        uvloop.run(saved(options.url, flushes))


if __name__ == "__main__":
    main()
