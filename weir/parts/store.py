"""The store the settings name: the built-in one in the data folder, or MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from actors.errors import ConfigurationError
from storage.ports import Store
from storage.records import Batch
from storage.sqlite import SqliteStore
from weir.config import EMBEDDED, Config

STORE_FILE = "store.db"


class SyncedSqliteStore(SqliteStore):
    """The built-in store beside a log that does not ask it to sync before offsets are committed: every save does."""

    async def save(self, batch: Batch) -> None:
        """Write everything of a batch in one transaction, and return when the disk holds it."""
        await super().save(batch)
        await self.sync()


@asynccontextmanager
async def opened_store(config: Config, *, create: bool = True) -> AsyncIterator[Store]:
    """The store, open. Raises ConfigurationError, or StoreDamagedError naming the file; `create`: make absent files."""
    store = made_store(config, create=create)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def made_store(config: Config, *, create: bool) -> Store:
    """The store, not open yet. Raises ConfigurationError when its file is not there and not to be made."""
    if config.database != EMBEDDED:
        from storage.mongodb import MongoStore  # noqa: PLC0415 # see the package's docstring

        return MongoStore(config.database)
    kind = SqliteStore if config.broker == EMBEDDED else SyncedSqliteStore
    return kind(store_file(config, create=create))


def sync_of(store: Store) -> Callable[[], Awaitable[object]] | None:
    """What makes every save so far durable; None when a save is durable by itself."""
    return store.sync if isinstance(store, SqliteStore) else None


def store_file(config: Config, *, create: bool = False) -> Path:
    """The built-in database's file. Raises ConfigurationError when it is not there and not to be made."""
    path = config.data / STORE_FILE
    if create:
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not path.exists():
        raise ConfigurationError(
            f"there is no Weir in {config.data_dir}; start `weir serve` once, or name another folder with --data-dir"
        )
    return path
