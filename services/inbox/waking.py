"""Snoozed conversations come back when their time has come.

Lists show them again by themselves, since a snooze that is over counts for nothing. This tells open screens and notes
it; what it missed while no process ran it finds at the next start, for it looks for whatever is over and still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from actors.errors import RetriableError
from services.inbox.telling import Telling
from storage.inbox_records import DeskChange
from storage.records import AuditRow, ConversationRow

PERIOD_S = 1.0
AT_ONCE = 200
_log = structlog.get_logger(__name__)


class WakeStore(Protocol):
    """The parts of a store used here."""

    async def snoozed_until(self, since: int, until: int, limit: int) -> list[tuple[int, str]]:
        """Which snoozes end."""
        ...

    async def rows(self, keys: list[str]) -> list[ConversationRow]:
        """Conversations."""
        ...

    async def change_desk(self, key: str, change: DeskChange, audit: AuditRow) -> ConversationRow | None:
        """Compare and set."""
        ...


class Waking:
    """Runs in one process at a time. `now` in ms."""

    def __init__(self, store: WakeStore, telling: Telling, now: Callable[[], int]) -> None:
        self._store = store
        self._telling = telling
        self._now = now

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.once()
            except RetriableError as wrong:
                _log.info("snoozed conversations are looked at again in a second", reason=str(wrong))
            await asyncio.sleep(PERIOD_S)

    async def once(self) -> int:
        """Wake those whose time has come; how many there were."""
        now = self._now()
        due = [key for _, key in await self._store.snoozed_until(0, now, AT_ONCE)]
        woken = 0
        for row in await self._store.rows(due):
            if row.snoozed_until is None or row.snoozed_until > now:
                continue
            note = AuditRow(at=now, who="weir", what="conversation.woken", subject=row.key, before=row.snoozed_until)
            change = DeskChange(at=now, replaces=row.desk_version, snoozed_until=None)
            # Somebody who is faster does as well: whatever he did, it is looked at again in a second.
            if await self._store.change_desk(row.key, change, note) is not None:
                woken += 1
                await self._telling.tell(row.key, "woken", "weir")
        return woken


__all__ = ["Waking"]
