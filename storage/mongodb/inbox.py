"""Conversations, messages, search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pymongo
from msgspec import json

from actors.events import Message
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.message_rows import Change, Fate, message_row
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.conversation_rows import SHOWN, conversation_rows
from storage.mongodb.finder import page_of_found
from storage.mongodb.scope import labelled, scope_condition
from storage.mongodb.tokens import id_keys
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page
from storage.texts import order_key, query_words
from storage.words import terms_of

_event = json.Decoder(Message)

LOWEST = -(1 << 63)
COUNTING_S = 600
"""The audit counts what is really held."""
IDS_AT_MOST = 2_000
"""Messages of one id that are looked at; more conversations than this that share a message's id are not all shown."""


class MongoInbox:
    """`storage.ports.InboxStore`."""

    _db: Database

    async def conversations(
        self, where: ConversationFilter, limit: int, cursor: str | None = None
    ) -> Page[ConversationRow]:
        """Conversations by last_at descending, then key descending."""
        after = decode_cursor(cursor, "conversations", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        condition = _condition(where)
        if where.order is not None:
            condition["_id"] = {"$in": await self._of_order(where.order)}
        if where.q is None:
            with self._db.talk() as db:
                found = db.conversations.find(_behind(condition, after), SHOWN, sort=NEWEST, limit=limit + 1)
                rows = await found.to_list()
            more = len(rows) > limit
        else:
            terms = terms_of(query_words(where.q))
            rows, more = await page_of_found(self._db, terms, condition, after, limit) if terms else ([], False)
        items = await conversation_rows(self._db, rows[:limit])
        following = encode_cursor("conversations", items[-1].last_at, items[-1].key) if more and items else None
        return Page(items=items, next=following)

    async def conversation(self, key: str) -> ConversationRow | None:
        """One conversation."""
        with self._db.talk() as db:
            row = await db.conversations.find_one({"_id": key, "row.last_at": {"$gte": LOWEST}}, SHOWN)
        return (await conversation_rows(self._db, [row]))[0] if row else None

    async def messages(self, key: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of a conversation by sent_at, then at, then id, ascending; merged duplicates left out."""
        after = decode_cursor(cursor, "messages", tuple[int, int, str]) if cursor else None
        limit = bounded(limit)
        where: Row = {"key": key, "merged_into": {"$exists": False}}
        if after:
            sent_at, at, message = after
            where["$or"] = [
                {"sent_at": {"$gt": sent_at}},
                {"sent_at": sent_at, "at": {"$gt": at}},
                {"sent_at": sent_at, "at": at, "message": {"$gt": message}},
            ]
        order = [("sent_at", 1), ("at", 1), ("message", 1)]
        with self._db.talk() as db:
            rows = await db.messages.find(where, {"words": 0}, sort=order, limit=limit + 1).to_list()
        items = await message_rows(self._db, rows[:limit])
        last = items[-1] if len(rows) > limit else None
        return Page(items=items, next=encode_cursor("messages", last.sent_at, last.at, last.message) if last else None)

    async def latest_messages(
        self, key: str, limit: int, before: tuple[int, int, str] | None = None
    ) -> list[MessageRow]:
        """The last messages of a conversation in the order of `messages`, the last one first; those before `before`."""
        where: Row = {"key": key, "merged_into": {"$exists": False}}
        if before:
            sent_at, at, message = before
            where["$or"] = [
                {"sent_at": {"$lt": sent_at}},
                {"sent_at": sent_at, "at": {"$lt": at}},
                {"sent_at": sent_at, "at": at, "message": {"$lt": message}},
            ]
        order = [("sent_at", -1), ("at", -1), ("message", -1)]
        with self._db.talk() as db:
            rows = await db.messages.find(where, {"words": 0}, sort=order, limit=bounded(limit)).to_list()
        return await message_rows(self._db, rows)

    async def messages_since(self, key: str, since: int, limit: int) -> list[MessageRow]:
        """Messages of a conversation with at >= `since`, by `at`, then id, ascending; merged duplicates left out."""
        where: Row = {"key": key, "merged_into": {"$exists": False}, "at": {"$gte": since}}
        order = [("at", 1), ("message", 1)]
        with self._db.talk() as db:
            rows = await db.messages.find(where, {"words": 0}, sort=order, limit=bounded(limit)).to_list()
        return await message_rows(self._db, rows)

    async def message(self, key: str, message: str) -> MessageRow | None:
        """One message, merged ones too; the latest of that id."""
        base = f"{key}/{message}"
        with self._db.talk() as db:
            rows = await db.messages.find({"$or": [{"_id": base}, {"later_life_of": base}]}, {"words": 0}).to_list()
        latest = sorted(rows, key=_at)[-1:]
        return (await message_rows(self._db, latest))[0] if latest else None

    async def messages_of_id(self, message: str, limit: int) -> list[MessageRow]:
        """Messages with exactly this id, one a conversation, the latest first; found by the search index."""
        keys = id_keys(message)
        if not keys:
            return []
        where = {"$and": [{"words": key} for key in keys], "message": message}
        with self._db.talk() as db:
            rows = await db.messages.find(where, {"words": 0}, limit=IDS_AT_MOST).to_list()
        latest: dict[str, Row] = {}
        for row in sorted(rows, key=_at):
            latest[row["key"]] = row
        newest = sorted(latest.values(), key=_at, reverse=True)[: bounded(limit)]
        return await message_rows(self._db, newest)

    async def channel_messages(self, channel: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """The latest messages of a channel by observed time; merged ones too."""
        after = decode_cursor(cursor, "channel_messages", tuple[int, int]) if cursor else None
        limit = bounded(limit)
        where: Row = {"channel": channel}
        if after:
            at, ordinal = after
            where["$or"] = [{"at": {"$lt": at}}, {"at": at, "ordinal": {"$lt": ordinal}}]
        order = [("at", -1), ("ordinal", -1)]
        with self._db.talk() as db:
            rows = await db.messages.find(where, {"words": 0}, sort=order, limit=limit + 1).to_list()
        last = rows[limit - 1] if len(rows) > limit else None
        following = encode_cursor("channel_messages", last["at"], last["ordinal"]) if last else None
        return Page(items=await message_rows(self._db, rows[:limit]), next=following)

    async def counts(self) -> dict[str, dict[str, int]]:
        """Per channel key: `stored`, `merged`, `conversations`, and what `prune` forgot of the first two."""
        held = await self._by_channel("messages", {})
        merged = await self._by_channel("messages", {"merged_into": {"$exists": True}})
        conversations = await self._by_channel("conversations", {"row.last_at": {"$gte": LOWEST}})
        with self._db.talk() as db:
            rows = db.channels.find({}, {"pruned": 1, "pruned_merged": 1}, sort=[("_id", 1)], batch_size=ROWS_A_FETCH)
            channels = {row["_id"]: row async for row in rows}
        return {
            key: {
                "stored": held.get(key, 0) - merged.get(key, 0),
                "merged": merged.get(key, 0),
                "conversations": conversations.get(key, 0),
                "pruned": channels.get(key, {}).get("pruned", 0),
                "pruned_merged": channels.get(key, {}).get("pruned_merged", 0),
            }
            for key in sorted({*channels, *held, *conversations})
        }

    async def _by_channel(self, collection: str, where: Row) -> dict[str, int]:
        steps: list[Row] = [{"$match": where}, {"$group": {"_id": "$channel", "count": {"$sum": 1}}}]
        with self._db.talk() as db, pymongo.timeout(COUNTING_S):
            return {row["_id"]: row["count"] async for row in await db[collection].aggregate(steps)}

    async def _of_order(self, order: str) -> list[str]:
        """The conversations with a message about this order."""
        with self._db.talk() as db:
            rows = db.messages.find({"order": order_key(order)}, {"_id": 0, "key": 1}, batch_size=ROWS_A_FETCH)
            return list({row["key"]: None async for row in rows})


NEWEST = [("row.last_at", -1), ("_id", -1)]


async def message_rows(database: Database, rows: Sequence[Row]) -> list[MessageRow]:
    """With what became of them since: each word belongs to the life that was the latest when it was said."""
    bases = {row.get("later_life_of", row["_id"]) for row in rows}
    with database.talk() as db:
        told = await db.progress.find({"of": {"$in": sorted(bases)}}, {"words": 0}).to_list()
        lives = await db.messages.find(
            {"later_life_of": {"$in": sorted(bases)}}, {"later_life_of": 1, "stamp": 1}
        ).to_list()
    later: dict[str, list[int]] = {}
    for life in lives:
        later.setdefault(life["later_life_of"], []).append(life["stamp"])
    since: dict[str, list[Row]] = {}
    for word in sorted(told, key=_stamp):
        since.setdefault(word["of"], []).append(word)
    found: list[MessageRow] = []
    for row in rows:
        base = row.get("later_life_of", row["_id"])
        ends = min((stamp for stamp in later.get(base, ()) if stamp > row["stamp"]), default=None)
        words = [w for w in since.get(base, ()) if row["stamp"] <= w["stamp"] and (not ends or w["stamp"] < ends)]
        found.append(_message(row, words))
    return found


def _condition(where: ConversationFilter) -> Row:
    fields = {
        "platform": where.platform,
        "account": where.account,
        "desk.assignee": where.assignee,
        "row.sla.state": where.sla,
        "row.contact_id": where.contact,
    }
    found: Row = {name: value for name, value in fields.items() if value is not None}
    found["row.last_at"] = {"$gte": LOWEST}
    if where.status is not None:
        found["row.closed"] = True if where.status == "closed" else {"$ne": True}
    if where.sensitive is not None:
        found["row.sensitive"] = True if where.sensitive else {"$ne": True}
    every = scope_condition(where.scope)
    if where.label is not None:
        every.append(labelled(where.label))
    if every:
        found["$and"] = every
    return found


def _behind(condition: Row, after: tuple[int, str] | None) -> Row:
    if after is None:
        return condition
    at, key = after
    return {**condition, "$or": [{"row.last_at": {"$lt": at}}, {"row.last_at": at, "_id": {"$lt": key}}]}


def _message(row: Row, since: Iterable[Row]) -> MessageRow:
    hops: dict[str, int] = {}
    fates: dict[str, Fate] = {}
    changes: list[Change] = []
    copies = 0
    for told in (row, *since):
        copies += told.get("copies", 0)
        for hop, at in told.get("hops", {}).items():
            hops.setdefault(hop, at)
        for fate in told.get("attachments", ()):
            fates[fate["id"]] = (fate["status"], fate["at"], fate.get("detail"))
        for version in told.get("versions", ()):
            change = (version["at"], version["what"], version["text"])
            if change not in changes:
                changes.append(change)
    return message_row(
        row["key"], _event.decode(row["event"]), at=row["at"], delay=row.get("delay"),
        merged_into=row.get("merged_into"), copies=copies, partition=row["partition"], stored_at=row["stored_at"],
        hops=hops, fates=fates, changes=changes,
    )  # fmt: skip


def _at(row: Row) -> tuple[int, int]:
    return row["at"], row["ordinal"]


def _stamp(word: Row) -> tuple[int, int]:
    return word["stamp"], int(word["_id"].rpartition("/")[2])
