"""The embedded log: partitioned, durable, append-only, in one SQLite file (WAL, synced at every commit).

An append is durable when its call returns. Offsets are contiguous per partition from 0; records are deleted only by
`trim`, and never before every consumer has committed them.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from weakref import WeakValueDictionary

from actors.errors import ConfigurationError
from streams.embedded.damage import mend_tails, problems
from streams.embedded.reader import Reader
from streams.embedded.schema import LogInUseError, connect, created_with
from streams.embedded.writer import Append, Commit, Places, Row, Trim, Writer
from streams.ports import LogRecord, PartitionPosition
from streams.topics import GROUP, PARTITIONS

PAGE_BYTES = 4_000_000


class EmbeddedLog:
    """One log; open it once per process. Appends and commits raise LogFullError or LogDamagedError."""

    _open: ClassVar[WeakValueDictionary[str, EmbeddedLog]] = WeakValueDictionary()

    def __init__(
        self,
        path: Path | str,
        *,
        partitions: int = PARTITIONS,
        consumer: str = GROUP,
        limit_bytes: int | None = None,
        before_commit: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        self.partitions = partitions
        self.consumer = consumer
        self._limit_bytes = limit_bytes
        self._before_commit = before_commit
        self._listeners: list[Callable[[], None]] = []
        self._problems: list[str] = []
        self._lock = -1
        self._writer: Writer | None = None
        self._places: Places | None = None
        self._reader: Reader | None = None

    @property
    def url(self) -> str:
        """What Faust calls this log."""
        return f"embedded://local{quote(str(self.path))}"

    @classmethod
    def at(cls, path: str) -> EmbeddedLog:
        """The open log of that path; raises ConfigurationError when this process has not opened it."""
        log = cls._open.get(path)
        if log is None:
            raise ConfigurationError(f"the log {path} is not open in this process: open it before starting the streams")
        return log

    async def open_to_read(self) -> None:
        """Open what another process may own, as it is now, for reading only. Raises like `open`."""
        self._reader = Reader(self.path)
        await self._reader.run(lambda db: self._check_partitions(created_with(db)))
        self._places = await self._reader.run(lambda db: Places(db, self.partitions))
        self._problems = await self._reader.run(problems)

    async def open(self) -> None:
        """Create or open the file. Raises LogInUseError, LogDamagedError or ConfigurationError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            self._lock = _own(self.path)
            undo.callback(os.close, self._lock)
            db = await asyncio.to_thread(connect, self.path, limit_bytes=self._limit_bytes)
            undo.callback(db.close)
            self._check_partitions(created_with(db, self.partitions))
            self._places = await asyncio.to_thread(Places, db, self.partitions)
            await asyncio.to_thread(mend_tails, db, self.path, self._places, self.consumer)
            self._problems = problems(db)
            undo.pop_all()
        self._writer = Writer(db, self.path, self._places, self._appended)
        self._reader = Reader(self.path)
        self._open[str(self.path)] = self

    def _check_partitions(self, found: int) -> None:
        if found != self.partitions:
            raise ConfigurationError(
                f"the log {self.path} was created with {found} partitions: set that, not {self.partitions}"
            )

    async def close(self) -> None:
        """Finish what is queued and close the file; safe to call twice."""
        writer, reader, self._writer, self._reader = self._writer, self._reader, None, None
        if reader is not None:
            await reader.close()
        if writer is not None:
            self._open.pop(str(self.path), None)
            await writer.close()
            os.close(self._lock)

    async def append(self, rows: Sequence[Row]) -> list[int]:
        """Append (partition, wall, data) rows, all or none; their offsets, once they are durable."""
        return await self._writing.ask(Append(rows))

    async def commit(self, offsets: Mapping[int, int], consumer: str | None = None) -> None:
        """Note, durably, the next offset to be read of some partitions; what they stand for is made durable first."""
        if self._before_commit is not None:
            await self._before_commit()
        await self._writing.ask(Commit(consumer or self.consumer, dict(offsets)))

    async def trim(self, before_wall: int) -> int:
        """Delete records accepted before `before_wall` (ms) that every consumer has committed; returns how many."""
        deleted = 0
        for partition in range(self.partitions):
            offsets = [offsets.get(partition, 0) for offsets in self._known.committed.values()]
            start, processed = self.start(partition), min(offsets, default=0)
            if processed <= start:
                continue
            end = await self._reading.offset_at(partition, start, processed, before_wall)
            left = end - start
            deleted += left
            while left > 0:
                left = await self._writing.ask(Trim(partition, end))
        return deleted

    def start(self, partition: int) -> int:
        """The first offset still held."""
        return self._known.starts[partition]

    def end(self, partition: int) -> int:
        """The next offset to be written."""
        return self._known.ends[partition]

    def committed(self, partition: int, consumer: str | None = None) -> int | None:
        """The next offset to be read by a consumer; None when it never committed."""
        return self._known.committed.get(consumer or self.consumer, {}).get(partition)

    def last_wall(self) -> int:
        """The latest acceptance time in the log (ms); 0 when it is empty."""
        return max(self._known.walls)

    async def fetch(self, wanted: Mapping[int, int], *, records: int = 64, size: int = PAGE_BYTES) -> list[LogRecord]:
        """Records of several partitions from their offsets on, in order within each; empty at the end."""
        return await self._reading.fetch(wanted, records, size)

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        return [
            PartitionPosition(
                partition=partition,
                start=self.start(partition),
                end=self.end(partition),
                committed=self.committed(partition) or self.start(partition),
            )
            for partition in range(self.partitions)
        ]

    async def waiting_since(self) -> int | None:
        """When the oldest record not committed was accepted (ms); None when all are."""
        walls = [
            await self._reading.wall_at(place.partition, place.committed)
            for place in await self.positions()
            if place.committed < place.end
        ]
        return min((wall for wall in walls if wall is not None), default=None)

    async def records(
        self, partition: int, offset: int = 0, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Records of a partition in order, from `offset` on, accepted in [since, until)."""
        start, end = max(offset, self.start(partition)), self.end(partition)
        if since is not None:
            start = await self._reading.offset_at(partition, start, end, since)
        if until is not None:
            end = await self._reading.offset_at(partition, start, end, until)
        while start < end:
            page = await self._reading.page(partition, start, end, PAGE_BYTES)
            if not page:
                return
            for record in page:
                yield record
            start = page[-1].offset + 1

    def problems(self) -> list[str]:
        """What was found damaged when the log was opened, as sentences; empty when all is well."""
        return list(self._problems)

    async def check(self) -> list[str]:
        """Look through the whole file: damage and holes, as sentences; takes time on a big log."""
        found = self.problems()
        rows = await self._reading.run(lambda db: db.execute("PRAGMA quick_check(10)").fetchall())
        found += [f"{self.path}: {row[0]}" for row in rows if row[0] != "ok"]
        for partition in range(self.partitions):
            expected = self.start(partition)
            async for record in self.records(partition):
                if record.offset != expected:
                    found.append(f"{self.path}: partition {partition} lacks records {expected} to {record.offset - 1}")
                expected = record.offset + 1
        return found

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back on the event loop after every append; returns what ends it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _appended(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            raise ConfigurationError(f"the log {self.path} is not open for writing")
        return self._writer

    @property
    def _reading(self) -> Reader:
        if self._reader is None:
            raise ConfigurationError(f"the log {self.path} is not open")
        return self._reader

    @property
    def _known(self) -> Places:
        if self._places is None:
            raise ConfigurationError(f"the log {self.path} is not open")
        return self._places


def _own(path: Path) -> int:
    """Take the log for this process alone; the lock ends with the process. Raises LogInUseError."""
    lock = os.open(f"{path}-lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LogInUseError(
            f"another process uses the log {path}: stop it, or choose another data directory"
        ) from error
    return lock
