"""Messages of a kind that a platform allows for an order, begun by an agent: kept and shown like replies, sent once.

They do not go through the outbox: whoever asks waits for the platform's answer. One that failed is asked for anew under
a new key, never retried, for the outbox would send it as an ordinary answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from actors.errors import ConfigurationError, RejectedError, RetriableError
from connectors.contract.calling import Api, BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Connector
from connectors.contract.typed import Allowance, TypedMessages
from services.errors import ConflictError, NotFoundError
from services.masking import mask_text
from services.people.permissions import Caller, demand
from services.replies.composing import Composer
from services.replies.events import message_of
from services.replies.fates import Fates
from services.replies.replies import Ask, AskedFile, Replies, ReplyStore
from storage.channel_ports import FileStore
from storage.channel_records import ReplyRow
from streams.ports import Gateway

Find: TypeAlias = Callable[[str, str], Awaitable[Connector | None]]
PATIENCE_S = 90.0
NO_ORDER = "no_order"
NO_KINDS = "no_kinds"
"""Nothing can be begun on this channel: it is not bound, or its platform has no such messages."""


class Action(Struct, frozen=True, kw_only=True):
    """A kind that is allowed now; `text`: its longest text, None for none; `least` to `most` files."""

    kind: str
    text: int | None = None
    least: int = 0
    most: int = 0


class Allowed(Struct, frozen=True, kw_only=True):
    """What may be begun in a conversation: about this `order`, these kinds; `why_not` says why there is nothing."""

    order: str | None = None
    items: Sequence[Action] = ()
    why_not: str | None = None


class TypedAsk(Struct, frozen=True, kw_only=True):
    """What somebody wants to begin; `order`: another one than the conversation's."""

    kind: str
    text: str = ""
    files: tuple[AskedFile, ...] = ()
    order: str | None = None


class TypedActions:
    """Tells what may be begun, and begins it."""

    def __init__(
        self,
        store: ReplyStore,
        gateway: Gateway,
        replies: Replies,
        find: Find,
        api_of: Callable[[Connector], Api],
        *,
        files: FileStore | None = None,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._replies = replies
        self._find = find
        self._api_of = api_of
        self._composer = Composer(store, files)
        self._fates = Fates(store, gateway, gateway.now)

    async def allowed(self, caller: Caller, key: str, order: str | None = None) -> Allowed:
        """What may be begun now. Raises ForbiddenError, NotFoundError, ConflictError, RejectedError, RetriableError."""
        demand(caller, "reply")
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        order = order or conversation.order
        try:
            connector, typed = await self._typed(conversation.platform, conversation.account)
        except ConflictError:
            return Allowed(why_not=NO_KINDS)
        if order is None:
            return Allowed(why_not=NO_ORDER)
        try:
            async with asyncio.timeout(PATIENCE_S):
                kinds = await typed.actions(order, self._api_of(connector))
        except (DeniedError, RefusedError) as wrong:
            raise ConflictError(f"{connector.platform} refuses: {mask_text(str(wrong))}") from wrong
        except TimeoutError:
            raise RetriableError(f"{connector.platform} did not answer within {PATIENCE_S:g} s; try again") from None
        return Allowed(order=order, items=[_action(kind, typed.kinds) for kind in kinds])

    async def begin(self, caller: Caller, key: str, ask: TypedAsk, idempotency_key: str) -> ReplyRow:
        """Begin a message; how it ended. The same again with the same key gives the first one.

        Raises ForbiddenError, NotFoundError, RejectedError, RetriableError, or ConflictError when the key was used for
        another one or the platform takes no such messages.
        """
        words = Ask(text=ask.text, files=ask.files, kind=ask.kind, order=ask.order)
        row, held = await self._replies.prepared(caller, key, words, idempotency_key)
        if held:
            return row
        connector, typed = await self._typed(row.platform, row.account)
        order = ask.order or row.order
        if order is None:
            raise RejectedError("order: the conversation is about none; name the order that this is about")
        if ask.kind not in typed.kinds:
            raise RejectedError(f"kind: {ask.kind[:60]!r} is none of {', '.join(sorted(typed.kinds))}")
        now = self._gateway.now()
        claimed = replace(row, order=order, kind=ask.kind, state="claimed", attempts=1, claimed_at=now)
        first = await self._store.add_reply(claimed)
        if first != claimed:
            return first
        await self._gateway.submit([message_of(claimed, now)])
        after = await self._sent(connector, typed, claimed)
        await self._fates.record(claimed, after)
        await self._replies.noted(caller, "reply.begun", claimed, None, {"kind": ask.kind, "state": after.state})
        return await self._replies.one(row.id)

    async def _sent(self, connector: Connector, typed: TypedMessages, row: ReplyRow) -> ReplyRow:
        """The message as the platform's answer leaves it."""
        files = (await self._composer.outgoing(row, connector)).files
        try:
            async with asyncio.timeout(PATIENCE_S):
                await typed.act(row.order or "", row.kind or "", self._api_of(connector), text=row.text, files=files)
        except (UnreachableError, BusyError) as wrong:
            return self._ended(row, "failed", "unreachable", str(wrong))
        except DeniedError as wrong:
            return self._ended(row, "failed", "denied", str(wrong))
        except RefusedError as wrong:
            return self._ended(row, "failed", wrong.code or "refused", str(wrong))
        except (UncertainError, TimeoutError, RetriableError) as wrong:
            reason = f"it may have been sent ({type(wrong).__name__}); look at the platform, then settle it"
            return self._ended(row, "unknown", "uncertain", reason)
        return replace(row, state="sent", settled_at=self._gateway.now(), claimed_by=None)

    def _ended(self, row: ReplyRow, state: str, code: str, reason: str) -> ReplyRow:
        ended = {"state": state, "code": code, "reason": mask_text(reason)[:500], "claimed_by": None}
        return replace(row, settled_at=self._gateway.now(), **ended)

    async def _typed(self, platform: str, account: str) -> tuple[Connector, TypedMessages]:
        try:
            connector = await self._find(platform, account)
        except ConfigurationError as wrong:
            raise RejectedError(f"the channel cannot be used now: {wrong}") from wrong
        if connector is None:
            raise ConflictError(f"the channel {platform}/{account} is not bound, so nothing can be begun there")
        if not isinstance(connector, TypedMessages):
            raise ConflictError(f"{platform} has no messages of a kind; answer the customer instead")
        return connector, connector


def _action(kind: str, kinds: Mapping[str, Allowance]) -> Action:
    allowance = kinds[kind]
    return Action(kind=kind, text=allowance.text, least=allowance.least, most=allowance.most)


__all__ = ["Action", "Allowed", "TypedActions", "TypedAsk"]
