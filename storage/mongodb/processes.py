"""Which processes make up this deployment: one document each, their latest sign of life."""

from __future__ import annotations

from msgspec import json

from storage.mongodb.connection import Database
from storage.records import ProcessBeat

_beat = json.Decoder(ProcessBeat)


class MongoProcesses:
    """`storage.ports.ProcessStore`."""

    _db: Database

    async def beat(self, beat: ProcessBeat) -> None:
        """Replace the process's last sign of life."""
        document = {"at": beat.at, "body": json.encode(beat).decode()}
        with self._db.talk() as db:
            await db.processes.replace_one({"_id": beat.process}, document, upsert=True)

    async def beats(self, since: int) -> list[ProcessBeat]:
        """Processes with at >= since, by process."""
        with self._db.talk() as db:
            found = db.processes.find({"at": {"$gte": since}}, {"body": 1}, sort=[("_id", 1)])
            return [_beat.decode(row["body"]) async for row in found]

    async def forget_beats(self, before: int) -> None:
        """Forget the processes with at < before."""
        with self._db.talk() as db:
            await db.processes.delete_many({"at": {"$lt": before}})
