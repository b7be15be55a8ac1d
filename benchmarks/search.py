"""How long searches take, alone and while messages flow in: `python -m benchmarks.search [--messages N]`.

Builds three years of messages in a store, asks every kind of query alone, then lets 20 people search at once, each
about once a second, while 50 messages a second are saved (AT-49). Peers, in the same file: SQLite's own scan (LIKE) and
an FTS5 table with the trigram tokenizer. The MongoDB adapter is measured on FerretDB over SQLite, which emulates the
server and reads the whole collection for what a MongoDB looks up in an index; beside it stands how long FerretDB takes
to count the messages, which is that reading alone. `--database mongodb://HOST:27017` measures a MongoDB of yours too.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import uvloop

from benchmarks import search_inputs
from benchmarks.figures import Figure, pretty, quantile
from benchmarks.search_inputs import QUERIES
from services.people.permissions import Caller
from services.search.query import Asked
from services.search.search import Search
from storage.inbox_records import Scope
from storage.mongodb import MongoStore
from storage.ports import Store
from storage.records import ConversationFilter, Page
from storage.sqlite import SqliteStore
from tests.services import ferretdb

MESSAGES = 1_000_000
FERRET_MESSAGES = 3_000
FLUSH = 5_000
ROUNDS = 7
PAGE = 50
SEARCHERS = 20
BUSY_S = 30.0
A_SECOND = 50
SAVE_EVERY_S = 0.25
TRIGRAM_QUERIES = {
    "a word of 30 % of the messages": search_inputs.FREQUENT,
    "a phrase of four characters": "七天无理",
    "a word that is there once, two years ago": "заказ",
}
ALL = Scope(everything=True)


def measure(messages: int = MESSAGES, ferret: int = FERRET_MESSAGES, database: str | None = None) -> list[Figure]:
    """Every figure; `database`: the address of a MongoDB that is measured as well, with as many messages as SQLite."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        path = Path(folder) / "store.db"
        figures += uvloop.run(_measured(SqliteStore(path), "SQLite", messages, path))
    if ferret:
        with ferretdb.running() as server:
            figures += uvloop.run(_measured(MongoStore(server.fresh(), timeout_s=300), "FerretDB", ferret, None))
    if database is not None:
        fresh = MongoStore(f"{database.rstrip('/')}/weir-benchmark-{uuid4().hex[:8]}", timeout_s=300)
        figures += uvloop.run(_measured(fresh, "MongoDB", messages, None))
    return figures


async def _measured(store: Store, name: str, messages: int, path: Path | None) -> list[Figure]:
    await store.open()
    try:
        started = time.perf_counter()
        version = 0
        conversations = max(10, messages // 10)
        for batch in search_inputs.batches(messages, FLUSH, conversations):
            await store.save(batch)
            version = batch.mark.version
        took = time.perf_counter() - started
        figures = [Figure(name=f"{name}: {messages:,} messages saved", value=messages / took, unit="messages/s")]
        alone = await _alone(store, name)
        figures += alone
        if path is not None:
            figures += await asyncio.to_thread(_peers, path, {figure.name: figure.value for figure in alone})
        else:
            figures.append(await _reading(store, name))
        return figures + await _busy(store, name, version, messages, conversations)
    finally:
        await store.close()


def _asking(store: Store) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every kind of question."""

    def messages_of(asked: Asked) -> Callable[[], Awaitable[object]]:
        return lambda: store.search_messages(asked.search(ALL), PAGE)

    async def everything(_caller: Caller) -> Scope:
        return ALL

    search = Search(store, everything)
    caller = Caller(name="bench", role="admin", via="cli")
    asking = {name: messages_of(asked) for name, asked in QUERIES.items()}
    asking["conversations with a frequent word"] = lambda: store.conversations(
        ConversationFilter(q=search_inputs.FREQUENT), PAGE
    )
    asking["palette, a frequent word"] = lambda: search.palette(caller, Asked(words=search_inputs.FREQUENT))
    asking["palette, an order number"] = lambda: search.palette(caller, Asked(words="ORD-77-31"))
    return asking


async def _alone(store: Store, name: str) -> list[Figure]:
    """The first page of each kind, nobody else about."""
    figures: list[Figure] = []
    for kind, ask in _asking(store).items():
        took = [await _timed(ask) for _ in range(ROUNDS if name == "SQLite" else 3)]
        found = await ask()
        note = f"{len(found.items)} on the page" if isinstance(found, Page) else ""
        spread = (min(took), max(took))
        figures.append(Figure(name=f"{name}: {kind}", value=quantile(took, 0.5), unit="ms", spread=spread, note=note))
    return figures


async def _busy(store: Store, name: str, version: int, messages: int, conversations: int) -> list[Figure]:
    """20 searchers, each about once a second, while messages are saved."""
    until = time.perf_counter() + BUSY_S
    took: list[float] = []
    delays: list[float] = []
    asking = list(_asking(store).values())

    async def searcher(number: int) -> None:
        rng = random.Random(number)  # noqa: S311 # the same questions each time
        await asyncio.sleep(rng.random())
        while time.perf_counter() < until:
            took.append(await _timed(rng.choice(asking)))
            await asyncio.sleep(rng.uniform(0.5, 1.5))

    async def stream() -> None:
        first, saved = messages, version
        began = time.perf_counter()
        while time.perf_counter() < until:
            due = began + (first - messages) / A_SECOND
            await asyncio.sleep(max(0.0, due + SAVE_EVERY_S - time.perf_counter()))
            count = max(1, int((time.perf_counter() - began) * A_SECOND) - (first - messages))
            saved += 1
            await store.save(search_inputs.arriving(saved, first, count, conversations))
            now = time.perf_counter()
            delays.extend((now - began - (first - messages + n) / A_SECOND) * 1000 for n in range(count))
            first += count

    await asyncio.gather(stream(), *(searcher(number) for number in range(SEARCHERS)))
    note = f"{SEARCHERS} people searching, {A_SECOND} messages/s, {len(took)} searches"
    return [
        Figure(name=f"{name}: a search, p50", value=quantile(took, 0.5), unit="ms", note=note),
        Figure(name=f"{name}: a search, p95", value=quantile(took, 0.95), unit="ms", note=note),
        Figure(name=f"{name}: a message until it is saved, p95", value=quantile(delays, 0.95), unit="ms", note=note),
    ]


async def _timed(ask: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await ask()
    return (time.perf_counter() - started) * 1000


async def _reading(store: Store, name: str) -> Figure:
    """How long the emulated server takes to read collections, which each search makes it do at least once."""
    note = "no search: it reads messages twice, conversations once"
    return Figure(name=f"{name}: the server counts its rows", value=await _timed(store.counts), unit="ms", note=note)


def _peers(path: Path, ours: dict[str, float]) -> list[Figure]:
    """The same questions to SQLite without this index, in the same file."""
    figures: list[Figure] = []
    with _connected(path) as connection:
        like = "SELECT id FROM messages WHERE event LIKE ? ORDER BY sent_at DESC LIMIT ?"
        for kind, words in TRIGRAM_QUERIES.items():
            figures.append(_peer(connection, "LIKE", like, kind, f"%{words}%", ours))
        connection.execute("CREATE VIRTUAL TABLE grams USING fts5 (text, content = '', tokenize = 'trigram')")
        started = time.perf_counter()
        connection.execute(
            "INSERT INTO grams (rowid, text) SELECT id, json_extract(event, '$.text') FROM messages ORDER BY id"
        )
        took = time.perf_counter() - started
        rows = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
        figures.append(Figure(name="trigram: filled", value=rows / took, unit="messages/s", note="texts alone"))
        match = "SELECT rowid FROM grams WHERE grams MATCH ? ORDER BY rowid DESC LIMIT ?"
        for kind, words in TRIGRAM_QUERIES.items():
            figures.append(_peer(connection, "trigram", match, kind, f'"{words}"', ours))
        connection.execute("DROP TABLE grams")
    return figures


def _peer(connection: sqlite3.Connection, peer: str, sql: str, kind: str, words: str, ours: dict[str, float]) -> Figure:
    took: list[float] = []
    for _ in range(3):
        started = time.perf_counter()
        connection.execute(sql, (words, PAGE)).fetchall()
        took.append((time.perf_counter() - started) * 1000)
    middle = quantile(took, 0.5)
    note = f"{pretty(middle / ours[f'SQLite: {kind}'])} times ours, which brings whole rows with places"
    return Figure(name=f"{peer}: {kind}", value=middle, unit="ms", spread=(min(took), max(took)), note=note)


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        yield connection
    finally:
        connection.rollback()
        connection.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--ferret", type=int, default=FERRET_MESSAGES, help="messages in FerretDB; 0: without it")
    parser.add_argument(
        "--database", help="mongodb://HOST:PORT of a server to measure as well; it keeps a database weir-benchmark-…"
    )
    options = parser.parse_args()
    print(f"SQLite {sqlite3.sqlite_version}", file=sys.stderr)
    for figure in measure(options.messages, options.ferret, options.database):
        print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
