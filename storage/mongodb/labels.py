"""Labels of conversations and the book of labels and words.

Those by rules are `row.auto`, written by flushes alone; those by people are `given`, changed by compare-and-set on a
version of its own: neither can undo the other. Each label is a field, so that giving one twice is giving it once.
`given.any`: whether people gave any label but `other`. Rows of the audit wait as those of the desk do.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.errors import StoreBusyError
from storage.label_records import OTHER, LabelBook, LabelChange, in_effect
from storage.mongodb.audits import deliver, pending
from storage.mongodb.connection import Database, Row
from storage.mongodb.conversation_rows import SHOWN, conversation_rows, label_parts
from storage.mongodb.desk import deliver_desk
from storage.mongodb.flushes import SETTLE_S
from storage.mongodb.inbox import LOWEST
from storage.records import AuditRow, ConversationRow

_book = json.Decoder(LabelBook)
_ATTEMPTS = 25
YIELD_S = 0.005
"""Whoever lost to somebody else lets him finish, each time a little longer."""


class MongoLabels:
    """`storage.label_ports.LabelStore`."""

    _db: Database

    async def set_labels(self, key: str, change: LabelChange, audit: AuditRow) -> ConversationRow | None:
        """Give and take labels by hand; None for an unknown conversation."""
        nonce = token_hex(12)
        for attempt in range(_ATTEMPTS):
            await asyncio.sleep(attempt * YIELD_S)
            with self._db.talk() as db:
                document = await db.conversations.find_one({"_id": key, "row.last_at": {"$gte": LOWEST}}, SHOWN)
            if document is None:
                return None
            if document.get("given", {}).get("by") != nonce:
                await deliver_desk(self._db, document)
                await self._try(document, change, audit, nonce)
                with self._db.talk() as db:
                    document = await db.conversations.find_one({"_id": key, "row.last_at": {"$gte": LOWEST}}, SHOWN)
            if document is not None and document.get("given", {}).get("by") == nonce:
                await deliver_desk(self._db, document)
                return (await conversation_rows(self._db, [document]))[0]
        raise StoreBusyError(f"many changes are made to one conversation in {self._db.place} at once; try again")

    async def _try(self, document: Row, change: LabelChange, audit: AuditRow, nonce: str) -> None:
        given = document.get("given", {})
        labels = {**given.get("labels", {}), **dict.fromkeys(change.add, True), **dict.fromkeys(change.remove, False)}
        assigned: Row = {
            "given": {
                "version": given.get("version", 0) + 1,
                "by": nonce,
                "labels": labels,
                "any": any(holds for label, holds in labels.items() if label != OTHER),
            },
            "told": {"nonce": nonce, "body": json.encode(audit).decode()},
        }
        if change.sensitive is not None:
            assigned["row.sensitive"] = change.sensitive
        version: Row = {"given.version": given["version"]} if given else {"given": {"$exists": False}}
        where: Row = {"_id": document["_id"], "row.last_at": {"$gte": LOWEST}, "told": {"$exists": False}, **version}
        with self._db.talk() as db:
            done = await db.conversations.update_one(where, {"$set": assigned})
        if done.matched_count and not self._db.atomic:
            await asyncio.sleep(SETTLE_S)

    async def labels_in_use(self) -> dict[str, int]:
        """How many conversations bear each label that any bears."""
        steps: list[Row] = [
            {"$match": {"row.last_at": {"$gte": LOWEST}}},
            {"$group": {"_id": {"auto": "$row.auto", "given": "$given.labels"}, "count": {"$sum": 1}}},
        ]
        counts: dict[str, int] = {}
        with self._db.talk() as db:
            async for row in await db.conversations.aggregate(steps):
                group = row["_id"]
                parts = label_parts(group.get("auto") or {}, group.get("given") or {})
                for label in in_effect(*parts):
                    counts[label] = counts.get(label, 0) + row["count"]
        return counts

    async def label_book(self) -> LabelBook | None:
        """The newest version of the book."""
        with self._db.talk() as db:
            found = await db.label_books.find_one({}, {"body": 1}, sort=[("_id", -1)])
        return _book.decode(found["body"]) if found else None

    async def put_label_book(self, book: LabelBook, audit: AuditRow) -> bool:
        """Store the version that follows; False when that version number is taken."""
        nonce, waiting = pending(audit)
        document = {"_id": book.version, "body": json.encode(book).decode(), "made_by": nonce, **waiting}
        with self._db.talk() as db:
            try:
                await db.label_books.insert_one(document)
            except DuplicateKeyError:
                # It may be our own: the answer to the first try was lost and the driver tried again.
                found = await db.label_books.find_one({"_id": book.version})
                if not found or found["made_by"] != nonce:
                    return False
        await deliver(self._db, "label_books")
        return True


__all__ = ["MongoLabels"]
