"""Forgetting what is old, some hundred rows at a time.

Messages are counted down in other documents, so a chunk of them is a job: written down first, by whoever gets its
number, then carried out in steps that are harmless when repeated, then crossed out. A crash in between leaves a job
that the next call finishes, and two processes at once share the work. The archive has a chunk before its job is
written down, so that whoever finishes a job need not ask.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from secrets import token_hex
from typing import Any

from bson import encode as bson_encode
from pymongo.errors import DuplicateKeyError

from actors.state import WEEK
from storage.mongodb.compose_figures import packed_keys, unpacked_keys
from storage.mongodb.connection import Database, Row
from storage.mongodb.flushes import SETTLE_S
from storage.mongodb.inbox import message_rows
from storage.ports import Archive

CHUNK = 500
MINUTE_MS = 60_000
DAY_MS = 86_400_000
_JOB = "prune"


async def prune(database: Database, before: int, archive: Archive | None = None) -> int:
    """Forget what is older than `before` (ms), messages once they are archived; the number of rows deleted."""
    deleted = 0
    await _finish_job(database)
    with database.talk() as db:
        channels = [row["_id"] async for row in db.channels.find({}, {"_id": 1})]
    for channel in channels:
        while rows := await _prune_messages(database, channel, before, archive):
            deleted += rows
    deleted += await _delete_all(database, "minutes", {"minute": {"$lt": before // MINUTE_MS}})
    for collection in ("anomalies", "clocks", "replies"):
        deleted += await _delete_all(database, collection, {"ended_at": {"$lt": before}})
    deleted += await _delete_all(database, "work", {"failed_at": {"$lt": before}})
    deleted += await _delete_all(database, "shop_orders", {"updated_at": {"$lt": before}})
    deleted += await _delete_all(database, "notes", {"at": {"$lt": before}, "waiting": {"$exists": False}})
    deleted += await _delete_all(database, "drafts", {"changed_at": {"$lt": before}})
    return deleted + await _prune_parked(database) + await _prune_keys(database)


async def _delete_all(database: Database, collection: str, where: Row) -> int:
    deleted = 0
    while True:
        with database.talk() as db:
            ids = [row["_id"] async for row in db[collection].find(where, {"_id": 1}, limit=CHUNK)]
            if not ids:
                return deleted
            deleted += (await db[collection].delete_many({"_id": {"$in": ids}, **where})).deleted_count


async def _prune_parked(database: Database) -> int:
    """By the newest one's time: a clock that was set wrong once forgets nothing that is still waited for."""
    with database.talk() as db:
        newest = await db.parked.find_one({}, {"at": 1}, sort=[("at", -1)])
    return await _delete_all(database, "parked", {"at": {"$lt": newest["at"] - DAY_MS}}) if newest else 0


async def _prune_messages(database: Database, channel: str, before: int, archive: Archive | None) -> int:
    rows = await _oldest(database, channel, before, whole=archive is not None)
    if not rows:
        return 0
    if archive is not None:
        await archive.put(await message_rows(database, rows))
    if await _take_job(database, _job_of(channel, rows)):
        return len(rows)
    return await _prune_messages(database, channel, before, archive)


async def _oldest(database: Database, channel: str, before: int, *, whole: bool) -> list[Row]:
    """The oldest messages of a channel. Those of a flush that is not finished are left: it may yet be redone."""
    with database.talk() as db:
        marks = db.marks.find({}, {"version": 1, "done": 1, "next": 1})
        unfinished = {row["_id"]: row["next"]["stamp"] async for row in marks if row["version"] > row["done"]}
        shown = {"words": 0} if whole else {"key": 1, "merged_into": 1, "stamp": 1, "partition": 1}
        where = {"channel": channel, "at": {"$lt": before}}
        found = await db.messages.find(where, shown, sort=[("at", 1)], limit=CHUNK).to_list()
    return [row for row in found if unfinished.get(row["partition"]) != row["stamp"]]


def _job_of(channel: str, rows: list[Row]) -> Row:
    merged = sum("merged_into" in row for row in rows)
    lost = Counter(row["key"] for row in rows if "merged_into" not in row)
    return {
        "channel": channel,
        "ids": [row["_id"] for row in rows],
        "lost": [{"key": key, "count": count} for key, count in lost.items()],
        "stored": len(rows) - merged,
        "merged": merged,
    }


async def _take_job(database: Database, job: Row) -> bool:
    """Write a job down and carry it out; False when another process was faster, whose job is finished then."""
    job["by"] = token_hex(8)
    with database.talk() as db:
        with suppress(DuplicateKeyError):  # another process made it between the look and the write
            await db.jobs.update_one({"_id": _JOB}, {"$setOnInsert": {"number": 0}}, upsert=True)
        row = await db.jobs.find_one({"_id": _JOB})
        taken = False
        if row is not None and "job" not in row:
            free = {"_id": _JOB, "number": row["number"], "job": {"$exists": False}}
            change = {"$set": {"number": row["number"] + 1, "job": job}}
            taken = (await db.jobs.update_one(free, change)).matched_count > 0
        if taken and not database.atomic:
            await asyncio.sleep(SETTLE_S)
            row = await db.jobs.find_one({"_id": _JOB})
            taken = row is not None and row.get("job", {}).get("by") == job["by"]
    await _finish_job(database)
    return taken


async def _finish_job(database: Database) -> None:
    with database.talk() as db:
        row = await db.jobs.find_one({"_id": _JOB})
    if row is None or "job" not in row:
        return
    job, number = row["job"], row["number"]
    with database.talk() as db:
        await db.progress.delete_many({"of": {"$in": await _without_company(database, job["ids"])}})
        await db.messages.delete_many({"_id": {"$in": job["ids"]}})
    # Each counts down once: it remembers the job's number.
    down = [_counted(row["key"], number, {"row.messages": -row["count"]}) for row in job["lost"]]
    await database.send("update", "conversations", down)
    gone = [_emptied(row["key"]) for row in job["lost"]]
    await database.send("update", "conversations", gone)
    pruned = {"pruned": job["stored"], "pruned_merged": job["merged"]}
    await database.send("update", "channels", [_counted(job["channel"], number, pruned)])
    with database.talk() as db:
        await db.jobs.update_one({"_id": _JOB, "number": number}, {"$unset": {"job": ""}})


def _counted(key: str, number: int, by: Row) -> bytes:
    where = {"_id": key, "$or": [{"job": {"$exists": False}}, {"job": {"$lt": number}}]}
    return bson_encode({"q": where, "u": {"$inc": by, "$set": {"job": number}}})


def _emptied(key: str) -> bytes:
    """A conversation without messages is shown no more; its state stays, which holds the ids that detect duplicates."""
    return bson_encode(
        {"q": {"_id": key, "row.messages": {"$lte": 0}}, "u": {"$unset": {"row": "", "desk": "", "given": ""}}}
    )


async def _without_company(database: Database, ids: list[str]) -> list[str]:
    """Of two lives of an id the later one keeps what became of them."""
    with database.talk() as db:
        rows = await db.messages.find({"_id": {"$in": ids}, "later_life_of": {"$exists": True}}).to_list()
        bases = {row["later_life_of"] for row in rows} | {name for name in ids if not name.startswith("/")}
        alive = {"later_life_of": {"$in": sorted(bases)}, "_id": {"$nin": ids}}
        kept = {row["later_life_of"] async for row in db.messages.find(alive, {"later_life_of": 1})}
    return sorted(bases - kept)


async def _prune_keys(database: Database) -> int:
    """By the time of the partition, which may be far behind the clock: a key is needed for a week of it."""
    deleted = 0
    with database.talk() as db:
        times = {row["_id"]: row["time"] async for row in db.marks.find({}, {"time": 1})}
    for partition, time in times.items():
        since = time - WEEK
        with database.talk() as db:
            old = await db.event_keys.find({"partition": partition, "first_at": {"$lt": since}}).to_list()
            for row in old:
                keys = unpacked_keys(row["keys"])
                kept = [key for key in keys if key.at >= since]
                same: dict[str, Any] = {"_id": row["_id"], "count": row["count"]}
                if kept:
                    changed = (await db.event_keys.update_one(same, {"$set": packed_keys(kept)})).matched_count
                else:
                    changed = (await db.event_keys.delete_one(same)).deleted_count
                deleted += (len(keys) - len(kept)) * changed
    return deleted
