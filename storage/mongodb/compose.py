"""A batch as writes: look up what decides them, then build and encode them off the event loop."""

from __future__ import annotations

import asyncio
from time import time

from msgspec import Struct

from storage.drafts import ID_LIFE_MS
from storage.mongodb.compose_conversations import channel_groups, clock_group, conversation_groups, touched
from storage.mongodb.compose_figures import figure_groups
from storage.mongodb.compose_messages import (
    edited_texts,
    groups_of_messages,
    message_documents,
    progress_documents,
)
from storage.mongodb.connection import ROWS_A_FETCH, Database
from storage.mongodb.flushes import Flush, Holding, flush_of
from storage.mongodb.writes import Writes
from storage.records import Batch

MOST_KNOWN = 300_000
"""Conversations remembered as existing, some 40 MB; when there are more, all are forgotten and asked for again."""
IDS_A_QUERY = 5_000
SMALL = 200
"""Rows a batch that are built at once: it takes less than handing them to a thread."""


class Known:
    """Conversations that are known to have a document. They are never deleted, so this can only lack some."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    def missing(self, keys: set[str]) -> set[str]:
        """Those that must be asked for."""
        return keys - self._keys

    def learn(self, keys: set[str]) -> None:
        """These exist."""
        if len(self._keys) > MOST_KNOWN:
            self._keys.clear()
        self._keys |= keys


class Findings(Struct):
    """What the database holds of a batch: its conversations, and when its messages' ids were stored last."""

    conversations: set[str]
    held: dict[str, int]


async def compose(database: Database, known: Known, batch: Batch, holding: Holding, building: asyncio.Lock) -> Flush:
    """The flush of a batch. Raises RejectedError when it holds what no database could.

    `building` lets one big batch be built at a time: threads that take turns at it are no faster and hold more rows.
    """
    findings = await _look(database, known, batch)
    effects = batch.effects
    size = len(effects.messages) + len(effects.hops) + len(effects.keys) + len(batch.conversations)
    with database.talk():
        if size <= SMALL:
            return _build(batch, findings, holding)
        async with building:
            return await asyncio.to_thread(_build, batch, findings, holding)


async def _look(database: Database, known: Known, batch: Batch) -> Findings:
    keys = touched(batch)
    missing = known.missing(keys)
    existing = keys - missing
    existing |= await _existing(database, sorted(missing))
    wanted = {f"{m.key}/{m.event.message}": m.at for m in batch.effects.messages if m.key in existing}
    held = await _held(database, list(wanted))
    # Only an id that comes after its life may have had a later one.
    after_life = [name for name, at in held.items() if wanted[name] - at > ID_LIFE_MS]
    for name, at in (await _later(database, after_life)).items():
        held[name] = max(held[name], at)
    return Findings(existing, held)


async def _existing(database: Database, keys: list[str]) -> set[str]:
    return {row["_id"] for row in await database.by_ids("conversations", keys, {"_id": 1})}


async def _held(database: Database, names: list[str]) -> dict[str, int]:
    return {row["_id"]: row["at"] for row in await database.by_ids("messages", names, {"at": 1})}


async def _later(database: Database, names: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(names), IDS_A_QUERY):
        with database.talk() as db:
            where = {"later_life_of": {"$in": names[start : start + IDS_A_QUERY]}}
            async for row in db.messages.find(where, {"later_life_of": 1, "at": 1}, batch_size=ROWS_A_FETCH):
                name = row["later_life_of"]
                found[name] = max(row["at"], found.get(name, row["at"]))
    return found


def _build(batch: Batch, findings: Findings, holding: Holding) -> Flush:
    mark, effects, stamp = batch.mark, batch.effects, holding.stamp + 1
    fresh, stored = message_documents(
        effects,
        findings.held,
        partition=mark.partition,
        version=mark.version,
        stamp=stamp,
        stored_at=int(time() * 1000),
    )
    progress = progress_documents(effects, fresh, partition=mark.partition, stamp=stamp)
    conversations, inserted = conversation_groups(batch, stored, findings.conversations, stamp)
    # A conversation of nothing but merged messages has no document, its channel has.
    homes = inserted | {effect.key for effect in stored if effect.key not in findings.conversations}
    groups = [
        *groups_of_messages(fresh.values(), progress, edited_texts(effects, stamp)),
        *conversations,
        *channel_groups(batch, homes, stamp),
        clock_group(effects.sla, stamp),
        *figure_groups(batch, stamp),
    ]
    flush = flush_of(mark, holding, Writes([group for group in groups if group.documents]))
    flush.conversations = findings.conversations | inserted
    return flush
