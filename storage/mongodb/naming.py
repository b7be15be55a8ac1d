"""Which kept files are named by anything that is held; messages tell it in `digests`, beside what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase

from storage.digests import named_in
from storage.mongodb.connection import Database, Row

_TOLD = ("messages", "progress")
_BODIES = ("replies", "drafts")
_WITH_FILES = {"body": {"$regex": '"files":\\[\\{'}}


class MongoNaming:
    """`storage.channel_ports.NamingStore`."""

    _db: Database

    async def named_files(self, digests: Sequence[str]) -> set[str]:
        """Of these digests those that a message's file, a thumbnail, a reply or a draft names."""
        wanted = set(digests)
        found: set[str] = set()
        with self._db.talk() as db:
            for name in _TOLD:
                where = {"digests": {"$in": sorted(wanted)}}
                async for row in db[name].find(where, {"digests": 1}):
                    found |= wanted.intersection(row["digests"])
            for name in _BODIES:
                async for row in db[name].find(_WITH_FILES, {"body": 1}):
                    found |= wanted.intersection(named_in(row["body"]))
        return found


async def tell_digests(db: AsyncDatabase[Row]) -> None:
    """Write which files they name beside what became of messages, where an earlier version did not."""
    for name in _TOLD:
        where = {"attachments": {"$exists": True}, "digests": {"$exists": False}}
        async for row in db[name].find(where, {"attachments.detail": 1}):
            found = [digest for fate in row["attachments"] for digest in named_in(fate.get("detail"))]
            if found:
                await db[name].update_one({"_id": row["_id"]}, {"$set": {"digests": found}})


__all__ = ["MongoNaming", "tell_digests"]
