"""The log's one reading thread, so that a slow disk never holds up the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from streams.embedded.schema import connect_reader, offset_of, record_id, translate
from streams.ports import LogRecord

Answer = TypeVar("Answer")


class Reader:
    """Owns the reading connection. Every method raises LogFullError or LogDamagedError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-reader")
        self._turn = 0

    async def run(self, read: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run `read` on the reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, read)

    async def fetch(self, wanted: Mapping[int, int], records: int, size: int) -> list[LogRecord]:
        """At most `records` records of the partitions from their offsets on, in order within each.

        Partitions take turns; at least one record comes however big it is, and reading stops at `size` bytes.
        """
        self._turn += 1
        turn = self._turn % len(wanted) if wanted else 0
        order = sorted(wanted.items())
        order = order[turn:] + order[:turn]
        share = max(1, records // max(1, len(order)))
        return await self.run(lambda db: _fetch(db, order, share, size))

    async def page(self, partition: int, offset: int, end: int, size: int) -> list[LogRecord]:
        """Records of [`offset`, `end`) of one partition, about `size` bytes of them."""
        return await self.run(lambda db: _range(db, partition, offset, end, 1000, size))

    async def wall_at(self, partition: int, offset: int) -> int | None:
        """When the record was accepted (ms); None when it is not there."""
        return await self.run(lambda db: _wall_at(db, partition, offset))

    async def offset_at(self, partition: int, start: int, end: int, wall: int) -> int:
        """The first offset of [`start`, `end`) accepted at `wall` or later; `end` when there is none."""

        def search(db: sqlite3.Connection) -> int:
            return bisect_left(range(end), wall, lo=start, key=lambda offset: _wall_at(db, partition, offset) or 0)

        return await self.run(search)

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await self.run(sqlite3.Connection.close)
        self._thread.shutdown(wait=True)

    def _run(self, read: Callable[[sqlite3.Connection], Answer]) -> Answer:
        if self._db is None:
            self._db = connect_reader(self._path)
        try:
            return read(self._db)
        except sqlite3.Error as error:
            raise translate(error, self._path) from error


def _fetch(db: sqlite3.Connection, order: list[tuple[int, int]], share: int, size: int) -> list[LogRecord]:
    found: list[LogRecord] = []
    left = size
    for partition, offset in order:
        part = _range(db, partition, offset, record_id(1, 0) - 1, share, left)
        found += part
        left -= sum(len(record.data) for record in part)
        if left <= 0:
            break
    return found


def _range(db: sqlite3.Connection, partition: int, offset: int, end: int, records: int, size: int) -> list[LogRecord]:
    found: list[LogRecord] = []
    rows = db.execute(
        "SELECT id, wall, data FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (record_id(partition, offset), record_id(partition, end), records),
    )
    for row_id, wall, data in rows:
        found.append(LogRecord(partition, offset_of(row_id), wall, data))
        size -= len(data)
        if size <= 0:
            break
    rows.close()
    return found


def _wall_at(db: sqlite3.Connection, partition: int, offset: int) -> int | None:
    row = db.execute("SELECT wall FROM record WHERE id = ?", (record_id(partition, offset),)).fetchone()
    return None if row is None else row[0]
