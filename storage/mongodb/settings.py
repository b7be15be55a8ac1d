"""Thresholds with their history."""

from __future__ import annotations

from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.cursors import bounded
from storage.mongodb.audits import deliver, pending
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow, ThresholdVersion

_version = json.Decoder(ThresholdVersion)


class MongoSettings:
    """`storage.ports.SettingsStore`."""

    _db: Database

    async def thresholds(self) -> ThresholdVersion | None:
        """The version in force: the newest that is no draft."""
        found = await self._versions({"draft": False}, 1)
        return found[0] if found else None

    async def threshold_history(self, limit: int) -> list[ThresholdVersion]:
        """Versions, newest first, drafts too."""
        return await self._versions({}, bounded(limit))

    async def put_thresholds(self, version: ThresholdVersion, audit: AuditRow) -> bool:
        """Store a version with its audit row; False when that version number is taken."""
        nonce, waiting = pending(audit)
        document = {
            "_id": version.version,
            "draft": version.draft,
            "body": json.encode(version).decode(),
            "made_by": nonce,
            **waiting,
        }
        with self._db.talk() as db:
            try:
                await db.thresholds.insert_one(document)
            except DuplicateKeyError:
                # It may be our own: the answer to the first try was lost and the driver tried again.
                found = await db.thresholds.find_one({"_id": version.version})
                if not found or found["made_by"] != nonce:
                    return False
        await deliver(self._db, "thresholds")
        return True

    async def _versions(self, where: Row, limit: int) -> list[ThresholdVersion]:
        with self._db.talk() as db:
            found = db.thresholds.find(where, {"body": 1}, sort=[("_id", -1)], limit=limit)
            return [_version.decode(row["body"]) async for row in found]
