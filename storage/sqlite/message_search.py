"""The search over messages: one walk of the index from the newest entry on, which ends with the page."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection
from typing import Any

from msgspec import Struct, field

from actors.keys import channel_key, split_key
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.highlights import located
from storage.records import Page
from storage.search_records import MessageHit, MessageSearch
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.inbox import messages_numbered
from storage.sqlite.scope import LABEL_IN_EFFECT, Condition, add_labels, add_scope
from storage.sqlite.search import match_expression
from storage.sqlite.search_index import (
    END,
    OF_ENTRY,
    channel_facet,
    conversation_facet,
    direction_facet,
    number_at,
)
from storage.texts import order_key, query_words
from storage.words import terms_of

FEW = 200
"""So many conversations are named to the index; more of them are told apart message by message on the way."""
DIRECTIONS = ("in", "out")

_PLACES = f"""FROM search f CROSS JOIN messages m INDEXED BY messages_by_time ON {OF_ENTRY}
    CROSS JOIN conversations c ON c.id = m.conversation"""
_WITHIN = "f.search MATCH ? AND f.rowid >= ? AND f.rowid < ? AND m.merged_into IS NULL"


class _Wanted(Struct):
    """What the walk looks for: words, groups of facets, of which an entry has one each, conditions on conversations."""

    words: list[str] = field(default_factory=list[str])
    facets: list[list[str]] = field(default_factory=list[list[str]])
    parts: list[str] = field(default_factory=list[str])
    values: list[Any] = field(default_factory=list[Any])

    def expression(self) -> str:
        """The FTS5 expression."""
        groups = [f"facets : ({_either(group)})" for group in self.facets]
        return " AND ".join([*self.words, *groups])


def _either(facets: Iterable[str]) -> str:
    return " OR ".join(f'"{facet}"' for facet in facets)


class SqliteSearch:
    """`storage.search_ports.SearchStore`."""

    _db: Database

    async def search_messages(self, where: MessageSearch, limit: int, cursor: str | None = None) -> Page[MessageHit]:
        """Messages by sent_at descending, merged duplicates left out."""
        after = decode_cursor(cursor, "message_hits", tuple[int]) if cursor else None
        return await self._db.search(_search, where, bounded(limit), after)


def _search(connection: Connection, where: MessageSearch, limit: int, after: tuple[int] | None) -> Page[MessageHit]:
    wanted = _wanted(connection, where)
    if wanted is None:
        return Page(items=[])
    first = number_at(where.since) if where.since is not None else 0
    behind = number_at(where.until) if where.until is not None else END
    if after:
        behind = min(behind, after[0])
    rows = read_rows(
        connection,
        "f.rowid AS place, m.id AS id, c.contact_name AS name",
        f"{_PLACES} WHERE {' AND '.join([_WITHIN, *wanted.parts])} ORDER BY f.rowid DESC LIMIT ?",
        [wanted.expression(), first, behind, *wanted.values, limit + 1],
    )
    held = messages_numbered(connection, [row[1] for row in rows[:limit]])
    terms = terms_of(query_words(where.q)) if where.q is not None else []
    hits = [located(held[number], name, terms) for _, number, name in rows[:limit]]
    return Page(items=hits, next=encode_cursor("message_hits", rows[limit - 1][0]) if len(rows) > limit else None)


def _wanted(connection: Connection, where: MessageSearch) -> _Wanted | None:
    """What to look for; None when nothing can fulfil it."""
    asked = [
        (text, column) for text, column in ((where.q, "text ids sender"), (where.sender, "sender")) if text is not None
    ]
    words = [match_expression(text, column) for text, column in asked]
    wanted = _Wanted(words=[f"({one})" for one in words if one])
    if len(wanted.words) < len(words):
        return None  # there is nothing to look for
    if where.direction is not None:
        wanted.facets.append([direction_facet(where.direction)])
    if where.platform is not None or where.account is not None:
        wanted.facets.append([channel_facet(number) for number in _channels(connection, where)])
    if where.conversation is not None:
        rows = read_rows(connection, "id", "FROM conversation_keys WHERE key = ?", [where.conversation])
        wanted.facets.append([conversation_facet(number) for (number,) in rows])
    if where.contact is not None:
        _narrow(connection, wanted, "c.contact_id = ?", where.contact)
    if where.order is not None:
        of_order = "c.id IN (SELECT conversation FROM orders WHERE order_id = ?)"
        _narrow(connection, wanted, of_order, order_key(where.order))
    if where.label is not None:
        _label(connection, wanted, where.label)
    seen = Condition()
    add_scope(seen, where.scope)
    wanted.parts += seen.parts
    wanted.values += seen.values
    if not all(wanted.facets):
        return None
    if not wanted.facets and not wanted.words:
        wanted.facets.append([direction_facet(direction) for direction in DIRECTIONS])
    return wanted


def _narrow(connection: Connection, wanted: _Wanted, part: str, value: Any) -> None:
    """Want conversations that fulfil `part`: by name where they are few, else as a condition."""
    rows = read_rows(connection, "c.id", f"FROM conversations c WHERE {part} LIMIT ?", [value, FEW + 1])
    if len(rows) <= FEW:
        wanted.facets.append([conversation_facet(number) for (number,) in rows])
    else:
        wanted.parts.append(part)
        wanted.values.append(value)


def _label(connection: Connection, wanted: _Wanted, label: str) -> None:
    """The same for those that bear a label."""
    source = f"FROM conversation_labels l WHERE l.label = ? AND {LABEL_IN_EFFECT} LIMIT ?"
    rows = read_rows(connection, "l.conversation", source, [label, FEW + 1])
    if len(rows) <= FEW:
        wanted.facets.append([conversation_facet(number) for (number,) in rows])
        return
    condition = Condition()
    add_labels(condition, label)
    wanted.parts += condition.parts
    wanted.values += condition.values


def _channels(connection: Connection, where: MessageSearch) -> Iterable[int]:
    if where.platform is not None and where.account is not None:
        key = channel_key(where.platform, where.account)
        return [number for (number,) in read_rows(connection, "id", "FROM channels WHERE key = ?", [key])]
    place, name = (0, where.platform) if where.platform is not None else (1, where.account)
    channels = read_rows(connection, "id, key", "FROM channels")
    return [number for number, key in channels if split_key(key)[place] == name]
