"""Labels of conversations, given by rules and by people, and the book of labels and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sqlite3 import Connection

from msgspec import json

from storage.label_records import ConversationLabelled, LabelBook, LabelChange
from storage.records import AuditRow, ConversationRow
from storage.sqlite.bulk import read_rows, write_rows
from storage.sqlite.connection import Database
from storage.sqlite.conversation_rows import COLUMNS, conversation_rows
from storage.sqlite.save_audit import append_audit
from storage.sqlite.scope import LABEL_IN_EFFECT

_book = json.Decoder(LabelBook)

_GIVEN = """INSERT INTO conversation_labels (conversation, label, automatic, at) VALUES {rows}
    ON CONFLICT (conversation, label) DO UPDATE SET automatic = 1 WHERE automatic = 0"""


class SqliteLabels:
    """`storage.label_ports.LabelStore`."""

    _db: Database

    async def set_labels(self, key: str, change: LabelChange, audit: AuditRow) -> ConversationRow | None:
        """Give and take labels by hand; None for an unknown conversation."""
        return await self._db.write(_set, key, change, audit)

    async def labels_in_use(self) -> dict[str, int]:
        """How many conversations bear each label that any bears."""
        return await self._db.read(_in_use)

    async def label_book(self) -> LabelBook | None:
        """The newest version of the book."""
        return await self._db.read(_newest)

    async def put_label_book(self, book: LabelBook, audit: AuditRow) -> bool:
        """Store the version that follows; False when that version number is taken."""
        return await self._db.write(_put, book, audit)


def save_labels(
    connection: Connection, labelled: Iterable[ConversationLabelled], known: Mapping[str, tuple[int, int]], at: int
) -> None:
    """Give the labels of a flush; nothing is taken away."""
    rows = sorted((known[row.key][0], label, 1, at) for row in labelled for label in row.labels)
    write_rows(connection, _GIVEN, rows)


def _set(connection: Connection, key: str, change: LabelChange, audit: AuditRow) -> ConversationRow | None:
    source = "FROM conversation_keys k CROSS JOIN conversations c ON c.id = k.id WHERE k.key = ?"
    found = read_rows(connection, COLUMNS, source, (key,))
    if not found:
        return None
    number: int = found[0][-1]
    connection.executemany(
        """INSERT INTO conversation_labels (conversation, label, manual, at, who) VALUES (?, ?, 1, ?, ?)
        ON CONFLICT (conversation, label) DO UPDATE SET manual = 1, at = excluded.at, who = excluded.who,
            removed_at = NULL""",
        [(number, label, change.at, audit.who) for label in change.add],
    )
    connection.executemany(
        """INSERT INTO conversation_labels (conversation, label, at, who, removed_at) VALUES (?1, ?2, ?3, ?4, ?3)
        ON CONFLICT (conversation, label) DO UPDATE SET manual = 0, who = excluded.who, removed_at = excluded.at""",
        [(number, label, change.at, audit.who) for label in change.remove],
    )
    if change.sensitive is not None:
        connection.execute("UPDATE conversations SET sensitive = ? WHERE id = ?", (int(change.sensitive), number))
    append_audit(connection, audit)
    return conversation_rows(connection, read_rows(connection, COLUMNS, source, (key,)))[0]


def _in_use(connection: Connection) -> dict[str, int]:
    source = f"FROM conversation_labels l WHERE {LABEL_IN_EFFECT} GROUP BY l.label"
    return dict(map(tuple, read_rows(connection, "l.label, count(*) AS count", source)))


def _newest(connection: Connection) -> LabelBook | None:
    row = connection.execute("SELECT body FROM label_books ORDER BY version DESC LIMIT 1").fetchone()
    return _book.decode(row[0]) if row else None


def _put(connection: Connection, book: LabelBook, audit: AuditRow) -> bool:
    stored = connection.execute(
        "INSERT INTO label_books (version, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (book.version, json.encode(book).decode()),
    ).rowcount
    if stored:
        append_audit(connection, audit)
    return bool(stored)
