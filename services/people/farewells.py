"""Sessions that one process ends are over in all: open pages of that person close everywhere.

The bus tells. What it loses costs little: a session that is gone from the store is believed for two seconds more, and a
page that stays open can show but not do anything.
"""

from __future__ import annotations

import asyncio

import structlog

from actors.errors import RetriableError
from services.people.accounts import Accounts
from streams.bus import Bus

log = structlog.get_logger(__name__)
TOPIC = "sessions"


class Farewells:
    """Tells the other processes whose sessions were ended here, and hears of theirs."""

    def __init__(self, accounts: Accounts, bus: Bus) -> None:
        self._accounts = accounts
        self._bus = bus
        self._telling: set[asyncio.Task[None]] = set()
        accounts.on_ended(self._ended)

    async def run(self) -> None:
        """For ever."""
        ears = self._bus.subscribe(TOPIC)
        try:
            async for published in ears:
                match published.data:
                    case {"user": str(name)}:
                        self._accounts.sessions_ended(name)
                    case _:
                        continue
        finally:
            ears.close()

    def _ended(self, name: str) -> None:
        task = asyncio.create_task(self._tell(name), name="session-ended")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, name: str) -> None:
        try:
            await self._bus.publish(TOPIC, {"user": name})
        except RetriableError as wrong:
            log.info("other processes find out by themselves that sessions are over", reason=str(wrong))


__all__ = ["Farewells"]
