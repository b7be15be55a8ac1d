"""Whom a message was to reach, and how each person wants to be told."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import cast

import bson
from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.alert_records import AlertFilter, AlertSettings, ExpectedAlert, Fate
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow, Page

_alert = json.Decoder(ExpectedAlert)
_settings = json.Decoder(AlertSettings)
_NEWEST = [("at", -1), ("_id", -1)]


class MongoAlerts:
    """`storage.alert_ports.AlertStore`."""

    _db: Database

    async def alert_settings(self, person: str) -> AlertSettings | None:
        """What a person wants; None when nothing was ever said."""
        with self._db.talk() as db:
            row = await db.alert_settings.find_one({"_id": person}, {"body": 1})
        return _settings.decode(row["body"]) if row else None

    async def put_alert_settings(self, settings: AlertSettings, audit: AuditRow) -> bool:
        """Store them with their audit row when `settings.version - 1` is the stored version (0: none), else False."""
        change = {"version": settings.version, "body": json.encode(settings).decode(), **pending_change(audit)}
        was: Row = {"version": settings.version - 1} if settings.version > 1 else {"version": {"$exists": False}}
        if not await self._alert_replaced("alert_settings", settings.person, was, change, upsert=settings.version == 1):
            return False
        await deliver(self._db, "alert_settings")
        return True

    async def add_alerts(self, alerts: Sequence[ExpectedAlert]) -> None:
        """Note several; those whose id is there already change nothing."""
        if alerts:
            documents = [bson.encode({"_id": alert.id, **_held(_document(alert))}) for alert in alerts]
            await self._db.send("insert", "alerts", documents)

    async def alert(self, alert_id: str) -> ExpectedAlert | None:
        """One by its id."""
        found = await self._alerts_like({"_id": alert_id}, [("_id", 1)], 1)
        return found[0] if found else None

    async def change_alert(self, alert: ExpectedAlert) -> bool:
        """Replace one when `alert.version - 1` is the stored version, else False."""
        return await self._alert_replaced("alerts", alert.id, {"version": alert.version - 1}, _document(alert))

    async def alerts(self, where: AlertFilter, limit: int, cursor: str | None = None) -> Page[ExpectedAlert]:
        """Newest first."""
        wanted: Row = {}
        for name, value in (("person", where.person), ("key", where.key)):
            if value is not None:
                wanted[name] = value
        if where.since is not None:
            wanted["at"] = {"$gte": where.since}
        if cursor:
            at, name = decode_cursor(cursor, "alerts", tuple[int, str])
            older: Row = {"$or": [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": name}}]}
            wanted = {"$and": [wanted, older]} if wanted else older
        limit = bounded(limit)
        rows = await self._alerts_like(wanted, _NEWEST, limit + 1)
        items = rows[:limit]
        more = len(rows) > limit
        return Page(items=items, next=encode_cursor("alerts", items[-1].at, items[-1].id) if more else None)

    async def alerts_of_message(self, key: str, message: str) -> list[ExpectedAlert]:
        """Everybody who was to be told of one message, by person."""
        return await self._alerts_like({"key": key, "message": message}, [("person", 1)], 0)

    async def alerts_due(self, now: int, limit: int) -> list[ExpectedAlert]:
        """Those whose next rung's turn has come, by `due_at`."""
        return await self._alerts_like({"due_at": {"$lte": now}}, [("due_at", 1), ("_id", 1)], bounded(limit))

    async def alert_fates(self, since: int) -> dict[str, dict[Fate, int]]:
        """By person, how many alerts with at >= since met which fate; tests are not counted."""
        steps: list[Row] = [
            {"$match": {"at": {"$gte": since}, "tally": {"$exists": True}}},
            {"$group": {"_id": "$tally", "count": {"$sum": 1}}},
        ]
        found: dict[str, dict[Fate, int]] = {}
        with self._db.talk() as db:
            async for row in await db.alerts.aggregate(steps):
                fate, _, person = row["_id"].partition("/")
                found.setdefault(person, {})[cast("Fate", fate)] = row["count"]
        return found

    async def forget_alerts(self, before: int) -> int:
        """Forget those with at < before; the rows deleted."""
        with self._db.talk() as db:
            return (await db.alerts.delete_many({"at": {"$lt": before}})).deleted_count

    async def _alerts_like(self, where: Row, sort: list[tuple[str, int]], limit: int) -> list[ExpectedAlert]:
        with self._db.talk() as db:
            found = db.alerts.find(where, {"body": 1}, sort=sort, limit=limit)
            return [_alert.decode(row["body"]) async for row in found]

    async def _alert_replaced(self, collection: str, name: str, was: Row, change: Row, *, upsert: bool = False) -> bool:
        """Whether the document was as `was` says, and is now changed; fields that are None go."""
        nonce = token_hex(12)
        update: Row = {"$set": {**_held(change), "made_by": nonce}}
        if gone := {field: "" for field, value in change.items() if value is None}:
            update["$unset"] = gone
        with self._db.talk() as db:
            try:
                done = await db[collection].update_one({"_id": name, **was}, update, upsert=upsert)
            except DuplicateKeyError:
                pass  # somebody was faster; whether it was ourselves is asked below
            else:
                if done.matched_count or done.upserted_id is not None:
                    return True
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db[collection].find_one({"_id": name}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce


def _document(alert: ExpectedAlert) -> Row:
    """`tally` gathers what is counted together; a test has none. Fields that are None are left out or taken away."""
    return {
        "person": alert.person,
        "key": alert.key,
        "message": alert.message,
        "at": alert.at,
        "due_at": alert.due_at,
        "tally": None if alert.why == "test" else f"{alert.fate}/{alert.person}",
        "version": alert.version,
        "body": json.encode(alert).decode(),
    }


def _held(document: Row) -> Row:
    return {field: value for field, value in document.items() if value is not None}
