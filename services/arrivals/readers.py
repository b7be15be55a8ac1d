"""A task for each bound channel that must be read from: in one process at a time, begun anew when its binding changes.

What is read (a mailbox, a platform's queue) and how is the business of whoever hands in `wanted` and `read`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import structlog

from actors.errors import ConfigurationError, PermanentError, RetriableError
from actors.keys import channel_key
from connectors.contract.connector import Connector
from services.channels.bindings import ChannelView
from streams.coordination.duty import Duty
from streams.coordination.locks import Lease, Locks

LOOK_S = 5.0
"""How often the list of bound channels is looked at."""
C = TypeVar("C", bound=Connector)
_log = structlog.get_logger(__name__)


class Channels(Protocol):
    """Which channels are bound; `services.channels.bindings.Bindings` fits."""

    async def bindings(self) -> list[ChannelView]:
        """Every bound channel."""
        ...

    async def connector(self, platform: str, account: str) -> Connector | None:
        """The connector of a bound channel."""
        ...


class Readers(Generic[C]):
    """Reads every channel of a kind. `what`: the kind, for locks and the log; any number of processes may run one."""

    def __init__(
        self,
        what: str,
        *,
        channels: Channels,
        locks: Locks,
        wanted: Callable[[Connector], C | None],
        read: Callable[[C], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`wanted`: the connector when it is of the kind; `read` reads one channel, for ever."""
        self._what = what
        self._channels = channels
        self._locks = locks
        self._wanted = wanted
        self._read = read
        self._sleep = sleep
        self._tasks: dict[str, tuple[C, asyncio.Task[None]]] = {}
        self._told: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """For ever."""
        try:
            while True:
                with suppress(RetriableError):  # the list is looked at again; what runs goes on
                    await self._look()
                await self._sleep(LOOK_S)
        finally:
            await self._end(list(self._tasks))

    async def _look(self) -> None:
        wanted: dict[str, C] = {}
        for view in await self._channels.bindings():
            connector = await self._connector(view)
            if connector is not None:
                wanted[channel_key(view.platform, view.account)] = connector
        changed = [name for name, (connector, _) in self._tasks.items() if wanted.get(name) is not connector]
        await self._end([*changed, *(name for name, (_, task) in self._tasks.items() if task.done())])
        for name, connector in wanted.items():
            if name not in self._tasks:
                title = f"{self._what} {name}"
                work = Duty(self._locks, title, self._reading(connector)).run()
                self._tasks[name] = (connector, asyncio.create_task(work, name=title))

    async def _connector(self, view: ChannelView) -> C | None:
        try:
            found = await self._channels.connector(view.platform, view.account)
        except ConfigurationError:
            return None  # the channel's list says so, with what to do
        except PermanentError as wrong:
            told = (channel_key(view.platform, view.account), str(wrong))
            if told not in self._told:
                self._told.add(told)
                _log.warning(f"{self._what}_not_read", channel=told[0], reason=told[1])
            return None
        return None if found is None else self._wanted(found)

    async def _end(self, names: Sequence[str]) -> None:
        ending = [self._tasks.pop(name)[1] for name in dict.fromkeys(names) if name in self._tasks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    def _reading(self, connector: C) -> Callable[[Lease], Awaitable[None]]:
        async def work(_: Lease) -> None:
            await self._read(connector)

        return work


__all__ = ["LOOK_S", "Channels", "Readers"]
