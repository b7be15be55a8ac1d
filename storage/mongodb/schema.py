"""Every collection and index, and the migrations, in one place. Opening by many processes at once is safe.

A document is bounded by what one event may hold (the gateway's limit): a message, an anomaly and a dead letter are
written once and what becomes of a message later is a document of its own (`progress`); a conversation's document holds
one state (the engine bounds what it remembers) and one row of its last message; keys are gathered at most
`compose_figures.KEYS_A_DOCUMENT` a document; a redo record is cut into parts of `flushes.PART_BYTES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pymongo
from msgspec import Struct
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, OperationFailure

from actors.errors import ConfigurationError, WeirError
from storage.mongodb.connection import Database, Row
from storage.mongodb.naming import tell_digests

Step: TypeAlias = Callable[[AsyncDatabase[Row]], Awaitable[None]]


class Index(Struct, frozen=True):
    """`options` a server does not know are left out, except `unique`."""

    collection: str
    keys: tuple[tuple[str, int], ...]
    options: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Derived from what it is, so that a changed index is a new one."""
        words = "_".join(f"{field}_{way}" for field, way in self.keys)
        return f"{words}_{'_'.join(self.options)}" if self.options else words


_SPARSE = {"sparse": True}
_LISTED = (
    ("_id", 1),
    ("row.closed", 1),
    ("desk.archived", 1),
    ("desk.snoozed_until", 1),
    ("desk.assignee", 1),
    ("desk.team", 1),
    ("platform", 1),
    ("account", 1),
    ("row.sla.state", 1),
    ("row.last.direction", 1),
)

INDEXES: tuple[Index, ...] = (
    Index("channels", (("partition", 1),)),
    # What the engine asks at a take-over; only conversations with a timer are in it.
    Index("conversations", (("partition", 1), ("due", 1)), {"partialFilterExpression": {"due": {"$exists": True}}}),
    Index("conversations", (("row.last_at", -1), ("_id", -1))),
    Index("conversations", (("channel", 1), ("row.last_at", -1))),
    Index("conversations", (("row.contact_id", 1),), _SPARSE),
    Index("conversations", (("platform", 1), ("row.sla.state", 1)), _SPARSE),
    Index("conversations", (("words", 1),)),
    Index("conversations", (("row.sensitive", 1),), {"partialFilterExpression": {"row.sensitive": True}}),
    # The inbox's list; what decides who sees a conversation and where is in it, so that documents are not read to skip.
    Index("conversations", (("row.sla.due_at", 1), *_LISTED)),
    Index("conversations", (("row.last_at", -1), *_LISTED)),
    Index("conversations", (("desk.assignee", 1), ("row.last_at", -1)), _SPARSE),
    Index("conversations", (("desk.snoozed_until", 1), ("_id", 1)), _SPARSE),
    Index("conversations", (("told.nonce", 1),), _SPARSE),
    Index("messages", (("key", 1), ("sent_at", 1), ("at", 1), ("message", 1))),
    Index("messages", (("channel", 1), ("at", -1), ("ordinal", -1))),
    Index("messages", (("channel", 1), ("sent_at", 1))),
    # In the order of time, so that of a frequent word the newest are read and no more.
    Index("messages", (("words", 1), ("sent_at", -1), ("_id", -1))),
    Index("messages", (("sent_at", -1), ("_id", -1))),
    Index("messages", (("order", 1),), _SPARSE),
    Index("messages", (("later_life_of", 1),), _SPARSE),
    Index("progress", (("of", 1),)),
    Index("progress", (("words", 1),), _SPARSE),
    Index("event_keys", (("partition", 1), ("last_at", 1))),
    Index("clocks", (("ended_at", 1),), _SPARSE),
    Index("anomalies", (("opened_at", -1), ("_id", 1))),
    Index("anomalies", (("conversation", 1), ("message", 1)), _SPARSE),
    Index("anomalies", (("unresolved", 1), ("opened_at", -1)), _SPARSE),
    Index("anomalies", (("ended_at", 1),), _SPARSE),
    Index("minutes", (("minute", 1), ("channel", 1))),
    Index("dead_letters", (("at", -1),)),
    Index("mutes", (("until", -1), ("_id", 1))),
    Index("saved_views", (("owner", 1),), _SPARSE),
    Index("saved_views", (("shared", 1),), _SPARSE),
    Index("alerts", (("at", -1), ("_id", -1))),
    Index("alerts", (("person", 1), ("at", -1), ("_id", -1))),
    Index("alerts", (("key", 1), ("message", 1))),
    Index("alerts", (("due_at", 1), ("_id", 1)), _SPARSE),
    Index("users", (("login", 1),), {"unique": True}),
    Index("sessions", (("user", 1),)),
    Index("sessions", (("gone_at", 1),), {"expireAfterSeconds": 0}),
    Index("tokens", (("digest", 1),), {"unique": True}),
    Index("audit", (("nonce", 1),), {"unique": True}),
    Index("audit", (("subject", 1), ("_id", -1))),
    Index("redo", (("partition", 1), ("epoch", 1))),
    Index("replies", (("at", -1), ("_id", 1))),
    Index("replies", (("state", 1), ("at", -1), ("_id", 1))),
    Index("replies", (("platform", 1), ("account", 1), ("at", -1), ("_id", 1))),
    Index("replies", (("key", 1), ("at", -1), ("_id", 1))),
    Index("replies", (("due_at", 1), ("at", 1), ("_id", 1)), {"partialFilterExpression": {"state": "queued"}}),
    Index("replies", (("waiting", 1),), _SPARSE),
    Index("replies", (("hangs_since", 1),), _SPARSE),
    Index("replies", (("ended_at", 1),), _SPARSE),
    Index("replies", (("sent_as", 1),), _SPARSE),
    Index("parked", (("of", 1),)),
    Index("parked", (("at", 1), ("_id", 1))),
    Index("work", (("kind", 1), ("failed", 1), ("due_at", 1), ("at", 1), ("id", 1))),
    Index("work", (("kind", 1), ("failed", 1), ("at", 1), ("id", 1))),
    Index("work", (("failed_at", 1),), _SPARSE),
    Index("shop_orders", (("number", 1), ("created_at", -1))),
    Index("shop_orders", (("email", 1), ("created_at", -1))),
    Index("shop_orders", (("contact", 1), ("created_at", -1))),
    Index("identities", (("of", 1), ("since", 1), ("alias", 1))),
    Index("contacts", (("seen_at", -1), ("_id", 1))),
    Index("contacts", (("platform", 1), ("account", 1), ("seen_at", -1), ("_id", 1))),
    Index("contacts", (("merged_into", 1),), _SPARSE),
    Index("contacts", (("sealed_with", 1), ("_id", 1)), _SPARSE),
    Index("contacts", (("facts", 1),)),
    Index("contacts", (("tags", 1),)),
    Index("contacts", (("spent_most", 1),)),
    Index("contacts", (("unsaid", 1),), _SPARSE),
    Index("contact_pairs", (("unsaid", 1),), _SPARSE),
    Index("contact_pairs", (("second", 1),)),
    Index("contact_pairs", (("first", 1),)),
    Index("notes", (("key", 1), ("at", -1), ("_id", -1))),
    Index("notes", (("at", 1),)),
    Index("notes", (("waiting", 1),), _SPARSE),
    Index("drafts", (("user", 1), ("changed_at", -1), ("key", 1))),
    Index("drafts", (("changed_at", 1),)),
    Index("messages", (("digests", 1),), _SPARSE),
    Index("progress", (("digests", 1),), _SPARSE),
    Index("shop_orders", (("updated_at", 1),)),
    Index("files.files", (("filename", 1), ("uploadDate", 1))),
    Index("files.chunks", (("files_id", 1), ("n", 1)), {"unique": True}),
)

OTHERS = (
    "marks",
    "ledger",
    "processes",
    "thresholds",
    "bindings",
    "alert_settings",
    "jobs",
    "sweeps",
    "uploads",
    "meta",
    "teams",
    "templates",
    "label_books",
)
"""Collections that are found by `_id` alone."""


async def drop_words_alone(db: AsyncDatabase[Row]) -> None:
    """The index of words is one with the time now; the old one would only cost."""
    if "words_1" in await db.messages.index_information():
        try:
            await db.messages.drop_index("words_1")
        except OperationFailure as error:
            if error.code != INDEX_NOT_FOUND:
                raise  # else another process was faster


MIGRATIONS: tuple[Step, ...] = (drop_words_alone, tell_digests)
"""What brings older databases up to date, in the order of release; version 1 is the indexes alone."""

BUILD_S = 3_600
"""An index over many rows takes its time."""
_ATTEMPTS = 5
_NOT_IMPLEMENTED = 238
INDEX_NOT_FOUND = 27


async def prepare(database: Database) -> None:
    """Refuse what a newer Weir or another program wrote, migrate, create the indexes that are missing."""
    known = 1 + len(MIGRATIONS)
    version = await _version(database)
    if version > known:
        raise ConfigurationError(
            f"{database.place} was written by a newer Weir (schema {version}, this one knows {known});"
            " run that version or restore an older backup"
        )
    for number in range(version, known):
        if number:
            with database.talk() as db:
                # A step must be harmless when two processes run it at once: they may both have seen the old version.
                await MIGRATIONS[number - 1](db)
        await _advance(database, number)
    await create_indexes(database)


async def missing_indexes(database: Database) -> list[Index]:
    """Those declared that the database does not have."""
    with database.talk() as db:
        present = {
            (name, index["name"])
            for name in {index.collection for index in INDEXES}
            async for index in await db[name].list_indexes()
        }
    return [index for index in INDEXES if (index.collection, index.name) not in present]


async def create_indexes(database: Database) -> None:
    """Create what is missing; another process may be doing the same."""
    for attempt in range(_ATTEMPTS):
        try:
            missing = await missing_indexes(database)
            for collection in {index.collection: None for index in missing}:
                await _create(database, collection, [index for index in missing if index.collection == collection])
        except WeirError:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * (attempt + 1))
        else:
            return


async def _create(database: Database, collection: str, indexes: list[Index]) -> None:
    with database.talk() as db, pymongo.timeout(BUILD_S):
        try:
            await db[collection].create_indexes([_model(index) for index in indexes])
        except OperationFailure as error:
            if error.code != _NOT_IMPLEMENTED:
                raise
            await db[collection].create_indexes([_model(index, plain=True) for index in indexes])


def _model(index: Index, *, plain: bool = False) -> IndexModel:
    options = {name: value for name, value in index.options.items() if not plain or name == "unique"}
    return IndexModel(list(index.keys), name=index.name, **options)


async def _version(database: Database) -> int:
    """The schema's version; 0 for an empty database."""
    with database.talk() as db:
        about = await db.meta.find_one({"_id": "schema"})
        if about:
            return int(about["version"])
        names = await db.list_collection_names()
    ours = {index.collection for index in INDEXES} | set(OTHERS)
    others = [name for name in names if name not in ours and not name.startswith("system.")]
    if others:
        raise ConfigurationError(
            f"{database.place} holds another program's data ({min(others)!r}): point Weir at a database of its own"
        )
    return 0


async def _advance(database: Database, version: int) -> None:
    with database.talk() as db:
        if version:
            await db.meta.update_one({"_id": "schema", "version": version}, {"$set": {"version": version + 1}})
            return
        try:
            await db.meta.insert_one({"_id": "schema", "version": 1})
        except DuplicateKeyError:
            return  # another process was faster


__all__ = ["INDEXES", "MIGRATIONS", "Index", "create_indexes", "missing_indexes", "prepare"]
