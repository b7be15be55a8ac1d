"""What a comparison with the platform leaves in the threads it concerned: a line that says who asked, what was found.

Kept in the audit log like whatever else is done to a conversation, and told to open screens at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import to_builtins

from actors.keys import conversation_key
from services.inbox.desk_news import DeskNews, told_nobody
from services.sweeps.counts import Counts
from storage.records import AuditRow

RESYNCED = "conversation.resynced"
SWEEP = "sweep"
"""Who it was when nobody had asked."""


class LineStore(Protocol):
    """The part of a store used here."""

    async def append_audit(self, row: AuditRow) -> None:
        """Note something."""
        ...


class Lines:
    """Leaves the lines. `now` in ms; `tell`: who tells open screens of them."""

    def __init__(self, store: LineStore, now: Callable[[], int], tell: DeskNews = told_nobody) -> None:
        self._store = store
        self._now = now
        self._tell = tell

    async def found(self, platform: str, account: str, found: Mapping[str, Counts], *, who: str = SWEEP) -> None:
        """What was found in each of these conversations of a channel, by the platform's id of each."""
        for conversation, counts in found.items():
            await self._leave(conversation_key(platform, account, conversation), who, to_builtins(counts))

    async def failed(self, platform: str, account: str, conversation: str, reason: str, *, who: str) -> None:
        """One conversation could not be compared."""
        await self._leave(conversation_key(platform, account, conversation), who, {"failed": reason})

    async def _leave(self, key: str, who: str, after: object) -> None:
        at = self._now()
        await self._store.append_audit(AuditRow(at=at, who=who, what=RESYNCED, subject=key, after=after))
        await self._tell(key, "resynced", who, at)


__all__ = ["RESYNCED", "SWEEP", "LineStore", "Lines"]
