"""Conversations as lists show them, from their documents; what is gathered for a page of them comes in one query."""

from __future__ import annotations

from collections.abc import Sequence

from actors.events import Value
from actors.keys import split_key
from storage.label_records import in_effect
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.records import ConversationRow

SHOWN = {"state": 0, "words": 0}
RECENT_MS = 7 * 86_400_000
PASSING = ("delay", "duplicate")
"""Of a trouble that is over only these still tell something about the messages one looks at."""


async def conversation_rows(database: Database, documents: Sequence[Row]) -> list[ConversationRow]:
    """The rows, whole, in the order of the documents."""
    troubles = await _troubles(database, documents)
    return [_row(document, sorted(troubles.get(document["_id"], ()))) for document in documents]


async def _troubles(database: Database, documents: Sequence[Row]) -> dict[str, set[str]]:
    places = {(d["platform"], d["account"], _name(d)): (d["_id"], d["row"]["last_at"]) for d in documents}
    if not places:
        return {}
    where: Row = {
        "conversation": {"$in": sorted({name for _, _, name in places})},
        "$or": [{"unresolved": True}, {"kind": {"$in": list(PASSING)}}],
    }
    shown = {"kind": 1, "unresolved": 1, "opened_at": 1, "platform": 1, "account": 1, "conversation": 1}
    found: dict[str, set[str]] = {}
    with database.talk() as db:
        async for row in db.anomalies.find(where, shown, batch_size=ROWS_A_FETCH):
            place = places.get((row["platform"], row["account"], row["conversation"]))
            if place and (row.get("unresolved") or row["opened_at"] >= place[1] - RECENT_MS):
                found.setdefault(place[0], set()).add(row["kind"])
    return found


def label_parts(auto: Row, given: Row) -> tuple[list[str], list[str], list[str]]:
    """Labels by rules, by people, and those that people took away."""
    return (
        list(auto),
        [label for label, holds in given.items() if holds],
        [label for label, holds in given.items() if not holds],
    )


def _name(document: Row) -> str:
    return split_key(document["_id"])[2]


def _row(document: Row, troubles: list[str]) -> ConversationRow:
    row, desk = document["row"], document.get("desk", {})
    last, sla, value = row["last"], row.get("sla", {}), row.get("value")
    platform, account, conversation = split_key(document["_id"])
    return ConversationRow(
        key=document["_id"], platform=platform, account=account, conversation=conversation,
        status="closed" if row.get("closed") else "open", contact_id=row.get("contact_id"),
        contact_name=row.get("contact_name"), order=row.get("order"), lang=row.get("lang"), vip=row.get("vip", False),
        messages=row["messages"], first_at=row["first_at"], last_at=row["last_at"], last_sent_at=last["sent_at"],
        last_direction=last["direction"], last_text=last["text"], assignee=desk.get("assignee"),
        sla=sla.get("state"), sla_kind=sla.get("kind"), sla_due_at=sla.get("due_at"), team=desk.get("team"),
        assigned_at=desk.get("assigned_at"), automatic=desk.get("automatic", False),
        snoozed_until=desk.get("snoozed_until"), archived=desk.get("archived", False),
        desk_version=desk.get("version", 0), unread=row.get("unread", 0),
        value=Value(amount=value["amount"], currency=value.get("currency")) if value else None, troubles=troubles,
        labels=in_effect(*label_parts(row.get("auto", {}), document.get("given", {}).get("labels", {}))),
        guessed_lang=row.get("guessed_lang"), sensitive=row.get("sensitive", False),
    )  # fmt: skip
