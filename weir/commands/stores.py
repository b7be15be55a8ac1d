"""The database of a data folder, opened for one command; it may be in use by a running Weir meanwhile."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from actors.errors import ConfigurationError
from weir.config import Config

Result = TypeVar("Result")


def with_store(config: Config, work: Callable[..., Awaitable[Result]], *, create: bool = False) -> Result:
    """What `work(store)` gives. Raises ConfigurationError when there is no database and none is to be made."""
    return asyncio.run(_with_store(config, work, create=create))


async def _with_store(config: Config, work: Callable[..., Awaitable[Result]], *, create: bool) -> Result:
    from storage.sqlite import SqliteStore  # noqa: PLC0415 # only commands that need the database load its adapter

    store = SqliteStore(store_file(config, create=create))
    await store.open()
    try:
        return await work(store)
    finally:
        await store.close()


def store_file(config: Config, *, create: bool = False) -> Path:
    """The database's file. Raises ConfigurationError when it is not there."""
    path = config.data / "store.db"
    if create:
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not path.exists():
        raise ConfigurationError(
            f"there is no Weir in {config.data_dir}; start `weir serve` once, or name another folder with --data-dir"
        )
    return path


def wall_clock() -> int:
    """The time in ms."""
    return time.time_ns() // 1_000_000


def operator() -> str:
    """Who works at this terminal, for audit rows."""
    return f"cli:{getpass.getuser()}"
