"""Conversations that hold what a query asks for, by their latest message.

Few hits: their conversations are gathered and sorted. Many hits: the latest conversations are walked first, some at a
time, and looked for in the index; where that does not fill the page, because all hits lie far back, they are gathered
after all. Both give the same.
"""

# ruff: noqa: S608 - what is put together are constants and marks; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import Struct

from storage.sqlite.bulk import read_rows
from storage.sqlite.search_index import OF_ENTRY, conversation_facet

FEW = 5_000
STEPS = (60, 200, 400, 400)
"""How many conversations a step of the walk looks at; the first ones mostly do for a frequent word."""

_MANY = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
HITS = f"""SELECT DISTINCT CASE WHEN f.rowid < 0 THEN -f.rowid ELSE m.conversation END AS id
    FROM search f LEFT JOIN messages m INDEXED BY messages_by_time ON {OF_ENTRY} WHERE f.search MATCH ?"""
_NEWEST = "ORDER BY c.last_at DESC, c.id DESC LIMIT ?"


class Conditions(Struct, frozen=True):
    """What conversations `c` must fulfil: expressions, the values bound in them, and behind which row they must lie."""

    parts: Sequence[str]
    values: Sequence[Any]
    after: tuple[int, int] | None

    def where(self) -> tuple[str, list[Any]]:
        """The clause with its values."""
        parts, values = list(self.parts), list(self.values)
        if self.after:
            parts.append("(c.last_at, c.id) < (?, ?)")
            values += self.after
        return (f"WHERE {' AND '.join(parts)}" if parts else ""), values


def newest_found(connection: Connection, expression: str, conditions: Conditions, limit: int) -> list[int]:
    """The numbers of the conversations that have a hit and fulfil the conditions, in order, `limit` at most."""
    (many,) = connection.execute(_MANY, (expression, FEW + 1)).fetchone()
    found = _walk(connection, expression, conditions, limit) if many > FEW else None
    return _gather(connection, expression, conditions, limit) if found is None else found


def _gather(connection: Connection, expression: str, conditions: Conditions, limit: int) -> list[int]:
    where, values = conditions.where()
    source = f"FROM ({HITS}) h CROSS JOIN conversations c ON c.id = h.id {where} {_NEWEST}"
    return [number for (number,) in read_rows(connection, "c.id", source, [expression, *values, limit])]


def _walk(connection: Connection, expression: str, conditions: Conditions, limit: int) -> list[int] | None:
    """The same from the latest on; None when these steps do not reach far enough."""
    found: list[int] = []
    for size in STEPS:
        where, values = conditions.where()
        page = read_rows(connection, "c.id, c.last_at", f"FROM conversations c {where} {_NEWEST}", [*values, size])
        if page:
            facets = " OR ".join(f'"{conversation_facet(number)}"' for number, _ in page)
            rows = read_rows(connection, "id", f"FROM ({HITS})", [f"({expression}) AND facets : ({facets})"])
            hits = {number for (number,) in rows}
            found += [number for number, _ in page if number in hits]
        if len(found) >= limit or len(page) < size:
            return found[:limit]
        conditions = Conditions(conditions.parts, conditions.values, (page[-1][1], page[-1][0]))
    return None
