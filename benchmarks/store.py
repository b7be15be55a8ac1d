"""How fast the SQLite store takes messages, and how fast it finds them: `python -m benchmarks.store [--messages N]`.

Prints messages a second, by the clock and by the processor's time (which other programs' load disturbs less), alone and
beside a thread that never gives up the interpreter lock willingly (what an event loop under load is), and the time of
first pages of searches.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from actors.effects import Effects, HopReached, MessageStored
from actors.events import Message, Sender
from storage.records import Batch, ConversationFilter, PartitionMark, StateRow
from storage.sqlite import SqliteStore

WORDS = (
    "where",
    "is",
    "my",
    "order",
    "the",
    "parcel",
    "has",
    "not",
    "arrived",
    "please",
    "refund",
    "size",
    "blue",
    "delay",
)
HAN = "我的订单什么时候发货退款一直没有到账请问尺码颜色可以换吗谢谢客服你好"
START = 1_760_000_000_000
QUERIES = ("refund", "上海", "退", "ORD12345", "没有到账", "nothingtofind")


def batch(rng: random.Random, version: int, size: int, conversations: int) -> Batch:
    """One flush: messages of a sale, half of them notified, with the states of their conversations."""
    effects = Effects()
    states: dict[str, StateRow] = {}
    for i in range(size):
        number = rng.randrange(conversations)
        conversation, account = f"conv-{number:08d}", f"shop-{number % 11}"
        key = f"shopee/{account}/{conversation}"
        text = " ".join(rng.choices(WORDS, k=12)) if rng.random() < 0.6 else "".join(rng.choices(HAN, k=20))
        at = START + version * 250 + i // 30
        event = Message(
            platform="shopee",
            account=account,
            at=at,
            conversation=conversation,
            message=f"m{version:05d}{i:06d}",
            sent_at=at - rng.randrange(3_000),
            direction="in" if i % 3 else "out",
            sender=Sender(id=f"u{number}", name="Li Wei", role="customer" if i % 3 else "agent"),
            text=text,
            seq=i,
            order=f"ORD-{number}" if i % 4 == 0 else None,
        )
        effects.messages.append(MessageStored(key, at, event, 1_000))
        if i % 2:
            effects.hops.append(HopReached(key, event.message, "notified", at + 5))
        states[key] = StateRow(key, rng.randbytes(300), at + 60_000)
    mark = PartitionMark(partition=0, version=version, applied=version)
    return Batch(mark=mark, effects=effects, conversations=list(states.values()))


async def fill(
    store: SqliteStore, total: int, size: int, conversations: int, busy: threading.Event | None
) -> tuple[list[float], list[float]]:
    """Save `total` messages; the rates of the flushes, in messages a second of the clock and of processor time."""
    rng = random.Random(7)  # noqa: S311 - the same messages at every run
    rates: list[float] = []
    spent: list[float] = []
    first = (await store.mark(0)).version + 1
    for version in range(first, first + max(1, total // size)):
        flush = batch(rng, version, size, conversations)
        if busy:
            busy.set()
        start, used = time.perf_counter(), time.process_time()
        await store.save(flush)
        rates.append(size / (time.perf_counter() - start))
        spent.append(size / (time.process_time() - used))
        if busy:
            busy.clear()
    return rates, spent


def spin(busy: threading.Event, stop: threading.Event) -> None:
    """A busy event loop: computes while a save runs."""
    while not stop.is_set():
        busy.wait(0.1)
        while busy.is_set():
            sum(range(1_000))


async def search(store: SqliteStore) -> None:
    """The first page of each query, median of five."""
    for query in QUERIES:
        times: list[float] = []
        found = 0
        for _ in range(5):
            start = time.perf_counter()
            found = len((await store.conversations(ConversationFilter(q=query), 50)).items)
            times.append(time.perf_counter() - start)
        print(f"search {query!r}: {median(times) * 1000:.1f} ms, {found} on the first page")


async def main() -> None:
    """Run everything and print it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=150_000)
    arguments.add_argument("--flush", type=int, default=7_500)
    arguments.add_argument("--conversations", type=int, default=20_000)
    options = arguments.parse_args()
    print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        store = SqliteStore(Path(folder) / "store.db")
        await store.open()
        rates, spent = await fill(store, options.messages, options.flush, options.conversations, None)
        print(f"save, alone: {median(rates):,.0f} messages/s (best {max(rates):,.0f}, worst {min(rates):,.0f})")
        print(f"save, alone: {median(spent):,.0f} messages per second of processor time (best {max(spent):,.0f})")
        busy, stop = threading.Event(), threading.Event()
        thread = threading.Thread(target=spin, args=(busy, stop))
        thread.start()
        rates, _ = await fill(store, options.flush * 5, options.flush, options.conversations, busy)
        stop.set()
        thread.join()
        print(f"save, beside a busy thread: {median(rates):,.0f} messages/s")
        await search(store)
        size = (Path(folder) / "store.db").stat().st_size
        print(f"file: {size / 1e6:,.0f} MB, {size / (options.messages + options.flush * 5):,.0f} bytes a message")
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
