"""All parts of one process, open: what every role is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec import Struct

from storage.ports import Store
from weir.config import Config
from weir.parts.live import Live, opened_live
from weir.parts.log import Log, LogGateway, opened_log
from weir.parts.store import made_store, sync_of


class Parts(Struct, frozen=True, kw_only=True):
    """The open parts with the settings that named them."""

    config: Config
    store: Store
    log: Log
    gateway: LogGateway
    live: Live


@asynccontextmanager
async def opened_parts(config: Config) -> AsyncIterator[Parts]:
    """Everything open. Raises ConfigurationError or StoreDamagedError, naming the setting or the file.

    The log comes first: a built-in one that another process uses must stop this one before it touches the store.
    """
    async with AsyncExitStack() as stack:
        store = made_store(config, create=True)
        log, gateway = await stack.enter_async_context(opened_log(config, before_commit=sync_of(store)))
        await store.open()
        stack.push_async_callback(store.close)
        live = await stack.enter_async_context(opened_live(config))
        yield Parts(config=config, store=store, log=log, gateway=gateway, live=live)
