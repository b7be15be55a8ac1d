"""Notes on conversations, and drafts of replies."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from msgspec import json

from storage.cursors import bounded
from storage.records import AuditRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit
from storage.writing_records import Note, ReplyDraft

_note = json.Decoder(Note)
_draft = json.Decoder(ReplyDraft)


class SqliteNotes:
    """`storage.writing_ports.NoteStore` and `DraftStore`."""

    _db: Database

    async def add_note(self, note: Note, audit: AuditRow) -> Note:
        """Keep a note with its audit row; one with its `id` that is held already is given instead."""
        return await self._db.write(_add, note, audit)

    async def notes(
        self, key: str, limit: int, *, before: tuple[int, str] | None = None, since: int | None = None
    ) -> list[Note]:
        """Notes of a conversation by `at`, then id, both descending; those behind `before`, with at >= `since`."""
        return await self._db.read(_notes, key, bounded(limit), before, since)

    async def draft(self, user: str, key: str) -> ReplyDraft | None:
        """One draft."""
        found = await self._db.read(_drafts, "WHERE user = ? AND key = ?", user, key)
        return found[0] if found else None

    async def put_draft(self, draft: ReplyDraft) -> None:
        """Create or replace it."""
        await self._db.write(_put_draft, draft)

    async def delete_draft(self, user: str, key: str) -> None:
        """Forget it, if it is held."""
        await self._db.write(_delete_draft, user, key)

    async def drafts(self, user: str, limit: int) -> list[ReplyDraft]:
        """A person's drafts, the latest first."""
        return await self._db.read(
            _drafts, "WHERE user = ? ORDER BY changed_at DESC, key LIMIT ?", user, bounded(limit)
        )


def _add(connection: Connection, note: Note, audit: AuditRow) -> Note:
    sql = "INSERT INTO notes (id, key, at, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    if connection.execute(sql, (note.id, note.key, note.at, json.encode(note).decode())).rowcount:
        append_audit(connection, audit)
        return note
    return _note.decode(connection.execute("SELECT body FROM notes WHERE id = ?", (note.id,)).fetchone()[0])


def _notes(
    connection: Connection, key: str, limit: int, before: tuple[int, str] | None, since: int | None
) -> list[Note]:
    which = "key = ?"
    bounds: list[Any] = [key]
    if before is not None:
        which += " AND (at, id) < (?, ?)"
        bounds += before
    if since is not None:
        which += " AND at >= ?"
        bounds.append(since)
    source = f"FROM notes WHERE {which} ORDER BY at DESC, id DESC LIMIT ?"
    return [_note.decode(body) for (body,) in read_rows(connection, "body", source, [*bounds, limit])]


def _drafts(connection: Connection, which: str, *values: Any) -> list[ReplyDraft]:
    return [_draft.decode(body) for (body,) in read_rows(connection, "body", f"FROM drafts {which}", values)]


def _put_draft(connection: Connection, draft: ReplyDraft) -> None:
    connection.execute(
        """INSERT INTO drafts (user, key, changed_at, body) VALUES (?, ?, ?, ?)
        ON CONFLICT (user, key) DO UPDATE SET changed_at = excluded.changed_at, body = excluded.body""",
        (draft.user, draft.key, draft.changed_at, json.encode(draft).decode()),
    )


def _delete_draft(connection: Connection, user: str, key: str) -> None:
    connection.execute("DELETE FROM drafts WHERE user = ? AND key = ?", (user, key))
