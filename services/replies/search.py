"""Looks for replies that may have been sent in what their platform shows: twice, soon after and a minute later.

A reply that is not found is not sent again by itself, apart from one try more where the platform knows our id again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import structlog
from msgspec.structs import replace

from actors.errors import ConfigurationError, RetriableError, WeirError
from actors.events import Message
from connectors.contract.calling import Api, DeniedError
from connectors.contract.connector import Connector, Parsed
from connectors.contract.history import Window
from services.replies.composing import Find
from services.replies.fates import Fates
from services.replies.matches import NEAR_MS, is_echo
from storage.channel_ports import OutboxStore
from storage.channel_records import ReplyFilter, ReplyRow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

ApiOf: TypeAlias = Callable[[Connector], Api]
FIRST_MS, SECOND_MS = 5_000, 60_000
LOOKS = 2
DOUBTS = 2
"""A reply is never sent a third time without anybody knowing what became of the first two."""
PATIENCE_MS = 24 * 3_600_000
PAGE = 500
_log = structlog.get_logger(__name__)


class Search:
    """Finds out whether replies were sent; `now` in ms."""

    def __init__(self, store: OutboxStore, fates: Fates, find: Find, api_of: ApiOf, now: Callable[[], int]) -> None:
        self._store = store
        self._fates = fates
        self._find = find
        self._api_of = api_of
        self._now = now

    async def due(self) -> list[ReplyRow]:
        """The replies to be looked for now; no other process gets them within a minute. Raises RetriableError.

        Of each conversation the earliest alone: of two with the same words only one is the message that is found.
        """
        now = self._now()
        earliest: dict[str, ReplyRow] = {}
        cursor: str | None = None
        while True:
            page = await self._store.replies(ReplyFilter(states=("unknown",)), PAGE, cursor)
            for row in page.items:
                known = earliest.get(row.key)
                if row.settled_at is None and (known is None or (row.at, row.id) < (known.at, known.id)):
                    earliest[row.key] = row
            if (cursor := page.next) is None:
                break
        due = [row for row in earliest.values() if row.due_at <= now]
        taken = [await self._fates.change(row, replace(row, due_at=now + SECOND_MS)) for row in due]
        return [row for row in taken if row is not None]

    async def look(self, row: ReplyRow) -> None:
        """Look for one reply that `due` gave."""
        try:
            connector = await self._find(row.platform, row.account)
        except (ConfigurationError, RetriableError) as wrong:
            await self._put_off(row, wrong)
            return
        if connector is None or not connector.capabilities.history:
            await self._give_up(row)
            return
        try:
            found = await self._found(connector, row)
        except (RetriableError, DeniedError) as wrong:
            await self._put_off(row, wrong)
        except WeirError as wrong:
            _log.warning("reply_not_looked_for", reply=row.id, reason=str(wrong))
            await self._give_up(row)
        else:
            await self._conclude(connector, row, found)

    async def _found(self, connector: Connector, row: ReplyRow) -> Message | None:
        """The message that is this reply and no other. Raises the errors of `history`."""
        began = row.at if row.claimed_at is None else row.claimed_at
        window = Window(since=began - NEAR_MS, until=began + NEAR_MS + 1, conversation=row.conversation)
        pages = connector.history(window, self._api_of(connector))
        # What a generator holds open is closed when the search stops early; the contract promises an iterator only.
        async with aclosing(cast("AsyncGenerator[Sequence[Parsed], Any]", pages)):
            async for page in pages:
                alike = [one for one in page if isinstance(one, Message) and is_echo(one, row)]
                names = [one.message for one in alike]
                others = await self._store.reply_ids(row.platform, row.account, names)
                for one in alike:
                    if others.get(one.message, row.id) == row.id:
                        return one
        return None

    async def _conclude(self, connector: Connector, row: ReplyRow, found: Message | None) -> None:
        now = self._now()
        if found is not None:
            sent = replace(
                row,
                state="sent",
                platform_message=found.message,
                settled_at=now,
                code=None,
                reason=None,
                told=False,
            )
            await self._fates.record(row, sent)
        elif row.looks + 1 < LOOKS:
            await self._fates.change(row, replace(row, looks=row.looks + 1, due_at=now + SECOND_MS - FIRST_MS))
        elif connector.capabilities.idempotent and row.doubts < DOUBTS and row.kind is None:
            again = replace(row, state="queued", looks=0, due_at=now, claimed_at=None, claimed_by=None)
            await self._fates.change(row, again)
        else:
            await self._give_up(row)

    async def _put_off(self, row: ReplyRow, why: WeirError) -> None:
        """It cannot be looked for now: `due` gives it again after a minute, for a day."""
        _log.warning("reply_not_looked_for", reply=row.id, reason=str(why))
        began = row.at if row.claimed_at is None else row.claimed_at
        if self._now() - began > PATIENCE_MS:
            await self._give_up(row)

    async def _give_up(self, row: ReplyRow) -> None:
        """It stays unknown until a person settles it."""
        reason = "it may have been sent; look for it at the platform, then settle or retry it"
        given_up = replace(row, looks=row.looks + 1, settled_at=self._now(), code="not_found", reason=reason)
        await self._fates.change(row, given_up)


__all__ = ["ApiOf", "Search"]
