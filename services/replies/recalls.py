"""Messages of ours that are taken back at their platform, where that allows it for a while after they were sent.

The platform is asked once, while whoever asks waits. What that comes to is an event under the platform's own key, so
that its push, or a sweep, changes nothing any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from actors.errors import ConfigurationError, RetriableError
from connectors.contract.calling import Api, DeniedError, RefusedError
from connectors.contract.connector import Connector
from connectors.registry import BY_PLATFORM
from services.errors import ConflictError
from services.masking import mask_text
from services.people.permissions import Caller, demand
from services.replies.replies import Replies, ReplyStore
from storage.channel_records import ReplyRow
from streams.ports import Gateway

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
PATIENCE_S = 30.0
SPANS: Mapping[str, int] = {
    name: kind.capabilities.recall_ms for name, kind in BY_PLATFORM.items() if kind.capabilities.recall_ms is not None
}
"""By platform: for how long after it was sent a message of ours may be taken back (ms)."""


def recall_until(row: ReplyRow) -> int | None:
    """Until when (ms) a reply may be taken back, counted from when its sending began; None: it may not at all."""
    span = SPANS.get(row.platform)
    if span is None or row.state != "sent" or row.platform_message is None:
        return None
    return span + (row.at if row.claimed_at is None else row.claimed_at)


class Recalls:
    """Takes replies back."""

    def __init__(
        self, store: ReplyStore, gateway: Gateway, replies: Replies, find: Find, api_of: Callable[[Connector], Api]
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._replies = replies
        self._find = find
        self._api_of = api_of

    async def recall(self, caller: Caller, reply_id: str) -> ReplyRow:
        """Take a reply back; it stays in the thread, marked.

        Raises ForbiddenError, NotFoundError, RetriableError, or ConflictError when it may not be taken back (any more).
        """
        demand(caller, "reply")
        row = await self._replies.one(reply_id)
        await self._check(row)
        connector = await self._connector(row)
        try:
            async with asyncio.timeout(PATIENCE_S):
                gone = await connector.recall(row.conversation, row.platform_message or "", self._api_of(connector))
        except (DeniedError, RefusedError) as wrong:
            raise ConflictError(f"{row.platform} refuses: {mask_text(str(wrong))}") from wrong
        except TimeoutError:
            reason = f"{row.platform} did not answer within {PATIENCE_S:g} s; it may be taken back: look, or try again"
            raise RetriableError(reason) from None
        await self._replies.noted(caller, "reply.recalled", row, None, {"message": row.platform_message})
        await self._gateway.submit([replace(gone, message=row.id, at=self._gateway.now())])
        return row

    async def _check(self, row: ReplyRow) -> None:
        until = recall_until(row)
        if until is None:
            reason = f"the reply is {row.state}" if row.state != "sent" else f"{row.platform} takes nothing back"
            raise ConflictError(f"{reason}: it cannot be taken back")
        if self._gateway.now() > until:
            raise ConflictError(f"{row.platform} takes messages back for {SPANS[row.platform] // 1000} s only")
        held = await self._store.message(row.key, row.id)
        if held is not None and "deleted" in held.hops:
            raise ConflictError("the reply was taken back already")

    async def _connector(self, row: ReplyRow) -> Connector:
        try:
            connector = await self._find(row.platform, row.account)
        except ConfigurationError as wrong:
            raise ConflictError(f"the channel cannot be used now: {wrong}") from wrong
        if connector is None:
            raise ConflictError(f"the channel {row.platform}/{row.account} is not bound, so nothing can be taken back")
        return connector


__all__ = ["SPANS", "Recalls", "recall_until"]
