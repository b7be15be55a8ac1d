"""Many rows in one statement, both ways.

Python's sqlite3 gives up the interpreter lock at every step and must win it back from the busy event loop, up to 5 ms
a row. One step that writes 256 rows, or one JSON row that holds a whole page, pays that once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from sqlite3 import Connection
from typing import Any

from msgspec import json

CHUNKS = (256, 16, 1)
"""Rows a statement; three sizes so that SQLite's prepared statements are reused whatever a batch holds."""


def write_rows(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run `sql`, whose `{rows}` becomes `(?, …), (?, …)`, over all rows, in order."""
    start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            connection.execute(_statement(sql, size, len(rows[0])), values)
            start += size


def read_rows(connection: Connection, columns: str, source: str, values: Sequence[Any] = ()) -> list[list[Any]]:
    """Rows of `SELECT columns source` in its order; a column is a plain name or `expression AS name`, never a blob."""
    names = ", ".join(part.rpartition(" AS ")[2].rpartition(".")[2].strip() for part in columns.split(", "))
    sql = f"SELECT json_group_array(json_array({names})) FROM (SELECT {columns} {source})"  # noqa: S608 - constants of the callers; values are bound
    return json.decode(connection.execute(sql, values).fetchone()[0], type=list[list[Any]])


def read_chunks(connection: Connection, sql: str, rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Like `write_rows` for a query with one JSON array of arrays as its only result."""
    found: list[list[Any]] = []
    start = 0
    for size in CHUNKS:
        while len(rows) - start >= size:
            values = list(chain.from_iterable(rows[start : start + size]))
            answer = connection.execute(_statement(sql, size, len(rows[0])), values).fetchone()[0]
            found += json.decode(answer, type=list[list[Any]])
            start += size
    return found


@lru_cache(maxsize=256)
def _statement(sql: str, size: int, width: int) -> str:
    row = f"({', '.join('?' * width)})"
    return sql.replace("{rows}", ", ".join([row] * size))
