"""Saved views of the inbox.

One that is forgotten leaves its row of the audit behind, without a word of what it held, until that is delivered.
"""

from __future__ import annotations

from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow
from storage.view_records import SavedView

_view = json.Decoder(SavedView)
_HELD: Row = {"body": {"$exists": True}}
_GONE: Row = {"body": {"$exists": False}}


class MongoViews:
    """`storage.view_ports.ViewStore`."""

    _db: Database

    async def saved_views(self, person: str) -> list[SavedView]:
        """A person's own and the shared ones, by id."""
        where: Row = {"$or": [{"owner": person}, {"shared": True}]}
        with self._db.talk() as db:
            found = db.saved_views.find(where, {"body": 1}, sort=[("_id", 1)])
            return [_view.decode(row["body"]) async for row in found]

    async def saved_view(self, view_id: str) -> SavedView | None:
        """One by its id."""
        with self._db.talk() as db:
            row = await db.saved_views.find_one({"_id": view_id, **_HELD}, {"body": 1})
        return _view.decode(row["body"]) if row else None

    async def put_saved_view(self, view: SavedView, audit: AuditRow) -> bool:
        """Store one when `view.version - 1` is the stored version (0: there is none), else False."""
        change: Row = {
            "owner": view.owner,
            "shared": view.shared,
            "version": view.version,
            "body": json.encode(view).decode(),
        }
        was: Row = _GONE if view.version == 1 else {"version": view.version - 1, **_HELD}
        if not await self._view_changed(view.id, was, {"$set": change}, audit, upsert=view.version == 1):
            return False
        await deliver(self._db, "saved_views")
        return True

    async def delete_saved_view(self, view_id: str, audit: AuditRow) -> bool:
        """Forget one; False when it is not there."""
        gone: Row = {"$set": {}, "$unset": {"body": "", "owner": "", "shared": "", "version": ""}}
        if not await self._view_changed(view_id, _HELD, gone, audit):
            return False
        await deliver(self._db, "saved_views")
        with self._db.talk() as db:
            await db.saved_views.delete_many({**_GONE, "audits": {}})
        return True

    async def _view_changed(self, name: str, was: Row, change: Row, audit: AuditRow, *, upsert: bool = False) -> bool:
        """Whether the document was as `was` says, and is now changed."""
        nonce = token_hex(12)
        change["$set"] = {**change["$set"], "made_by": nonce, **pending_change(audit)}
        with self._db.talk() as db:
            try:
                done = await db.saved_views.update_one({"_id": name, **was}, change, upsert=upsert)
            except DuplicateKeyError:
                pass  # it is held; by whom is asked below
            else:
                if done.matched_count or done.upserted_id is not None:
                    return True
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db.saved_views.find_one({"_id": name}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce
