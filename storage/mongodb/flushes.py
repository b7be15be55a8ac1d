"""The one hot write: a flush is written whole or not at all, without transactions (decision 0006).

1. the redo record: all writes of the flush, beside the mark or in it;
2. one conditional write of the partition's mark: version v-1 becomes v and names the record. This commits the flush,
   and fences everybody who took the partition over earlier;
3. the writes themselves, each harmless when repeated;
4. the mark shows v to the public, the record goes.

Whoever takes a partition over raises its epoch and redoes a flush found between 2 and 4 before anything is read.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex
from time import monotonic
from typing import Any

from msgspec import Struct, field
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from storage.errors import FencedError, StoreBusyError, StoreDamagedError
from storage.mongodb.connection import Database, Row
from storage.mongodb.writes import Writes, carry_out, packed, unpacked
from storage.records import PartitionMark

INLINE_BYTES = 1 << 20
"""A redo record up to this size travels in the mark: one round trip less."""
PART_BYTES = 8 << 20
SAVE_S = 120.0
"""No command of a save begins later than this; so a frozen process that wakes writes nothing any more."""
SETTLE_S = 0.02
_ATTEMPTS = 5


class Flush(Struct, kw_only=True):
    """One flush on its way.

    `token` names it for ever; `parts` counts the documents of its record, 0: it is in the mark; `conversations` are
    those that exist once it is written.
    """

    mark: PartitionMark
    epoch: int
    stamp: int
    writes: Writes
    record: bytes
    token: str
    parts: int = 0
    conversations: set[str] = field(default_factory=set[str])


class Holding(Struct):
    """What this process knows of a partition it took over: its epoch, the stamp of the last flush.

    `litter`: older redo records may lie about. They go once the next flush is whole, not before: whoever takes over at
    the same instant may still have to read them.
    """

    epoch: int
    stamp: int
    litter: bool = True


def flush_of(mark: PartitionMark, holding: Holding, writes: Writes) -> Flush:
    """A flush with its record; computes for some milliseconds a thousand rows."""
    record = packed(writes)
    parts = 0 if len(record) <= INLINE_BYTES else -(-len(record) // PART_BYTES)
    return Flush(
        mark=mark,
        epoch=holding.epoch,
        stamp=holding.stamp + 1,
        writes=writes,
        record=record,
        token=f"{mark.partition}-{holding.epoch}-{mark.version}-{token_hex(6)}",
        parts=parts,
    )


async def take_over(database: Database, partition: int) -> tuple[PartitionMark, Holding]:
    """Make this process the partition's writer, finish what an earlier one began, and tell how far it is."""
    row = await _claim(database, partition)
    holding = Holding(row["epoch"], row["stamp"])
    if row["version"] > row["done"]:
        row = await _redo(database, row)
    return public_mark(row), holding


async def write_flush(database: Database, flush: Flush, holding: Holding) -> None:
    """Steps 1 to 4; may be called again with the same flush after any error but FencedError."""
    until = monotonic() + SAVE_S
    if flush.parts:
        await _put_parts(database, flush)
    await _commit(database, flush)
    await carry_out(database, flush.writes, until)
    await _finish(database, flush.mark, flush.token)
    if holding.litter:
        with database.talk() as db:
            older = [{"epoch": {"$lt": flush.epoch}}, {"epoch": flush.epoch, "stamp": {"$lt": flush.stamp}}]
            await db.redo.delete_many({"partition": flush.mark.partition, "$or": older})
    holding.stamp = flush.stamp
    holding.litter = flush.parts > 0


def public_mark(row: Row) -> PartitionMark:
    """What a partition's mark shows: the last flush that is written whole."""
    return PartitionMark(
        partition=row["_id"], applied=row["applied"], time=row["time"], drift=row["drift"], version=row["done"]
    )


async def _claim(database: Database, partition: int) -> Row:
    """Raise the epoch: whoever held the partition before is fenced from here on.

    The stamp starts above all others, so that a channel may move to another partition.
    """
    first = {"version": 0, "done": 0, "applied": -1, "time": 0, "drift": 0, "token": ""}
    for _ in range(_ATTEMPTS):
        with database.talk() as db:
            stamps = [row["stamp"] async for row in db.marks.find({}, {"stamp": 1})]
            change = {"$inc": {"epoch": 1}, "$max": {"stamp": max(stamps, default=0) + 1}, "$setOnInsert": first}
            try:
                row: Row | None = await db.marks.find_one_and_update(
                    {"_id": partition}, change, upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                continue  # another process made the mark between the look and the write
            if row and (database.atomic or (await _settled(database, partition))["epoch"] == row["epoch"]):
                return row
    raise StoreBusyError(f"partition {partition} is being taken over by several processes at once; it is tried again")


async def _settled(database: Database, partition: int) -> Row:
    """The mark a moment later, for servers where of two conditional writes at one instant the last stays."""
    await asyncio.sleep(SETTLE_S)
    with database.talk() as db:
        return await db.marks.find_one({"_id": partition}, {"redo": 0}) or {"epoch": -1, "token": "", "version": -1}


async def _redo(database: Database, row: Row) -> Row:
    """Finish a flush that was committed; somebody else may be doing the same."""
    record = await _record(database, row)
    if record is not None:
        writes = await asyncio.to_thread(unpacked, record)
        await carry_out(database, writes, monotonic() + SAVE_S)
        then = row["next"]
        mark = PartitionMark(
            partition=row["_id"],
            version=row["version"],
            applied=then["applied"],
            time=then["time"],
            drift=then["drift"],
        )
        await _finish(database, mark, row["token"])
    with database.talk() as db:
        found = await db.marks.find_one({"_id": row["_id"]}, {"redo": 0})
    if found is None or found["done"] < row["version"]:
        raise StoreDamagedError(
            f"{database.place} lacks parts of the redo record of partition {row['_id']}: stop Weir and restore a backup"
        )
    return found


async def _record(database: Database, row: Row) -> bytes | None:
    """The redo record a mark names; None when a part of it is gone, as it is when somebody else has finished."""
    if not row["parts"]:
        return row["redo"]
    with database.talk() as db:
        found = await db.redo.find({"_id": {"$in": [f"{row['token']}/{n}" for n in range(row["parts"])]}}).to_list()
    found.sort(key=_number)
    return b"".join(part["data"] for part in found) if len(found) == row["parts"] else None


def _number(part: Row) -> int:
    return part["number"]


async def _put_parts(database: Database, flush: Flush) -> None:
    for number in range(flush.parts):
        part = {
            "_id": f"{flush.token}/{number}",
            "number": number,
            "partition": flush.mark.partition,
            "epoch": flush.epoch,
            "stamp": flush.stamp,
            "data": flush.record[number * PART_BYTES : (number + 1) * PART_BYTES],
        }
        with database.talk() as db:
            await db.redo.replace_one({"_id": part["_id"]}, part, upsert=True)


async def _commit(database: Database, flush: Flush) -> None:
    mark = flush.mark
    change: dict[str, Any] = {
        "version": mark.version,
        "stamp": flush.stamp,
        "token": flush.token,
        "parts": flush.parts,
        "next": {"applied": mark.applied, "time": mark.time, "drift": mark.drift, "stamp": flush.stamp},
    }
    if not flush.parts:
        change["redo"] = flush.record
    before = mark.version - 1
    expected = {"_id": mark.partition, "epoch": flush.epoch, "version": before, "done": before}
    with database.talk() as db:
        moved = (await db.marks.update_one(expected, {"$set": change})).matched_count
    if moved and database.atomic:
        return
    found = await _settled(database, mark.partition)
    # The answer to an earlier attempt may have been lost on its way.
    if found["token"] != flush.token or found["version"] != mark.version:
        raise FencedError(
            f"partition {mark.partition} was saved or taken over by another worker: version {mark.version} does not"
            " follow; stop this worker or let it read the partition anew"
        )


async def _finish(database: Database, mark: PartitionMark, token: str) -> None:
    shown = {"done": mark.version, "applied": mark.applied, "time": mark.time, "drift": mark.drift}
    with database.talk() as db:
        await db.marks.update_one(
            {"_id": mark.partition, "version": mark.version, "token": token},
            {"$set": shown, "$unset": {"redo": "", "next": ""}},
        )
