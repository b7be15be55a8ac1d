"""What is found for a line somebody typed: messages page by page, and a few of every kind for the palette."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec import Struct, field

from actors.keys import channel_key
from actors.orders import Order
from services.people.permissions import Caller
from services.search.query import Asked
from storage.highlights import is_from
from storage.inbox_records import Scope
from storage.records import ConversationFilter, ConversationRow, Page
from storage.search_ports import SearchStore
from storage.search_records import MessageHit
from storage.texts import order_key, query_words
from storage.words import terms_of

FEW = 5
"""Of each kind in the palette."""
LOOKED_AT = 30
"""Hits and conversations among which the palette's are chosen."""


class SearchedStore(SearchStore, Protocol):
    """What the search asks of a store."""

    async def conversations(
        self, where: ConversationFilter, limit: int, cursor: str | None = None
    ) -> Page[ConversationRow]:
        """Conversations by last_at descending."""
        ...

    async def rows(self, keys: list[str]) -> list[ConversationRow]:
        """These conversations, in the order of the keys."""
        ...

    async def orders_by(
        self, *, number: str | None = None, email: str | None = None, contact: str | None = None, limit: int = 20
    ) -> list[Order]:
        """Orders with that number, newest first."""
        ...


class FoundContact(Struct, frozen=True, kw_only=True):
    """Somebody who wrote, as the platform knows him; `key`: his latest conversation among those looked at."""

    platform: str
    account: str
    id: str | None
    name: str | None
    key: str


class Palette(Struct, frozen=True, kw_only=True):
    """A few of each kind; `bounded`: there may be more of some kind, which the page of the search shows."""

    conversations: list[ConversationRow] = field(default_factory=list[ConversationRow])
    contacts: list[FoundContact] = field(default_factory=list[FoundContact])
    orders: list[Order] = field(default_factory=list[Order])
    messages: list[MessageHit] = field(default_factory=list[MessageHit])
    bounded: bool = False


class Search:
    """Looks for messages and what they belong to; `scope_of` tells what a caller may see."""

    def __init__(self, store: SearchedStore, scope_of: Callable[[Caller], Awaitable[Scope]]) -> None:
        self._store = store
        self._scope_of = scope_of

    async def messages(self, caller: Caller, asked: Asked, limit: int, cursor: str | None = None) -> Page[MessageHit]:
        """Messages by sent_at descending; raises RejectedError for a bad cursor."""
        return await self._store.search_messages(asked.search(await self._scope_of(caller)), limit, cursor)

    async def palette(self, caller: Caller, asked: Asked) -> Palette:
        """A few of each kind, for what was typed so far."""
        if asked.empty:
            return Palette()
        scope = await self._scope_of(caller)
        hits, named, orders, of_order = await asyncio.gather(
            self._store.search_messages(asked.search(scope), LOOKED_AT),
            self._named(asked, scope),
            self._orders(asked, scope),
            self._of_order(asked, scope),
        )
        keys = list(dict.fromkeys(hit.row.key for hit in (*of_order.items, *hits.items)))
        rows = [*await self._store.rows(keys[:LOOKED_AT]), *named.items]
        conversations = list({row.key: row for row in rows}.values())
        contacts = _contacts(asked, conversations)
        return Palette(
            conversations=conversations[:FEW],
            contacts=contacts[:FEW],
            orders=orders[:FEW],
            messages=hits.items[:FEW],
            bounded=hits.next is not None or named.next is not None or len(conversations) > FEW,
        )

    async def _named(self, asked: Asked, scope: Scope) -> Page[ConversationRow]:
        """Conversations that are found by an id or a name of theirs, which no message need have."""
        words = asked.q or asked.sender
        if words is None:
            return Page(items=[])
        where = ConversationFilter(
            q=words,
            platform=asked.platform,
            account=asked.account,
            contact=asked.contact,
            label=asked.label,
            scope=scope,
        )
        return await self._store.conversations(where, LOOKED_AT)

    async def _orders(self, asked: Asked, scope: Scope) -> list[Order]:
        """The shops' orders of that number, as customers write it."""
        number = (asked.order or asked.words).strip()
        if not number or not any(map(str.isdigit, number)):
            return []
        ways = dict.fromkeys((number, f"#{number.lstrip('#')}", number.lstrip("#"), order_key(number).upper()))
        found = await asyncio.gather(*(self._store.orders_by(number=way, limit=FEW) for way in ways))
        orders = {(one.platform, one.account, one.id): one for some in found for one in some}
        return [one for one in orders.values() if scope.reaches(channel_key(one.platform, one.account))]

    async def _of_order(self, asked: Asked, scope: Scope) -> Page[MessageHit]:
        """Messages of conversations about an order of exactly this number."""
        if asked.order is not None or not any(map(str.isdigit, asked.words)) or not order_key(asked.words):
            return Page(items=[])
        where = Asked(order=asked.words, platform=asked.platform, account=asked.account).search(scope)
        return await self._store.search_messages(where, FEW)


def _contacts(asked: Asked, rows: Iterable[ConversationRow]) -> list[FoundContact]:
    terms = terms_of(query_words(asked.q or asked.sender or asked.contact or ""))
    found: dict[tuple[str, str, str | None], FoundContact] = {}
    for row in rows:
        if terms and is_from(row.contact_name, row.contact_id, terms):
            contact = FoundContact(
                platform=row.platform, account=row.account, id=row.contact_id, name=row.contact_name, key=row.key
            )
            found.setdefault((row.platform, row.account, row.contact_id or row.contact_name), contact)
    return list(found.values())
