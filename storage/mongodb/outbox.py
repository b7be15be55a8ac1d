"""Replies on their way out, and receipts that overtook what they tell of.

A reply's document holds the reply whole (`body`) and beside it what is looked for. A field that an index is about is
there only while it means something: `waiting` (the conversation's key) until the reply is settled, `hangs_since`,
`ended_at`, `sent_as`. Who wrote it last is told by `made_by`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from actors.keys import conversation_key, split_key
from storage.channel_records import ParkedReceipt, ReplyFilter, ReplyRow
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.mongodb.connection import IDS_A_QUERY, Database, Row
from storage.mongodb.flushes import SETTLE_S
from storage.records import Page

_reply = json.Decoder(ReplyRow)
_receipt = json.Decoder(ParkedReceipt)
_WAITING = {"new", "queued", "claimed"}
_DUE_AT_ONCE = 200


class MongoOutbox:
    """`storage.channel_ports.OutboxStore`."""

    _db: Database

    async def add_reply(self, row: ReplyRow) -> ReplyRow:
        """Keep a reply; when one with its `id` is held already, nothing changes and that one is given."""
        with self._db.talk() as db:
            try:
                await db.replies.insert_one({"_id": row.id, **_document(row)})
            except DuplicateKeyError:
                pass  # somebody's, or our own whose answer was lost
            else:
                return row
        return await self.reply(row.id) or row

    async def reply(self, reply_id: str) -> ReplyRow | None:
        """One reply."""
        with self._db.talk() as db:
            row = await db.replies.find_one({"_id": reply_id}, {"body": 1})
        return _reply.decode(row["body"]) if row else None

    async def replies(self, where: ReplyFilter, limit: int, cursor: str | None = None) -> Page[ReplyRow]:
        """Replies by `at` descending, then id."""
        after = decode_cursor(cursor, "replies", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        names = ("platform", "account", "key")
        condition: Row = {name: value for name in names if (value := getattr(where, name)) is not None}
        if where.states is not None:
            condition["state"] = {"$in": list(where.states)}
        if after:
            at, name = after
            condition["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$gt": name}}]
        rows = await self._replies(condition, [("at", -1), ("_id", 1)], limit + 1)
        items = rows[:limit]
        more = len(rows) > limit
        return Page(items=items, next=encode_cursor("replies", items[-1].at, items[-1].id) if more else None)

    async def change_reply(self, row: ReplyRow, *, replaces: int) -> bool:
        """Replace the reply of that id whose `version` is `replaces`; False, and nothing changes, when it is not."""
        nonce = token_hex(12)
        document = {**_document(row), "made_by": nonce}
        with self._db.talk() as db:
            done = await db.replies.replace_one({"_id": row.id, "version": replaces}, document)
            if done.matched_count and self._db.atomic:
                return True
            if done.matched_count:
                await asyncio.sleep(SETTLE_S)
            # It may be our own: the answer to the first try was lost and the driver tried again.
            found = await db.replies.find_one({"_id": row.id}, {"made_by": 1})
        return found is not None and found.get("made_by") == nonce

    async def due_replies(self, now: int, limit: int) -> list[ReplyRow]:
        """The replies to send next: of each conversation the first that is not settled, if it is queued and due."""
        limit = bounded(limit)
        first: dict[str, str] = {}
        due: list[ReplyRow] = []
        after: Row = {}
        while len(due) < limit:
            where: Row = {"state": "queued", "due_at": {"$lte": now}, **after}
            some = await self._replies(where, [("due_at", 1), ("at", 1), ("_id", 1)], _DUE_AT_ONCE)
            first |= await self._first_waiting({row.key for row in some} - first.keys())
            due += [row for row in some if first.get(row.key) == row.id]
            if len(some) < _DUE_AT_ONCE:
                break
            after = _behind(some[-1])
        return due[:limit]

    async def stale_replies(self, before: int, limit: int) -> list[ReplyRow]:
        """Replies that hang: `new` with at < before, or `claimed` with claimed_at < before; oldest first."""
        return await self._replies({"hangs_since": {"$lt": before}}, [("hangs_since", 1), ("_id", 1)], bounded(limit))

    async def unsettled_replies(self, key: str) -> list[ReplyRow]:
        """The `claimed` and `unknown` replies of a conversation, by `at`, then id."""
        where: Row = {"key": key, "state": {"$in": ["claimed", "unknown"]}}
        return await self._replies(where, [("at", 1), ("_id", 1)], 0)

    async def reply_ids(self, platform: str, account: str, messages: Sequence[str]) -> dict[str, str]:
        """For those platform's message ids that are our replies: platform's id → the reply's id."""
        ours: dict[str, str] = {}
        for some in _parts(platform, account, messages):
            with self._db.talk() as db:
                async for row in db.replies.find({"sent_as": {"$in": some}}, {"sent_as": 1}, sort=[("_id", 1)]):
                    ours[split_key(row["sent_as"])[-1]] = row["_id"]
        return ours

    async def park_receipt(self, receipt: ParkedReceipt) -> None:
        """Keep a receipt for later; one that is kept already changes nothing."""
        document = {
            "_id": _parked_id(receipt),
            "of": conversation_key(receipt.platform, receipt.account, receipt.message),
            "at": receipt.at,
            "body": json.encode(receipt).decode(),
        }
        with self._db.talk() as db:
            try:
                await db.parked.insert_one(document)
            except DuplicateKeyError:
                return  # it is kept already

    async def take_parked(self, platform: str, account: str, messages: Sequence[str]) -> list[ParkedReceipt]:
        """Give the receipts kept for these platform's message ids, by `at`; they stay until `drop_parked`."""
        found: list[ParkedReceipt] = []
        for some in _parts(platform, account, messages):
            with self._db.talk() as db:
                found += [_receipt.decode(row["body"]) async for row in db.parked.find({"of": {"$in": some}})]
        return sorted(found, key=lambda one: (one.at, one.id))

    async def parked_before(self, before: int, limit: int) -> list[ParkedReceipt]:
        """Receipts kept since before `before`, oldest first."""
        with self._db.talk() as db:
            found = db.parked.find({"at": {"$lt": before}}, sort=[("at", 1), ("_id", 1)], limit=bounded(limit))
            return [_receipt.decode(row["body"]) async for row in found]

    async def drop_parked(self, receipts: Sequence[ParkedReceipt]) -> None:
        """Forget these."""
        for start in range(0, len(receipts), IDS_A_QUERY):
            some = [_parked_id(receipt) for receipt in receipts[start : start + IDS_A_QUERY]]
            with self._db.talk() as db:
                await db.parked.delete_many({"_id": {"$in": some}})

    async def _replies(self, where: Row, sort: list[tuple[str, int]], limit: int) -> list[ReplyRow]:
        with self._db.talk() as db:
            found = db.replies.find(where, {"body": 1}, sort=sort, limit=limit)
            return [_reply.decode(row["body"]) async for row in found]

    async def _first_waiting(self, keys: set[str]) -> dict[str, str]:
        """Of each conversation the earliest reply that is not settled."""
        first: dict[str, tuple[int, str]] = {}
        if keys:
            with self._db.talk() as db:
                async for row in db.replies.find({"waiting": {"$in": sorted(keys)}}, {"waiting": 1, "at": 1}):
                    place = (row["at"], row["_id"])
                    first[row["waiting"]] = min(first.get(row["waiting"], place), place)
        return {key: name for key, (_, name) in first.items()}


def _document(row: ReplyRow) -> Row:
    document: Row = {
        "key": row.key,
        "platform": row.platform,
        "account": row.account,
        "state": row.state,
        "at": row.at,
        "due_at": row.due_at,
        "version": row.version,
        "body": json.encode(row).decode(),
    }
    message = row.platform_message
    telling: Row = {
        "waiting": row.key if row.state in _WAITING else None,
        "hangs_since": row.hangs_since,
        "ended_at": row.ended_at,
        "sent_as": None if message is None else conversation_key(row.platform, row.account, message),
    }
    return document | {name: value for name, value in telling.items() if value is not None}


def _behind(row: ReplyRow) -> Row:
    """What comes after a reply in the order of those due."""
    same_due: Row = {"due_at": row.due_at}
    same_at: Row = {**same_due, "at": row.at}
    return {
        "$or": [
            {"due_at": {"$gt": row.due_at}},
            {**same_due, "at": {"$gt": row.at}},
            {**same_at, "_id": {"$gt": row.id}},
        ]
    }


def _parts(platform: str, account: str, messages: Sequence[str]) -> list[list[str]]:
    keys = [conversation_key(platform, account, message) for message in dict.fromkeys(messages)]
    return [keys[start : start + IDS_A_QUERY] for start in range(0, len(keys), IDS_A_QUERY)]


def _parked_id(receipt: ParkedReceipt) -> str:
    return conversation_key(receipt.platform, receipt.account, receipt.id)
