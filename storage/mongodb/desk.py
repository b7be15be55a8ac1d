"""The inbox's list and the desk of each conversation: fields beside `row`, changed by compare-and-set on a version.

A change's row of the audit waits in the document (`told`) and is delivered at once; should the process die in between,
the next change of that conversation or the next opening of the store delivers it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from msgspec import UNSET, json

from storage.cursors import bounded
from storage.inbox_records import DeskChange, DeskGroup, InboxFilter, order_of
from storage.mongodb.audits import append
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.conversation_rows import SHOWN, conversation_rows
from storage.mongodb.desk_list import conditions, segments, window
from storage.mongodb.flushes import SETTLE_S
from storage.mongodb.inbox import LOWEST
from storage.records import AuditRow, ConversationRow

AT_ONCE = 8
"""Changes of different conversations that are under way at a time."""
_ATTEMPTS = 5
SETTLES = 3
"""People after the same conversation are many at once, where there are seldom more than two processes."""


class MongoDesk:
    """`storage.inbox_ports.DeskStore`, but for the teams."""

    _db: Database

    async def inbox(
        self, where: InboxFilter, offset: int, limit: int, *, counted: bool = True
    ) -> tuple[list[ConversationRow], int]:
        """A window of the list, and how many conversations the whole list has."""
        found = await conditions(self._db, where)
        if found is None:
            return [], 0
        offset, limit = max(0, offset), bounded(limit)
        documents, total = await window(self._db, segments(found, order_of(where)), offset, limit, counted=counted)
        return await conversation_rows(self._db, documents), total

    async def inbox_groups(self, now: int) -> list[DeskGroup]:
        """All open conversations that are not archived, counted by what decides who sees them and where."""
        where = {"row.last_at": {"$gte": LOWEST}, "row.closed": {"$ne": True}, "desk.archived": {"$ne": True}}
        asleep: Row = {"desk.snoozed_until": {"$gt": now}}
        awake: Row = {**where, "$nor": [asleep]}
        names = {
            "platform": "$platform", "account": "$account", "assignee": "$desk.assignee", "team": "$desk.team",
        }  # fmt: skip
        groups: dict[tuple[Any, ...], dict[str, int]] = {}
        for name, match in (
            ("awake", awake),
            ("snoozed", {**where, **asleep}),
            ("at_risk", {**awake, "row.sla.state": {"$in": ["at_risk", "breached"]}}),
            ("sensitive", {**awake, "row.sensitive": True}),
        ):
            steps: list[Row] = [{"$match": match}, {"$group": {"_id": names, "count": {"$sum": 1}}}]
            with self._db.talk() as db:
                async for row in await db.conversations.aggregate(steps):
                    of = row["_id"]
                    group = (of["platform"], of["account"], of.get("assignee"), of.get("team"))
                    groups.setdefault(group, {"awake": 0})[name] = row["count"]
        return [
            DeskGroup(
                platform=platform, account=account, assignee=assignee, team=team, awake=counts["awake"],
                snoozed=counts.get("snoozed", 0), at_risk=counts.get("at_risk", 0),
                sensitive=counts.get("sensitive", 0),
            )
            for (platform, account, assignee, team), counts in groups.items()
        ]  # fmt: skip

    async def rows(self, keys: Sequence[str]) -> list[ConversationRow]:
        """These conversations, in the order of the keys."""
        found = {row["_id"]: row for row in await self._db.by_ids("conversations", list(keys), SHOWN)}
        return await conversation_rows(
            self._db, [found[key] for key in keys if "last" in found.get(key, {}).get("row", {})]
        )

    async def change_desk(self, key: str, change: DeskChange, audit: AuditRow) -> ConversationRow | None:
        """Change a conversation's desk; None when somebody was faster."""
        nonce = token_hex(12)
        for _ in range(_ATTEMPTS):
            told = {"nonce": nonce, "body": json.encode(audit).decode()}
            assigned = {f"desk.{name}": value for name, value in _assigned(change).items()}
            version: Row = (
                {"desk.version": change.replaces} if change.replaces else {"desk.version": {"$exists": False}}
            )
            where: Row = {"_id": key, "row.last_at": {"$gte": LOWEST}, "told": {"$exists": False}, **version}
            with self._db.talk() as db:
                done = await db.conversations.update_one(where, {"$set": {**assigned, "desk.by": nonce, "told": told}})
                if done.matched_count and not self._db.atomic:
                    # Of several at one instant the last stays: by then all have written.
                    await asyncio.sleep(SETTLES * SETTLE_S)
                # Also when it did not match: the answer to a first try may have been lost.
                document = await db.conversations.find_one({"_id": key}, SHOWN)
            if document is not None and document.get("desk", {}).get("by") == nonce:
                await deliver_desk(self._db, document)
                return (await conversation_rows(self._db, [document]))[0]
            if document is None or document.get("desk", {}).get("version", 0) != change.replaces:
                return None
            if "told" not in document:
                return None  # it shows no messages, or lost to a change that has been undone
            await deliver_desk(self._db, document)
        return None

    async def change_desks(self, changes: Sequence[tuple[str, DeskChange, AuditRow]]) -> list[ConversationRow | None]:
        """Many at once, each by itself; those of one conversation in their order."""
        found: list[ConversationRow | None] = []
        for start in range(0, len(changes), AT_ONCE):
            some = changes[start : start + AT_ONCE]
            if len({key for key, _, _ in some}) == len(some):
                found += await asyncio.gather(*(self.change_desk(*one) for one in some))
            else:
                found += [await self.change_desk(*one) for one in some]
        return found

    async def snoozed_until(self, since: int, until: int, limit: int) -> list[tuple[int, str]]:
        """(when, key) of the conversations whose snooze ends in (since, until]."""
        where = {"desk.snoozed_until": {"$gt": since, "$lte": until}, "row.last_at": {"$gte": LOWEST}}
        order = [("desk.snoozed_until", 1), ("_id", 1)]
        with self._db.talk() as db:
            found = db.conversations.find(where, {"desk.snoozed_until": 1}, sort=order, limit=limit)
            return [(row["desk"]["snoozed_until"], row["_id"]) async for row in found]


async def deliver_desks(database: Database) -> None:
    """Deliver what waits in conversations."""
    with database.talk() as db:
        waiting = db.conversations.find({"told.nonce": {"$gt": ""}}, {"told": 1}, batch_size=ROWS_A_FETCH)
        documents = [row async for row in waiting]
    for document in documents:
        await deliver_desk(database, document)


async def deliver_desk(database: Database, document: Row) -> None:
    """Put the row of the audit that waits in a conversation into the log."""
    told = document.get("told")
    if told is None:
        return
    await append(database, told["nonce"], told["body"])
    with database.talk() as db:
        where = {"_id": document["_id"], "told.nonce": told["nonce"]}
        await db.conversations.update_one(where, {"$unset": {"told": ""}})


def _assigned(change: DeskChange) -> Row:
    assigned: Row = {"version": change.replaces + 1}
    if change.assignee is not UNSET:
        assigned |= {
            "assignee": change.assignee,
            "assigned_at": None if change.assignee is None else change.at,
            "automatic": change.automatic and change.assignee is not None,
        }
    for name in ("team", "snoozed_until", "archived"):
        value = getattr(change, name)
        if value is not UNSET:
            assigned[name] = value
    return assigned
