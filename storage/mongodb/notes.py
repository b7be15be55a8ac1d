"""Notes on conversations, and drafts of replies.

A note's audit row waits in the note (`audits`) until it is in the log; `waiting` marks those notes, so that they are
found among many.
"""

from __future__ import annotations

from msgspec import json
from pymongo.errors import DuplicateKeyError

from actors.keys import conversation_key
from storage.cursors import bounded
from storage.mongodb.audits import append, pending
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow
from storage.writing_records import Note, ReplyDraft

_note = json.Decoder(Note)
_draft = json.Decoder(ReplyDraft)


class MongoNotes:
    """`storage.writing_ports.NoteStore` and `DraftStore`."""

    _db: Database

    async def add_note(self, note: Note, audit: AuditRow) -> Note:
        """Keep a note with its audit row; one with its `id` that is held already is given instead."""
        _, audits = pending(audit)
        row: Row = {"_id": note.id, "key": note.key, "at": note.at, "body": json.encode(note).decode(), "waiting": 1}
        kept = note
        with self._db.talk() as db:
            try:
                await db.notes.insert_one(row | audits)
            except DuplicateKeyError:
                held = await db.notes.find_one({"_id": note.id}, {"body": 1})
                kept = _note.decode(held["body"]) if held else note
        await deliver_notes(self._db)
        return kept

    async def notes(
        self, key: str, limit: int, *, before: tuple[int, str] | None = None, since: int | None = None
    ) -> list[Note]:
        """Notes of a conversation by `at`, then id, both descending; those behind `before`, with at >= `since`."""
        where: Row = {"key": key}
        if before is not None:
            at, name = before
            where["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": name}}]
        if since is not None:
            where["at"] = {"$gte": since}
        with self._db.talk() as db:
            found = db.notes.find(where, {"body": 1}, sort=[("at", -1), ("_id", -1)], limit=bounded(limit))
            return [_note.decode(row["body"]) async for row in found]

    async def draft(self, user: str, key: str) -> ReplyDraft | None:
        """One draft."""
        with self._db.talk() as db:
            row = await db.drafts.find_one({"_id": _name(user, key)}, {"body": 1})
        return _draft.decode(row["body"]) if row else None

    async def put_draft(self, draft: ReplyDraft) -> None:
        """Create or replace it."""
        change = {
            "user": draft.user,
            "key": draft.key,
            "changed_at": draft.changed_at,
            "body": json.encode(draft).decode(),
        }
        with self._db.talk() as db:
            await db.drafts.update_one({"_id": _name(draft.user, draft.key)}, {"$set": change}, upsert=True)

    async def delete_draft(self, user: str, key: str) -> None:
        """Forget it, if it is held."""
        with self._db.talk() as db:
            await db.drafts.delete_one({"_id": _name(user, key)})

    async def drafts(self, user: str, limit: int) -> list[ReplyDraft]:
        """A person's drafts, the latest first."""
        with self._db.talk() as db:
            sort = [("changed_at", -1), ("key", 1)]
            found = db.drafts.find({"user": user}, {"body": 1}, sort=sort, limit=bounded(limit))
            return [_draft.decode(row["body"]) async for row in found]


async def deliver_notes(database: Database) -> None:
    """Move audit rows that wait in notes to the log."""
    with database.talk() as db:
        waiting = await db.notes.find({"waiting": 1}, {"audits": 1}).to_list()
    for row in waiting:
        for nonce, body in row["audits"].items():
            await append(database, nonce, body)
        with database.talk() as db:
            await db.notes.update_one({"_id": row["_id"]}, {"$unset": {"waiting": "", "audits": ""}})


def _name(user: str, key: str) -> str:
    return conversation_key("draft", user, key)
