"""Which channels are bound to their platforms.

A binding that is forgotten leaves its row of the audit behind, without a word of what it held, until that is delivered.
"""

from __future__ import annotations

from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from actors.keys import channel_key
from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow, BoundChannel

_binding = json.Decoder(BoundChannel)


class MongoBindings:
    """`storage.ports.BindingStore`."""

    _db: Database

    async def bindings(self) -> list[BoundChannel]:
        """Every bound channel, by platform, then account."""
        with self._db.talk() as db:
            found = [_binding.decode(row["body"]) async for row in db.bindings.find(_HELD, {"body": 1})]
        return sorted(found, key=lambda one: (one.platform, one.account))

    async def binding(self, platform: str, account: str) -> BoundChannel | None:
        """One bound channel."""
        with self._db.talk() as db:
            row = await db.bindings.find_one({"_id": channel_key(platform, account), **_HELD}, {"body": 1})
        return _binding.decode(row["body"]) if row else None

    async def save_binding(self, binding: BoundChannel, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Bind a channel, or change the binding whose `changed_at` is `replaces`; False: somebody was faster."""
        key, nonce = channel_key(binding.platform, binding.account), token_hex(12)
        where: Row = {"_id": key, **(_GONE if replaces is None else {"changed_at": replaces, **_HELD})}
        change: Row = {
            "changed_at": binding.changed_at,
            "body": json.encode(binding).decode(),
            "made_by": nonce,
            **pending_change(audit),
        }
        if not await self._changed(key, where, {"$set": change}, nonce, upsert=replaces is None):
            return False
        await deliver(self._db, "bindings")
        return True

    async def delete_binding(self, platform: str, account: str, audit: AuditRow) -> bool:
        """Forget a binding, and note it; False when there is none."""
        key, nonce = channel_key(platform, account), token_hex(12)
        change: Row = {
            "$set": {"made_by": nonce, **pending_change(audit)},
            "$unset": {"body": "", "changed_at": ""},
        }
        if not await self._changed(key, {"_id": key, **_HELD}, change, nonce):
            return False
        await deliver(self._db, "bindings")
        with self._db.talk() as db:
            await db.bindings.delete_many({**_GONE, "audits": {}})
        return True

    async def _changed(self, key: str, where: Row, change: Row, nonce: str, *, upsert: bool = False) -> bool:
        """Whether the document was as `where` says, and is now changed."""
        with self._db.talk() as db:
            try:
                done = await db.bindings.update_one(where, change, upsert=upsert)
            except DuplicateKeyError:
                pass  # it is held; by whom is asked below
            else:
                if done.matched_count or done.upserted_id is not None:
                    return True
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db.bindings.find_one({"_id": key}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce


_HELD: Row = {"body": {"$exists": True}}
_GONE: Row = {"body": {"$exists": False}}
