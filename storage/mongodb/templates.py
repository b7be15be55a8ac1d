"""Templates of replies; their use is counted beside what they say.

One that is forgotten leaves its row of the audit behind, without a word of what it said, until that is delivered.
"""

from __future__ import annotations

from secrets import token_hex

from msgspec import json
from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow
from storage.writing_records import Template

_template = json.Decoder(Template)
_HELD: Row = {"body": {"$exists": True}}
_GONE: Row = {"body": {"$exists": False}}
_SHOWN = {"body": 1, "used": 1, "last_used_at": 1}


class MongoTemplates:
    """`storage.writing_ports.TemplateStore`."""

    _db: Database

    async def templates(self) -> list[Template]:
        """All of them, by folder, then name, then id."""
        with self._db.talk() as db:
            found = [_of(row) async for row in db.templates.find(_HELD, _SHOWN)]
        return sorted(found, key=lambda one: (one.folder, one.name, one.id))

    async def template(self, template_id: str) -> Template | None:
        """One template."""
        with self._db.talk() as db:
            row = await db.templates.find_one({"_id": template_id, **_HELD}, _SHOWN)
        return _of(row) if row else None

    async def save_template(self, template: Template, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Create one, or change the one whose `version` is `replaces`; False: somebody was faster."""
        nonce = token_hex(12)
        state = _GONE if replaces is None else {"version": replaces, **_HELD}
        where: Row = {"_id": template.id, **state}
        change: Row = {
            "version": template.version,
            "body": json.encode(template).decode(),
            "made_by": nonce,
            **pending_change(audit),
        }
        if not await self._template_changed(template.id, where, {"$set": change}, nonce, upsert=replaces is None):
            return False
        await deliver(self._db, "templates")
        return True

    async def delete_template(self, template_id: str, audit: AuditRow) -> bool:
        """Forget a template, and note it; False when there is none."""
        nonce = token_hex(12)
        change: Row = {
            "$set": {"made_by": nonce, **pending_change(audit)},
            "$unset": {"body": "", "version": "", "used": "", "last_used_at": ""},
        }
        if not await self._template_changed(template_id, {"_id": template_id, **_HELD}, change, nonce):
            return False
        await deliver(self._db, "templates")
        with self._db.talk() as db:
            await db.templates.delete_many({**_GONE, "audits": {}})
        return True

    async def template_used(self, template_id: str, at: int) -> None:
        """Count one more use; an unknown template is ignored."""
        with self._db.talk() as db:
            change = {"$inc": {"used": 1}, "$max": {"last_used_at": at}}
            await db.templates.update_one({"_id": template_id, **_HELD}, change)

    async def _template_changed(self, name: str, where: Row, change: Row, nonce: str, *, upsert: bool = False) -> bool:
        """Whether the document was as `where` says, and is now changed."""
        with self._db.talk() as db:
            try:
                done = await db.templates.update_one(where, change, upsert=upsert)
            except DuplicateKeyError:
                pass  # it is held; by whom is asked below
            else:
                if done.matched_count or done.upserted_id is not None:
                    return True
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db.templates.find_one({"_id": name}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce


def _of(row: Row) -> Template:
    return replace(_template.decode(row["body"]), used=row.get("used", 0), last_used_at=row.get("last_used_at"))
