"""What becomes of a reply: kept first, then told to the log, so that a process that ends in between is caught up with.

Who brings the platform's answer is always right; who only suspects something gives way to whoever knows more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from msgspec.structs import replace

from actors.errors import RetriableError
from actors.events import Action, Entry
from services.replies.elsewhere import Elsewhere
from services.replies.events import accepted, failed, reopened, stranger
from storage.channel_ports import OutboxStore
from storage.channel_records import ReplyFilter, ReplyRow
from storage.ports import InboxStore
from streams.ports import Gateway

RETRY_S = 1.0
LATEST = 200
OVERDUE_MS = 3_000
"""What was kept since then is being told by whoever kept it."""
_log = structlog.get_logger(__name__)


class FateStore(OutboxStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Fates:
    """Keeps and tells what becomes of replies."""

    def __init__(
        self,
        store: FateStore,
        gateway: Gateway,
        now: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """`now` in ms; `sleep` waits so many seconds before the store is asked again.

        `elsewhere`: closes what a reply answers in other mailboxes too.
        """
        self._store = store
        self._gateway = gateway
        self._now = now
        self._sleep = sleep
        self._elsewhere = elsewhere

    async def change(self, before: ReplyRow, after: ReplyRow) -> ReplyRow | None:
        """Replace a reply that nobody changed meanwhile; None, and nothing changes, when somebody did."""
        after = replace(after, version=before.version + 1)
        return after if await self._store.change_reply(after, replaces=before.version) else None

    async def record(self, claimed: ReplyRow, after: ReplyRow) -> None:
        """Keep what the sending of a claimed reply came to, however long the store cannot be asked, then tell it."""
        while True:
            try:
                kept = await self._kept(claimed, after)
                break
            except RetriableError as busy:
                _log.warning("reply_not_recorded_yet", reply=claimed.id, reason=str(busy))
                await self._sleep(RETRY_S)
        if kept is not None:
            await self.tell(kept)

    async def tell(self, row: ReplyRow) -> None:
        """Tell the log that a reply is sent or failed, unless it knows; what cannot be told now is told later."""
        if row.told or row.state not in {"sent", "failed"}:
            return
        try:
            closings = await self._closings(row)
            await self._gateway.submit([*await self._entries(row), *closings])
            if self._elsewhere is not None:
                await self._elsewhere.note(closings, self._now())
            await self.change(row, replace(row, told=True))
        except RetriableError as busy:
            _log.warning("reply_not_told_yet", reply=row.id, reason=str(busy))

    async def tell_rest(self) -> None:
        """Tell of the latest replies what somebody kept and did not tell. Raises RetriableError."""
        page = await self._store.replies(ReplyFilter(states=("sent", "failed")), LATEST)
        before = self._now() - OVERDUE_MS
        for row in page.items:
            if row.settled_at is None or row.settled_at <= before:
                await self.tell(row)

    async def _kept(self, claimed: ReplyRow, after: ReplyRow) -> ReplyRow | None:
        """The reply as it is kept; None when what is held already says more."""
        held: ReplyRow | None = claimed
        while held is not None:
            kept = await self.change(held, after)
            if kept is not None:
                return kept
            held = await self._store.reply(claimed.id)
            if held is None or not _knows_more(claimed, held, after):
                return None
            if held.state == "sent" and held.platform_message is not None:
                await self._gateway.submit([stranger(held, held.platform_message, self._now())])
        return None

    async def _closings(self, row: ReplyRow) -> Sequence[Action]:
        if self._elsewhere is None or row.state != "sent":
            return ()
        return await self._elsewhere.closings(row, self._now())

    async def _entries(self, row: ReplyRow) -> list[Entry]:
        now = self._now()
        if row.state == "sent":
            return [accepted(row, now)]
        conversation = await self._store.conversation(row.key)
        closed = conversation is not None and conversation.status == "closed"
        return [failed(row, now), *([reopened(row, now)] if closed else [])]


def _knows_more(claimed: ReplyRow, held: ReplyRow, after: ReplyRow) -> bool:
    """Whether what the sending came to counts for more than what somebody else made of the reply meanwhile."""
    if after.state == "sent":
        other = held.platform_message != after.platform_message and after.platform_message is not None
        return held.state != "sent" or other
    return held.state in {"claimed", "unknown"} and held.claimed_at == claimed.claimed_at


__all__ = ["FateStore", "Fates"]
