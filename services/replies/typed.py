"""Messages that an agent begins, of a kind that the platform allows for an order or in words that it approved.

They are kept and shown like replies, and sent once.

They do not go through the outbox: whoever asks waits for the platform's answer. One that failed is asked for anew under
a new key, never retried, for the outbox would send it as an ordinary answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from actors.errors import ConfigurationError, RejectedError, RetriableError
from connectors.contract.calling import Api, BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Connector
from connectors.contract.typed import Allowance, Beginning, Place, TypedMessages, WordedMessages, Wording, worded
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
T = TypeVar("T")
PATIENCE_S = 90.0
KEPT_MS = 600_000
"""Approved words change seldom, and platforms count how often they are asked for."""
NO_ORDER = "no_order"
NO_KINDS = "no_kinds"
"""Nothing can be begun on this channel: it is not bound, or its platform has no such messages."""


class Action(Struct, frozen=True, kw_only=True):
    """A kind that is allowed now; `text`: its longest text, None for none; `least` to `most` files.

    Of approved words: their `title`, `lang`, the `words` with `{{name}}` for each of the `blanks`, the kind of file
    that stands above them (`media`).
    """

    kind: str
    text: int | None = None
    least: int = 0
    most: int = 0
    title: str | None = None
    lang: str | None = None
    words: str | None = None
    blanks: Sequence[str] = ()
    media: str | None = None


class Allowed(Struct, frozen=True, kw_only=True):
    """What may be begun in a conversation: about this `order`, these kinds; `why_not` says why there is nothing.

    `lang`: the language in which the buyer is written to, where the platform tells.
    """

    order: str | None = None
    lang: str | None = None
    items: Sequence[Action] = ()
    why_not: str | None = None


class TypedAsk(Struct, frozen=True, kw_only=True):
    """What somebody wants to begin; `order`: another one than the conversation's; `blanks`: what fills in words."""

    kind: str
    blanks: Mapping[str, str] = {}
    text: str = ""
    files: tuple[AskedFile, ...] = ()
    order: str | None = None


class _Said(Struct, frozen=True, kw_only=True):
    """What a message says, and the approved words it is of, if any."""

    text: str
    wording: Wording | None = None


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
        self._approved: dict[tuple[str, str], tuple[Connector, int, Sequence[Wording]]] = {}

    async def allowed(self, caller: Caller, key: str, order: str | None = None) -> Allowed:
        """What may be begun now. Raises ForbiddenError, NotFoundError, ConflictError, RejectedError, RetriableError."""
        demand(caller, "reply")
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        order = order or conversation.order
        connector = await self._found(conversation.platform, conversation.account)
        if isinstance(connector, WordedMessages):
            return Allowed(order=order, items=[_words(one) for one in await self._wordings(connector)])
        if not isinstance(connector, TypedMessages):
            return Allowed(why_not=NO_KINDS)
        if order is None:
            return Allowed(why_not=NO_ORDER)
        api = self._api_of(connector)
        place = Place(conversation=conversation.conversation)
        kinds = await self._asked(connector, connector.actions(order, api, place=place))
        lang = await self._asked(connector, connector.language(order, api)) if kinds else None
        return Allowed(order=order, lang=lang, items=[_action(kind, connector.kinds) for kind in kinds])

    async def _asked(self, connector: Connector, question: Awaitable[T]) -> T:
        """What the platform says. Raises ConflictError, RetriableError."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await question
        except (DeniedError, RefusedError) as wrong:
            raise ConflictError(f"{connector.platform} refuses: {mask_text(str(wrong))}") from wrong
        except TimeoutError:
            raise RetriableError(f"{connector.platform} did not answer within {PATIENCE_S:g} s; try again") from None

    async def begin(self, caller: Caller, key: str, ask: TypedAsk, idempotency_key: str) -> ReplyRow:
        """Begin a message; how it ended. The same again with the same key gives the first one.

        Raises ForbiddenError, NotFoundError, RejectedError, RetriableError, or ConflictError when the key was used for
        another one or the platform takes no such messages.
        """
        demand(caller, "reply")
        said = await self._said(key, ask)
        words = Ask(text=said.text, files=ask.files, kind=ask.kind, order=ask.order)
        row, held = await self._replies.prepared(caller, key, words, idempotency_key)
        if held:
            return row
        order = ask.order or row.order
        if said.wording is None:
            typed = (await self._typed(row.platform, row.account))[1]
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
        after = await self._sent(claimed, await self._way(claimed, said, ask))
        await self._fates.record(claimed, after)
        await self._replies.noted(caller, "reply.begun", claimed, None, {"kind": ask.kind, "state": after.state})
        return await self._replies.one(row.id)

    async def _said(self, key: str, ask: TypedAsk) -> _Said:
        """What the message will say. Raises NotFoundError, ConflictError, RejectedError, RetriableError."""
        conversation = await self._store.conversation(key)
        if conversation is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        connector = await self._found(conversation.platform, conversation.account)
        if connector is None or not isinstance(connector, WordedMessages):
            return _Said(text=ask.text)
        found = await self._wordings(connector, having=ask.kind)
        wording = next((one for one in found if one.kind == ask.kind), None)
        if wording is None:
            raise RejectedError(f"kind: {ask.kind[:60]!r} is no template that is approved now")
        if ask.text or (ask.files and wording.media is None):
            raise RejectedError("blanks: approved words take no other text and no files; fill in what they leave open")
        if wording.media is not None and len(ask.files) != 1:
            raise RejectedError(f"files: above these words stands one file ({wording.media}), not {len(ask.files)}")
        try:
            return _Said(text=worded(wording, ask.blanks), wording=wording)
        except RefusedError as wrong:
            raise RejectedError(f"blanks: {wrong}") from wrong

    async def _wordings(self, connector: Connector, having: str | None = None) -> Sequence[Wording]:
        """The approved words of a channel, asked for once in a while, or when those that are held lack `having`."""
        if not isinstance(connector, WordedMessages):
            return ()
        channel = (connector.platform, connector.binding.account)
        held = self._approved.get(channel)
        fresh = held is not None and held[0] is connector and self._gateway.now() - held[1] < KEPT_MS
        if held is not None and fresh and (having is None or any(one.kind == having for one in held[2])):
            return held[2]
        found = await self._asked(connector, connector.wordings(self._api_of(connector)))
        self._approved[channel] = (connector, self._gateway.now(), found)
        return found

    async def _way(self, row: ReplyRow, said: _Said, ask: TypedAsk) -> Callable[[], Awaitable[str | None]]:
        """What sends it and gives the platform's id of it, where there is one."""
        if said.wording is not None:
            found = await self._found(row.platform, row.account)
            if found is None or not isinstance(found, WordedMessages):
                raise ConflictError("the channel is bound no more")
            api, files = self._api_of(found), (await self._composer.outgoing(row, found)).files if row.files else ()
            return partial(found.say, row.conversation, row.id, said.wording, ask.blanks, api, files=files)
        connector, typed = await self._typed(row.platform, row.account)
        outgoing = await self._composer.outgoing(row, connector)
        place = Place(conversation=row.conversation, customer=outgoing.recipient)
        begun = Beginning(order=row.order or "", kind=row.kind or "", text=row.text, files=outgoing.files, place=place)
        return partial(typed.act, begun, self._api_of(connector))

    async def _sent(self, row: ReplyRow, send: Callable[[], Awaitable[str | None]]) -> ReplyRow:
        """The message as the platform's answer leaves it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                own = await send()
        except (UnreachableError, BusyError) as wrong:
            return self._ended(row, "failed", "unreachable", str(wrong))
        except DeniedError as wrong:
            return self._ended(row, "failed", "denied", str(wrong))
        except RefusedError as wrong:
            return self._ended(row, "failed", wrong.code or "refused", str(wrong))
        except (UncertainError, TimeoutError, RetriableError) as wrong:
            reason = f"it may have been sent ({type(wrong).__name__}); look at the platform, then settle it"
            return self._ended(row, "unknown", "uncertain", reason)
        return replace(row, state="sent", settled_at=self._gateway.now(), claimed_by=None, platform_message=own)

    def _ended(self, row: ReplyRow, state: str, code: str, reason: str) -> ReplyRow:
        ended = {"state": state, "code": code, "reason": mask_text(reason)[:500], "claimed_by": None}
        return replace(row, settled_at=self._gateway.now(), **ended)

    async def _typed(self, platform: str, account: str) -> tuple[Connector, TypedMessages]:
        connector = await self._found(platform, account)
        if connector is None:
            raise ConflictError(f"the channel {platform}/{account} is not bound, so nothing can be begun there")
        if not isinstance(connector, TypedMessages):
            raise ConflictError(f"{platform} has no messages of a kind; answer the customer instead")
        return connector, connector

    async def _found(self, platform: str, account: str) -> Connector | None:
        try:
            return await self._find(platform, account)
        except ConfigurationError as wrong:
            raise RejectedError(f"the channel cannot be used now: {wrong}") from wrong


def _words(one: Wording) -> Action:
    files = 0 if one.media is None else 1
    return Action(
        kind=one.kind,
        least=files,
        most=files,
        title=one.title,
        lang=one.lang,
        words=one.words,
        blanks=one.blanks,
        media=one.media,
    )


def _action(kind: str, kinds: Mapping[str, Allowance]) -> Action:
    allowance = kinds[kind]
    return Action(kind=kind, text=allowance.text, least=allowance.least, most=allowance.most)


__all__ = ["Action", "Allowed", "TypedActions", "TypedAsk"]
