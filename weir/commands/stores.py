"""The database the settings name, opened for one command; it may be in use by a running Weir meanwhile."""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from weir.config import Config

Result = TypeVar("Result")


def with_store(config: Config, work: Callable[..., Awaitable[Result]], *, create: bool = False) -> Result:
    """What `work(store)` gives. Raises ConfigurationError when there is no database and none is to be made."""
    return asyncio.run(_with_store(config, work, create=create))


async def _with_store(config: Config, work: Callable[..., Awaitable[Result]], *, create: bool) -> Result:
    from weir.parts.store import opened_store  # noqa: PLC0415 # only commands that need the database load its adapter

    async with opened_store(config, create=create) as store:
        return await work(store)


def wall_clock() -> int:
    """The time in ms."""
    return time.time_ns() // 1_000_000


def operator() -> str:
    """Who works at this terminal, for audit rows."""
    return f"cli:{getpass.getuser()}"
