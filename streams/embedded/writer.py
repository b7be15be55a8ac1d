"""The log's one writing thread: takes everything queued since its last commit into one transaction.

A request is answered only after COMMIT returned with the data synced to disk. Whatever fails, fails whole: nothing of
the transaction is in the log, and every request in it is told so.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, assert_never

from msgspec import Struct

from actors.errors import WeirError
from streams.embedded.schema import is_locked, offset_of, record_id, translate
from streams.ports import LogFullError

Row: TypeAlias = tuple[int, int, bytes]
"""(partition, wall, data) of a record to be appended."""

TRANSACTION_BYTES = 32_000_000
TRANSACTION_REQUESTS = 5000
LOCK_PATIENCE_S = 10.0
TRIM_ROWS = 500
INSERT_ROWS = 50
"""In one statement: after each this thread has to wait for the interpreter, which is busy with everything else."""
COLUMNS = 3


class Append(Struct, frozen=True):
    """Append rows, each after the last one of its partition. Answered with their offsets."""

    rows: Sequence[Row]


class Commit(Struct, frozen=True):
    """Note the next offset to be read of some partitions."""

    consumer: str
    offsets: Mapping[int, int]


class Trim(Struct, frozen=True):
    """Delete up to TRIM_ROWS rows of a partition before offset `end`. Answered with how many are left."""

    partition: int
    end: int


Request: TypeAlias = Append | Commit | Trim


@cache
def _insert(rows: int) -> str:
    return "INSERT INTO record VALUES " + ", ".join(["(?, ?, ?)"] * rows)  # noqa: S608 # nothing but marks


class Places:
    """Where each partition starts and ends, and how far each consumer is; as on disk."""

    def __init__(self, db: sqlite3.Connection, partitions: int) -> None:
        trimmed = dict(db.execute("SELECT partition, start FROM trimmed").fetchall())
        self.starts = [trimmed.get(partition, 0) for partition in range(partitions)]
        self.ends = list(self.starts)
        self.walls = [0] * partitions
        self.committed: dict[str, dict[int, int]] = {}
        for partition in range(partitions):
            last = db.execute(
                "SELECT id, wall FROM record WHERE id < ? ORDER BY id DESC LIMIT 1",
                (record_id(partition + 1, 0),),
            ).fetchone()
            if last is not None and last[0] >= record_id(partition, 0):
                self.ends[partition] = offset_of(last[0]) + 1
                self.walls[partition] = last[1]
        for consumer, partition, offset in db.execute("SELECT consumer, partition, offset FROM committed"):
            self.committed.setdefault(consumer, {})[partition] = offset


class Writer:
    """Owns the writing connection. `on_append` is called on the event loop after each commit that appended."""

    def __init__(self, db: sqlite3.Connection, path: Path, places: Places, on_append: Callable[[], None]) -> None:
        self._db = db
        self._path = path
        self._places = places
        self._on_append = on_append
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[tuple[Request, asyncio.Future[Any]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="log-writer", daemon=True)
        self._closed = False
        self.transactions = 0
        self._thread.start()

    def ask(self, request: Request) -> asyncio.Future[Any]:
        """Queue a request; the future ends when it is durable. Raises LogFullError when the log is closed."""
        if self._closed:
            raise LogFullError(f"the log {self._path} is closed")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put((request, future))
        return future

    async def close(self) -> None:
        """Finish what is queued, then close the file."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._gather()
            if batch:
                self._carry_out(batch)
        self._db.close()

    def _gather(self) -> tuple[list[tuple[Request, asyncio.Future[Any]]], bool]:
        """Everything queued by now, within the bounds of one transaction; True when the log is being closed."""
        batch: list[tuple[Request, asyncio.Future[Any]]] = []
        size = 0
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if isinstance(item[0], Append):
                size += sum(len(row[2]) for row in item[0].rows)
            if size >= TRANSACTION_BYTES or len(batch) >= TRANSACTION_REQUESTS:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _carry_out(self, batch: list[tuple[Request, asyncio.Future[Any]]]) -> None:
        requests = [request for request, _ in batch]
        try:
            answers = self._transaction(requests)
        except WeirError as error:
            self._deliver([(future, None, error) for _, future in batch], appended=False)
            return
        appended = any(isinstance(request, Append) for request in requests)
        pairs = zip(batch, answers, strict=True)
        self._deliver([(future, answer, None) for (_, future), answer in pairs], appended=appended)

    def _transaction(self, requests: list[Request]) -> list[Any]:
        """All requests in one transaction; raises LogFullError or LogDamagedError with nothing changed."""
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while True:
            ends, walls = list(self._places.ends), list(self._places.walls)
            try:
                self._db.execute("BEGIN IMMEDIATE")
                answers = [self._perform(request, ends, walls) for request in requests]
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                if is_locked(error) and time.monotonic() < deadline:
                    continue
                raise translate(error, self._path) from error
            self.transactions += 1
            self._places.ends[:], self._places.walls[:] = ends, walls
            self._note(requests)
            return answers

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _perform(self, request: Request, ends: list[int], walls: list[int]) -> Any:
        match request:
            case Append(rows):
                return self._append(rows, ends, walls)
            case Commit(consumer, offsets):
                self._db.executemany(
                    "INSERT OR REPLACE INTO committed VALUES (?, ?, ?)",
                    [(consumer, partition, offset) for partition, offset in offsets.items()],
                )
                return None
            case Trim(partition, end):
                return self._trim(partition, end)
            case _:
                assert_never(request)

    def _append(self, rows: Sequence[Row], ends: list[int], walls: list[int]) -> list[int]:
        offsets: list[int] = []
        values: list[int | bytes] = []
        for partition, wall, data in rows:
            offsets.append(ends[partition])
            walls[partition] = max(walls[partition], wall)
            values += (record_id(partition, ends[partition]), walls[partition], data)
            ends[partition] += 1
        for start in range(0, len(values), INSERT_ROWS * COLUMNS):
            some = values[start : start + INSERT_ROWS * COLUMNS]
            self._db.execute(_insert(len(some) // COLUMNS), some)
        return offsets

    def _trim(self, partition: int, end: int) -> int:
        start = self._places.starts[partition]
        stop = min(end, start + TRIM_ROWS)
        self._db.execute(
            "DELETE FROM record WHERE id >= ? AND id < ?",
            (record_id(partition, start), record_id(partition, stop)),
        )
        self._db.execute("INSERT OR REPLACE INTO trimmed VALUES (?, ?)", (partition, stop))
        self._db.execute("DELETE FROM quarantine WHERE partition = ? AND offset < ?", (partition, stop))
        return end - stop

    def _note(self, requests: list[Request]) -> None:
        """Bring what is remembered in line with what was committed."""
        for request in requests:
            match request:
                case Append():
                    continue
                case Commit(consumer, offsets):
                    self._places.committed.setdefault(consumer, {}).update(offsets)
                case Trim(partition, end):
                    self._places.starts[partition] = min(end, self._places.starts[partition] + TRIM_ROWS)
                case _:
                    assert_never(request)

    def _deliver(self, results: list[tuple[asyncio.Future[Any], Any, WeirError | None]], *, appended: bool) -> None:
        try:
            self._loop.call_soon_threadsafe(self._resolve, results, appended)
        except RuntimeError:
            # The loop is gone and with it everybody who could hear the answer.
            self._closed = True

    def _resolve(
        self,
        results: list[tuple[asyncio.Future[Any], Any, WeirError | None]],
        appended: bool,  # noqa: FBT001 # a loop callback takes no keywords
    ) -> None:
        for future, answer, error in results:
            if future.done():
                continue
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)
        if appended:
            self._on_append()
