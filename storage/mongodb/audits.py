"""The log of what people changed. A change and its row become durable together, without a transaction.

The row waits inside the changed document (`audits`, by a nonce) and is delivered to the log at once; should the
process die in between, whoever opens, prunes or changes something next delivers it. The nonce makes that once.
"""

from __future__ import annotations

from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.errors import StoreBusyError
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow

AUDITED = (
    "users",
    "tokens",
    "thresholds",
    "mutes",
    "bindings",
    "teams",
    "label_books",
    "saved_views",
    "alert_settings",
    "contacts",
    "contact_pairs",
    "templates",
)
"""Collections whose documents may hold rows that wait."""
INDEXED = ("contacts", "contact_pairs")
"""Those with many documents: one where a row waits has the field `unsaid`, which an index finds."""
_ATTEMPTS = 50


def pending(audit: AuditRow) -> tuple[str, Row]:
    """A nonce, and the field for a new document that holds the row until it is delivered."""
    nonce = token_hex(12)
    return nonce, {"audits": {nonce: json.encode(audit).decode()}}


def pending_change(audit: AuditRow) -> Row:
    """The same for a `$set` on a document that may be there already."""
    return {f"audits.{token_hex(12)}": json.encode(audit).decode()}


def waiting_change(audit: AuditRow) -> Row:
    """The same in a collection of `INDEXED`."""
    return {**pending_change(audit), "unsaid": True}


async def deliver(database: Database, *collections: str) -> None:
    """Move waiting rows of these collections to the log."""
    for name in collections:
        with database.talk() as db:
            where: Row = {"unsaid": True} if name in INDEXED else {"audits": {"$exists": True, "$ne": {}}}
            waiting = await db[name].find(where, {"audits": 1}).to_list()
        for document in waiting:
            for nonce, body in document["audits"].items():
                await append(database, nonce, body)
                with database.talk() as db:
                    await db[name].update_one({"_id": document["_id"]}, {"$unset": {f"audits.{nonce}": ""}})
            if name in INDEXED:
                with database.talk() as db:
                    await db[name].update_one({"_id": document["_id"], "audits": {}}, {"$unset": {"unsaid": ""}})


async def append(database: Database, nonce: str, body: str) -> None:
    """Add a row under the next number, unless its nonce is there already."""
    told = json.decode(body, type=AuditRow)
    shown = {"subject": told.subject, "who": told.who, "what": told.what}
    for _ in range(_ATTEMPTS):
        with database.talk() as db:
            if await db.audit.find_one({"nonce": nonce}, {"_id": 1}):
                return
            last = await db.audit.find_one({}, {"_id": 1}, sort=[("_id", -1)])
            row = {"_id": last["_id"] + 1 if last else 1, "nonce": nonce, "body": body, **shown}
            try:
                await db.audit.insert_one(row)
            except DuplicateKeyError:
                continue  # the number was taken meanwhile, or the row was
            return
    raise StoreBusyError(f"many changes are being noted in {database.place} at once; it is tried again")
