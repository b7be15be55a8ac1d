"""The inbox as one person sees it: windows of the list, counts, single conversations. What one may not see is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.keys import split_key
from services.errors import NotFoundError
from services.inbox.counts import TABS, Counts, CountStore
from services.inbox.scope import PeopleStore, Scopes, holder_of
from services.people.permissions import Caller
from storage.inbox_records import InboxFilter, Scope
from storage.records import ConversationRow

MOST = 200
FILTERS = (
    "platform", "account", "label", "lang", "assignee", "team", "sla", "anomaly", "vip", "sensitive", "contact",
    "order", "q", "waiting", "holder",
)  # fmt: skip


class ListStore(CountStore, PeopleStore, Protocol):
    """The parts of a store used here."""

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations."""
        ...

    async def conversation(self, key: str) -> ConversationRow | None:
        """One conversation."""
        ...


class Window(Struct, frozen=True, kw_only=True):
    """A part of the list from `offset` on; `total`: how long the whole list is; `at` in ms."""

    items: list[ConversationRow]
    total: int
    offset: int
    counts: dict[str, int]
    at: int


class Inbox:
    """Reads; `now` in ms."""

    def __init__(self, store: ListStore, scopes: Scopes, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._counts = Counts(store, now)
        self.scopes = scopes

    async def window(self, caller: Caller, where: InboxFilter, offset: int, limit: int) -> Window:
        """What this person sees of the list; `where.scope`, `me`, `now` and, from `team`, `holder` are set here.

        Raises RejectedError for what no store could look for.
        """
        scope, now = await self.scopes.of(caller), self._now()
        where = replace(where, scope=scope, me=caller.name, now=now)
        if where.team is not None:
            # A conversation's team is the one it was given, else the one that holds its channel.
            where = replace(where, team=None, holder=holder_of(await self.scopes.people(), where.team))
        (counts,) = await self._counts.of([scope])
        # A tab alone is counted already: going through the whole list again would take longer than the window.
        counted = where.tab not in TABS or any(getattr(where, name) is not None for name in FILTERS)
        items, total = await self._store.inbox(where, offset, min(limit, MOST), counted=counted)
        total = total if counted else max(counts[where.tab], offset + len(items) if items else 0)
        return Window(items=items, total=total, offset=offset, counts=counts, at=now)

    async def counts(self, scopes: Sequence[Scope]) -> list[dict[str, int]]:
        """How many conversations each tab has, for each of these scopes."""
        return await self._counts.of(scopes)

    async def counts_of(self, caller: Caller) -> dict[str, int]:
        """The same for one person."""
        return (await self._counts.of([await self.scopes.of(caller)]))[0]

    async def scope(self, caller: Caller) -> Scope:
        """Whose eyes these are, as roles and teams are now."""
        return await self.scopes.of(caller)

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations, whoever may see them; unknown ones are absent."""
        return await self._store.rows(keys)

    async def seen_rows(self, caller: Caller, keys: Sequence[str]) -> list[ConversationRow]:
        """Those of them that this person may see."""
        scope = await self.scopes.of(caller)
        return [row for row in await self._store.rows(keys) if scope.sees(row)]

    async def seen_keys(self, caller: Caller, keys: Sequence[str]) -> set[str]:
        """Those keys whose conversations this person may see; of one that is forgotten its channel decides."""
        scope = await self.scopes.of(caller)
        wanted = list(dict.fromkeys(keys))
        found = {row.key: row for row in await self._store.rows(wanted)}
        return {key for key in wanted if scope.sees(found.get(key) or _forgotten(key))}

    async def seen(self, caller: Caller, key: str, *, fresh: bool = False) -> ConversationRow:
        """One conversation; raises NotFoundError when there is none, and when this person may not see it.

        `fresh`: by rights as they are at this moment, for what is done and not only looked at.
        """
        row = await self._store.conversation(key)
        if row is None or not (await self.scopes.of(caller, fresh=fresh)).sees(row):
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        return row


def _forgotten(key: str) -> ConversationRow:
    platform, account, conversation = split_key(key)
    return ConversationRow(key=key, platform=platform, account=account, conversation=conversation)


__all__ = ["MOST", "Inbox", "Window"]
