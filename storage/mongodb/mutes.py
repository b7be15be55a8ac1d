"""What is muted, and what was; a mute is never deleted."""

from __future__ import annotations

from msgspec import json

from storage.cursors import bounded
from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database
from storage.records import AuditRow, Mute

_mute = json.Decoder(Mute)


class MongoMutes:
    """`storage.ports.MuteStore`."""

    _db: Database

    async def mutes(self, limit: int) -> list[Mute]:
        """Mutes, those in force and past ones, by `until` descending, then id."""
        with self._db.talk() as db:
            found = db.mutes.find({}, {"body": 1}, sort=[("until", -1), ("_id", 1)], limit=bounded(limit))
            return [_mute.decode(row["body"]) async for row in found]

    async def put_mute(self, mute: Mute, audit: AuditRow) -> None:
        """Create or replace a mute, with its audit row."""
        change = {"until": mute.until, "body": json.encode(mute).decode(), **pending_change(audit)}
        with self._db.talk() as db:
            await db.mutes.update_one({"_id": mute.id}, {"$set": change}, upsert=True)
        await deliver(self._db, "mutes")
