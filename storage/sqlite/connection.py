"""One writer thread and a few reader threads over one file, behind awaitable calls; SQLite's errors as ours."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sqlite3 import Connection
from typing import Concatenate, ParamSpec, TypeVar

from actors.errors import ConfigurationError, RejectedError
from storage.errors import StoreBusyError, StoreDamagedError, StoreFullError
from storage.sqlite.schema import migrate

P = ParamSpec("P")
T = TypeVar("T")

READERS = 3
SEARCHERS = 2
"""Searches have threads of their own: however many wait, what the engine and the screens read does not."""
PAGE_BYTES = 4096
WAL_PAGES = 16_000
"""A checkpoint every 64 MB: each writes a page once however often the log holds it, and waits for the disk twice."""
CACHE_KIB = 128 * 1024


class Database:
    """The connections of one file; `write` runs in its own transaction in the writer thread, `read` in a snapshot."""

    def __init__(self, path: Path, *, busy_ms: int) -> None:
        self.path = path
        self._busy_ms = busy_ms
        self._local = threading.local()
        self._all: list[Connection] = []
        self._writer: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._searchers: ThreadPoolExecutor | None = None
        self._syncer: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Create or open the file and bring its schema up to date."""
        self._writer = ThreadPoolExecutor(1, "store-writer")
        try:
            await self._run(self._writer, self._open_writer)
        except BaseException:
            await self.close()
            raise
        self._readers = ThreadPoolExecutor(READERS, "store-reader")
        self._searchers = ThreadPoolExecutor(SEARCHERS, "store-searcher")
        self._syncer = ThreadPoolExecutor(1, "store-syncer")

    async def close(self) -> None:
        """Finish what is queued, then disconnect."""
        pools = self._searchers, self._readers, self._syncer, self._writer
        self._searchers = self._readers = self._syncer = self._writer = None
        for pool in pools:
            if pool:
                await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)
        # The writer was opened first; SQLite tidies the log away when the last connection goes.
        await asyncio.to_thread(self._disconnect)

    def _disconnect(self) -> None:
        while self._all:
            self._all.pop().close()

    async def write_soon(self, job: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, but a power cut may undo it until the next `sync` or `write`."""
        return await self._run(self._writer, self._transaction, "BEGIN IMMEDIATE", job, args, kwargs, "NORMAL")

    async def sync(self) -> None:
        """Return when the disk holds everything written so far, whatever happens to the machine."""
        await self._run(self._syncer, self._sync)

    def _sync(self) -> None:
        """Sync the write-ahead log: a checkpoint has synced what is not in it any more."""
        try:
            log = os.open(f"{self.path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # nothing was written since it was tidied away
        try:
            os.fdatasync(log)
        except OSError as error:
            raise StoreFullError(f"{self.path} cannot be synced to the disk ({error.strerror}): look at it") from error
        finally:
            os.close(log)

    async def write(self, job: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `job` in one transaction: all of it, or nothing when it raises."""
        return await self._run(self._writer, self._transaction, "BEGIN IMMEDIATE", job, args, kwargs, "FULL")

    async def read(self, job: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `job` against one consistent snapshot, beside the writer."""
        return await self._run(self._readers, self._transaction, "BEGIN", job, args, kwargs)

    async def search(self, job: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, for what may take long; it waits for other searches only."""
        return await self._run(self._searchers, self._transaction, "BEGIN", job, args, kwargs)

    async def _run(self, pool: ThreadPoolExecutor | None, job: Callable[..., T], *args: object) -> T:
        if pool is None:
            raise ConfigurationError(f"the store {self.path} is not open; call open() first")
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, job, *args)
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise RejectedError(f"a value cannot be stored or looked up ({error}); correct the input") from error

    def _transaction(
        self,
        begin: str,
        job: Callable[..., T],
        args: tuple[object, ...],
        kwargs: dict[str, object],
        synchronous: str | None = None,
    ) -> T:
        connection: Connection = getattr(self._local, "connection", None) or self._connect(read_only=True)
        if synchronous:
            connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(begin)
        try:
            result = job(connection, *args, **kwargs)
            connection.execute("COMMIT")
        except BaseException:
            # A full disk makes SQLite roll back by itself.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _open_writer(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made before SQLite does, which would let the umask decide; its log files copy this mode.
            self.path.touch(mode=0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the store {self.path} cannot be created ({error.strerror});"
                " choose another path or mend the rights of its folder"
            ) from error
        migrate(self._connect(read_only=False), str(self.path))

    def _connect(self, *, read_only: bool) -> Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        self._all.append(connection)
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        self._local.connection = connection
        return connection


FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE}


def explained(error: sqlite3.Error, path: Path) -> Exception:
    """The same trouble as an error of the port, with what to do; unknown ones come back as they are."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    if code in FULL:
        return StoreFullError(
            f"the disk that holds {path} is full or cannot be written ({error}); nothing was written: free space"
        )
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreBusyError(f"{path} is locked by another program; it is tried again, else stop what holds it")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreDamagedError(
                f"{path} is damaged ({error}): stop Weir, move it and its -wal and -shm aside,"
                " put the newest backup in its place; without one, `sqlite3 FILE .recover` saves what is readable"
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return ConfigurationError(
                f"{path} cannot be opened for writing ({error}); mend the rights of the file and its folder"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreBusyError(
                f"reading or writing {path} failed ({error}); it is tried again, look at the disk if it goes on"
            )
        case _:
            return error
