"""The inbox's list in its order: segments that follow each other, each in the order of an index."""

from __future__ import annotations

from collections.abc import Sequence

import pymongo
from msgspec import Struct

from actors.keys import conversation_key
from storage.inbox_records import InboxFilter, Sort
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.conversation_rows import PASSING, RECENT_MS, SHOWN
from storage.mongodb.finder import keys_of_found
from storage.mongodb.inbox import COUNTING_S, LOWEST
from storage.mongodb.scope import NOTHING, labelled, ours, scope_condition
from storage.texts import order_key, query_words
from storage.words import terms_of

WAITING: tuple[Row, ...] = ({"row.sla.due_at": {"$gte": LOWEST}}, {"row.last.direction": "in"})
"""A response clock runs, or the customer's message is the last: one of these holds."""


class Segment(Struct, frozen=True):
    """A condition and the order within it."""

    where: Row
    order: list[tuple[str, int]]


def segments(found: list[Row], sort: Sort) -> list[Segment]:
    """One behind the other they are the list: those of `due` by what waits for what."""
    newest, oldest = [("row.last_at", -1), ("_id", -1)], [("row.last_at", 1), ("_id", 1)]
    running: Row = {"row.sla.due_at": {"$gte": LOWEST}}
    match sort:
        case "newest":
            return [_segment(found, newest)]
        case "oldest":
            return [_segment(found, oldest)]
        case "value":
            dear = [("row.value.amount", -1), *newest]
            return [_segment([*found, _DEAR], dear), _segment([*found, {"$nor": [_DEAR]}], newest)]
        case "due":
            rest: Row = {"$nor": [running]}
            return [
                _segment([*found, running], [("row.sla.due_at", 1), ("_id", 1)]),
                _segment([*found, rest, {"row.last.direction": "in"}], oldest),
                _segment([*found, rest, {"row.last.direction": {"$ne": "in"}}], newest),
            ]


_DEAR: Row = {"row.value.amount": {"$gte": float("-inf")}}


def _segment(found: list[Row], order: list[tuple[str, int]]) -> Segment:
    return Segment({"$and": found}, order)


async def window(
    database: Database, lists: Sequence[Segment], offset: int, limit: int, *, counted: bool
) -> tuple[list[Row], int]:
    """The documents from `offset` on, and how many all segments have. What need not be counted is not."""
    found: list[Row] = []
    total = 0
    for place, segment in enumerate(lists):
        if len(found) < limit:
            with database.talk() as db:
                chosen = db.conversations.find(
                    segment.where, SHOWN, sort=segment.order, skip=offset, limit=limit - len(found)
                )
                some = await chosen.to_list()
            found += some
        elif not counted:
            break
        if counted or (len(found) < limit and place + 1 < len(lists)):
            size = await _size(database, segment)
            total += size
            offset = max(0, offset - size)
    return found, total if counted else 0


async def _size(database: Database, segment: Segment) -> int:
    with database.talk() as db, pymongo.timeout(COUNTING_S):
        return await db.conversations.count_documents(segment.where)


async def conditions(database: Database, where: InboxFilter) -> list[Row] | None:
    """What must hold, to be joined by AND; None when nothing can fit."""
    found = _tab(where)
    if where.label is not None:
        found.append(labelled(where.label))
    if where.sensitive is not None:
        found.append({"row.sensitive": True if where.sensitive else {"$ne": True}})
    if where.lang is not None:
        found.append({"$or": [{"row.lang": where.lang}, {"row.lang": None, "row.guessed_lang": where.lang}]})
    fields = {
        "platform": where.platform,
        "account": where.account,
        "desk.assignee": where.assignee,
        "desk.team": where.team,
        "row.sla.state": where.sla,
        "row.contact_id": where.contact,
    }
    found += [{name: value} for name, value in fields.items() if value is not None]
    if where.vip is not None:
        found.append({"row.vip": True if where.vip else {"$ne": True}})
    if where.waiting is not None:
        found.append({"$or" if where.waiting else "$nor": list(WAITING)})
    if where.holder is not None:
        found += scope_condition(where.holder)
    if where.order is not None:
        found.append({"_id": {"$in": await _of_order(database, where.order)}})
    if where.anomaly is not None:
        found.append({"_id": {"$in": await _troubled(database, where.anomaly)}})
    if where.q is not None:
        terms = terms_of(query_words(where.q))
        if not terms:
            return None
        found.append({"_id": {"$in": await keys_of_found(database, terms)}})
    return [*found, *scope_condition(where.scope)]


def _tab(where: InboxFilter) -> list[Row]:
    tab = where.tab
    found: list[Row] = [{"row.last_at": {"$gte": LOWEST}}]
    if tab != "archived":
        found.append({"row.closed": True if tab == "closed" else {"$ne": True}})
    found.append({"desk.archived": True if tab == "archived" else {"$ne": True}})
    asleep: Row = {"desk.snoozed_until": {"$gt": where.now}}
    if tab == "snoozed":
        found.append(asleep)
    elif tab not in {"closed", "archived"}:
        found.append({"$nor": [asleep]})
    match tab:
        case "mine":
            found.append({"desk.assignee": where.me} if where.me is not None else NOTHING)
        case "unassigned":
            found.append({"desk.assignee": None})
        case "at_risk":
            found.append({"row.sla.state": {"$in": ["at_risk", "breached"]}})
        case "team":
            ways = ours(where.scope)
            found.append({"$or": ways} if ways else NOTHING)
        case _:
            pass
    return found


async def _of_order(database: Database, order: str) -> list[str]:
    with database.talk() as db:
        rows = db.messages.find({"order": order_key(order)}, {"_id": 0, "key": 1}, batch_size=ROWS_A_FETCH)
        return sorted({row["key"] async for row in rows})


async def _troubled(database: Database, kind: str) -> list[str]:
    """Conversations with an unresolved anomaly of the kind, or a recent one where that counts."""
    shown = {"platform": 1, "account": 1, "conversation": 1, "opened_at": 1}
    where: Row = {"kind": kind, "conversation": {"$exists": True}}
    keys: set[str] = set()
    past: dict[str, int] = {}
    with database.talk() as db:
        async for row in db.anomalies.find({**where, "unresolved": True}, shown, batch_size=ROWS_A_FETCH):
            keys.add(_key(row))
        if kind in PASSING:
            async for row in db.anomalies.find(where, shown, batch_size=ROWS_A_FETCH):
                past[_key(row)] = max(row["opened_at"], past.get(_key(row), row["opened_at"]))
    last = {key: at for key, at in past.items() if key not in keys}
    for row in await database.by_ids("conversations", sorted(last), {"row.last_at": 1}):
        if last[row["_id"]] >= row.get("row", {}).get("last_at", LOWEST) - RECENT_MS:
            keys.add(row["_id"])
    return sorted(keys)


def _key(row: Row) -> str:
    return conversation_key(row["platform"], row["account"], row["conversation"])
