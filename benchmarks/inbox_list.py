"""How fast the inbox's list opens and scrolls: `python -m benchmarks inbox_list`, over 100,000 open conversations.

`python -m benchmarks.inbox_list --database URL [--conversations N]` measures the same on a MongoDB (a database of its
own, dropped at the end). Each figure is what `GET /api/v1/inbox` asks of the store for one window of 50 rows, with its
counts, as an agent of two teams among eight; `deep` is the window after nine tenths of the list. Beside the time by the
clock stands that of the processor, which other programs' load disturbs less; nothing is remembered in between.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

from pymongo import AsyncMongoClient

from actors.effects import Effects, MessageStored, SlaChanged
from actors.events import Message, Sender
from actors.sla import Clock
from benchmarks.figures import Figure, pretty, quantile
from services.inbox.listing import Inbox
from services.inbox.scope import Scopes
from services.people.permissions import Caller
from storage.inbox_records import DeskChange, InboxFilter, Team
from storage.mongodb import MongoStore
from storage.ports import Store
from storage.records import AuditRow, Batch, PartitionMark, User
from storage.sqlite import SqliteStore

CONVERSATIONS = 100_000
WINDOW = 50
ROUNDS = 30
FLUSH = 5_000
START = 1_760_000_000_000
PLATFORMS = ("shopee", "lazada", "amazon", "ebay", "tiktok")
ACCOUNTS, TEAMS, AGENTS = 8, 8, 40
WANTED_MS = 300
"""A list that takes longer to open is a failure."""
ANN = Caller(name="agent2", role="agent", via="session")
ROOT = Caller(name="root", role="admin", via="session")
LISTS: tuple[tuple[str, Caller, bool, dict[str, Any]], ...] = (
    ("all, as an admin", ROOT, False, {}),
    ("all, as an admin, deep", ROOT, True, {}),
    ("all, as an agent", ANN, False, {}),
    ("all, as an agent, deep", ANN, True, {}),
    ("mine", ANN, False, {"tab": "mine"}),
    ("unassigned", ANN, False, {"tab": "unassigned"}),
    ("at risk", ANN, False, {"tab": "at_risk"}),
    ("of a platform", ANN, False, {"platform": "ebay"}),
    ("in a language", ANN, False, {"lang": "de"}),
    ("newest first", ANN, False, {"sort": "newest"}),
    ("newest first, deep", ANN, True, {"sort": "newest"}),
    ("dearest first", ANN, False, {"sort": "value"}),
)


def place(number: int) -> tuple[str, str, str]:
    """Platform, account and key of a conversation."""
    platform, account = PLATFORMS[number % len(PLATFORMS)], f"shop-{number // 5 % ACCOUNTS}"
    return platform, account, f"{platform}/{account}/c{number}"


def batch(rng: random.Random, first: int, size: int, version: int) -> Batch:
    """One flush of new conversations: a third answered, a third waiting, a third with a clock."""
    effects = Effects()
    for number in range(first, first + size):
        platform, account, key = place(number)
        at = START + number * 100
        event = Message(
            platform=platform,
            account=account,
            at=at,
            conversation=f"c{number}",
            message="m1",
            sent_at=at,
            direction="out" if number % 3 == 0 else "in",
            sender=Sender(id=f"u{number}", role="customer"),
            text="Where is my parcel, please?",
            lang=rng.choice(("en", "de", "zh", "fr")),
        )
        effects.messages.append(MessageStored(key, at, event, 0, None))
        if number % 3 == 1:
            due = at + rng.randrange(3_600_000)
            warned = at if number % 5 == 0 else None
            clock = Clock(ordinal=0, kind="first_response", started_at=at, due_at=due, warn_at=due, warned_at=warned)
            effects.sla.append(SlaChanged(key, clock))
    return Batch(mark=PartitionMark(partition=0, version=version, applied=version, time=START), effects=effects)


async def filled(store: Store, conversations: int) -> None:
    """Conversations, half of them with somebody; people and teams."""
    rng, note = random.Random(11), AuditRow(at=START, who="bench", what="bench", subject="bench")  # noqa: S311 # repeatable
    for version, first in enumerate(range(0, conversations, FLUSH), 1):
        await store.save(batch(rng, first, min(FLUSH, conversations - first), version))
    people = [(f"agent{n}", "agent") for n in range(AGENTS)] + [("root", "admin")]
    for name, role in people:
        user = User(id=name, name=name, role=role, password_hash="", created_at=START)  # type: ignore[arg-type]
        await store.put_user(user, note)
    for n in range(TEAMS):
        members = [f"agent{m}" for m in range(AGENTS) if m % TEAMS in {n, (n + 1) % TEAMS}]
        channels = [f"{platform}/shop-{n}" for platform in PLATFORMS]
        team = Team(id=f"t{n}", name=f"Team {n}", created_at=START, members=members, channels=channels)
        await store.save_team(team, note)
    taken = [
        (place(n)[2], DeskChange(at=START, replaces=0, assignee=f"agent{n % AGENTS}"), note)
        for n in range(0, conversations, 2)
    ]
    for first in range(0, len(taken), 500):
        await store.change_desks(taken[first : first + 500])


async def measured(store: Store, conversations: int) -> list[Figure]:
    """Every list, and the counts of 200 screens."""
    now = START + conversations * 100
    clock = iter(range(now, now + 10**9, 1_000))  # whatever is remembered for a second is read anew each time
    inbox = Inbox(store, Scopes(store, lambda: next(clock)), lambda: next(clock))
    found: list[Figure] = []
    for name, caller, deep, fields in LISTS:
        where = InboxFilter(now=now, **fields)
        total = (await inbox.window(caller, where, 0, 1)).total
        offset = total * 9 // 10 if deep else 0
        found.append(await _timed(name, f"{total:,} conversations", inbox.window, caller, where, offset, WINDOW))
    scopes = [await inbox.scope(Caller(name=f"agent{n % AGENTS}", role="agent", via="session")) for n in range(200)]
    found.append(await _timed("counts of 200 screens", "all tabs", inbox.counts, scopes))
    return found


async def _timed(name: str, note: str, ask: Callable[..., Awaitable[object]], *asked: object) -> Figure:
    times: list[float] = []
    busy: list[float] = []
    for _ in range(ROUNDS):
        began, used = time.perf_counter(), time.process_time()
        await ask(*asked)
        times.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - used) * 1000)
    slowest = quantile(times, 0.99)
    late = f", over {WANTED_MS} ms" if slowest > WANTED_MS else ""
    return Figure(
        name=name,
        value=quantile(times, 0.5),
        unit="ms",
        spread=(min(times), max(times)),
        note=f"p99 {pretty(slowest)} ms{late}; processor {pretty(quantile(busy, 0.5))} ms; {note}",
    )


async def of_sqlite(conversations: int = CONVERSATIONS) -> list[Figure]:
    """On a file of its own."""
    with tempfile.TemporaryDirectory(prefix="weir-inbox-") as folder:
        store = SqliteStore(Path(folder) / "store.db")
        await store.open()
        try:
            await filled(store, conversations)
            return await measured(store, conversations)
        finally:
            await store.close()


async def of_mongodb(url: str, conversations: int) -> list[Figure]:
    """On a database of its own."""
    address = f"{url.rstrip('/')}/weir-bench-{token_hex(4)}"
    store = MongoStore(address, timeout_s=600)
    await store.open()
    try:
        await filled(store, conversations)
        return await measured(store, conversations)
    finally:
        await store.close()
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(address)
        await client.drop_database(address.rpartition("/")[2])
        await client.close()


def measure() -> list[Figure]:
    """For `python -m benchmarks inbox_list`."""
    return asyncio.run(of_sqlite())


def main(arguments: list[str]) -> int:
    """Print the figures; 1 when a list opens too slowly."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inbox_list", description=__doc__)
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS)
    options = parser.parse_args(arguments)
    work = of_mongodb(options.database, options.conversations) if options.database else of_sqlite(options.conversations)
    figures = asyncio.run(work)
    for figure in figures:
        print(figure.row())
    return int(any(f"over {WANTED_MS} ms" in figure.note for figure in figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
