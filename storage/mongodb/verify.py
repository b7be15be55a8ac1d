"""What can be wrong with a database, in sentences that say how to mend it."""

from __future__ import annotations

import pymongo

from storage.mongodb.connection import Database, Row
from storage.mongodb.schema import missing_indexes

CHECKING_S = 600
_PER_CHANNEL: list[Row] = [{"$group": {"_id": "$channel", "count": {"$sum": 1}}}]


async def problems(database: Database) -> list[str]:
    """Missing indexes, flushes nobody has finished, messages of channels that are missing."""
    place = database.place
    found = [
        f"{place} lacks the index {index.name} of {index.collection}: restart Weir, which creates it"
        for index in await missing_indexes(database)
    ]
    with database.talk() as db, pymongo.timeout(CHECKING_S):
        marks = await db.marks.find({}, {"version": 1, "done": 1}).to_list()
        channels = {row["_id"] async for row in db.channels.find({}, {"_id": 1})}
        used = {row["_id"] async for row in await db.messages.aggregate(_PER_CHANNEL)}
        job = await db.jobs.find_one({"job": {"$exists": True}}, {"_id": 1})
    found += [
        f"{place}: a flush of partition {row['_id']} is being written or was cut off; if no worker is busy with it,"
        " start one, which finishes it"
        for row in marks
        if row["version"] > row["done"]
    ]
    found += [
        f"{place} holds messages of channel {name}, which is missing: restore the newest backup, then run the audit"
        for name in sorted(used - channels)
    ]
    if job:
        found.append(f"{place}: forgetting old messages was cut off; the next upkeep finishes it")
    return found
