"""A person's conversations over all channels, and their messages as one timeline; only what somebody may see."""

from __future__ import annotations

from typing import Any, Protocol

from actors.keys import conversation_key
from actors.times import rfc3339
from services.contacts.learning import NAMELESS
from services.contacts.people import Person
from storage.contact_ports import ContactStore
from storage.cursors import decode_cursor, encode_cursor
from storage.inbox_records import Scope
from storage.ports import InboxStore
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page

MOST_OF_ONE = 500
"""Conversations of one contact that are looked at."""


class HistoryStore(ContactStore, InboxStore, Protocol):
    """The parts of a store used here."""


class History:
    """Reads what persons said and were told."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    async def conversations(self, person: Person, scope: Scope) -> list[ConversationRow]:
        """Those of all members that may be seen, the latest first."""
        found: dict[str, ConversationRow] = {}
        for one in person.members:
            where = ConversationFilter(platform=one.platform, account=one.account, contact=one.identity, scope=scope)
            rows = (await self._store.conversations(where, MOST_OF_ONE)).items
            if not rows and one.identity.startswith(NAMELESS):
                name = one.identity.removeprefix(NAMELESS)
                row = await self._store.conversation(conversation_key(one.platform, one.account, name))
                rows = [row] if row else []
            found |= {row.key: row for row in rows if scope.sees(row)}
        return sorted(found.values(), key=lambda row: (-row.last_at, row.key))

    async def any_seen(self, person: Person, scope: Scope) -> bool:
        """Whether any may be seen."""
        return bool(await self.conversations(person, scope))

    async def page(self, person: Person, scope: Scope, limit: int, cursor: str | None = None) -> Page[ConversationRow]:
        """One page of the conversations; raises RejectedError for a bad cursor."""
        rows = await self.conversations(person, scope)
        if cursor:
            last_at, key = decode_cursor(cursor, "history", tuple[int, str])
            rows = [row for row in rows if (-row.last_at, row.key) > (-last_at, key)]
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(items=rows[:limit], next=encode_cursor("history", last.last_at, last.key) if last else None)

    async def timeline(self, person: Person, scope: Scope, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of all conversations, the latest first; raises RejectedError for a bad cursor."""
        keys = [row.key for row in await self.conversations(person, scope)]
        return await self._store.messages_of_all(keys, limit, cursor)


def span_view(row: ConversationRow, here: str | None) -> dict[str, Any]:
    """A conversation as a span of the history; `here`: the key of the open one."""
    return {
        "key": row.key,
        "platform": row.platform,
        "account": row.account,
        "conversation": row.conversation,
        "here": row.key == here,
        "status": row.status,
        "order": row.order,
        "messages": row.messages,
        "first_at": rfc3339(row.first_at),
        "last_at": rfc3339(row.last_at),
        "last_direction": row.last_direction,
        "last_text": row.last_text,
        "assignee": row.assignee,
    }


__all__ = ["History", "span_view"]
