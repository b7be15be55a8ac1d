"""Conversations that hold what a query asks for, newest first.

Few hits: their conversations are gathered, verified on the texts where the index cannot tell, and sorted. Many hits:
conversations are walked from the newest on, a page at a time, and each page is asked for hits. Both give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import json

from actors.events import Message
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.tokens import condition_of, is_exact
from storage.texts import document, folded
from storage.words import Term, words_of

_event = json.Decoder(Message)

MOST_GATHERED = 5_000
PAGE = 200
NEWEST = [("row.last_at", -1), ("_id", -1)]
_SHOWN = {"state": 0, "words": 0}


async def page_of_found(
    database: Database, terms: Sequence[Term], condition: Row, after: tuple[int, str] | None, limit: int
) -> tuple[list[Row], bool]:
    """The conversations' documents, and whether there are more."""
    wanted = {"$and": [condition_of(term) for term in terms]}
    exact = all(map(is_exact, terms))
    keys = await _hits(database, wanted, terms if not exact else (), None)
    if keys is not None:
        where = {"$and": [condition, {"_id": {"$in": sorted(keys)}}, *_behind(after)]}
        with database.talk() as db:
            found = await db.conversations.find(where, _SHOWN, sort=NEWEST, limit=limit + 1).to_list()
        return found[:limit], len(found) > limit
    return await _walk(database, wanted, () if exact else terms, condition, after, limit)


async def keys_of_found(database: Database, terms: Sequence[Term]) -> list[str]:
    """The keys of all conversations with a hit."""
    wanted = {"$and": [condition_of(term) for term in terms]}
    exact = all(map(is_exact, terms))
    return sorted(await _hits(database, wanted, () if exact else terms, None, most=0) or set())


async def _walk(
    database: Database,
    wanted: Row,
    verified: Sequence[Term],
    condition: Row,
    after: tuple[int, str] | None,
    limit: int,
) -> tuple[list[Row], bool]:
    found: list[Row] = []
    while True:
        where = {"$and": [condition, *_behind(after)]} if after else condition
        with database.talk() as db:
            page = await db.conversations.find(where, _SHOWN, sort=NEWEST, limit=PAGE).to_list()
        hits = await _hits(database, wanted, verified, [row["_id"] for row in page]) or set()
        found += [row for row in page if row["_id"] in hits]
        if len(found) > limit or len(page) < PAGE:
            return found[:limit], len(found) > limit
        after = page[-1]["row"]["last_at"], page[-1]["_id"]


async def _hits(
    database: Database,
    wanted: Row,
    verified: Sequence[Term],
    among: Sequence[str] | None,
    most: int = MOST_GATHERED + 1,
) -> set[str] | None:
    """The conversations with a hit, of those `among` or of all; None when all are too many to gather."""
    of_these: list[Row] = [] if among is None else [{"key": {"$in": list(among)}}]
    own: list[Row] = [] if among is None else [{"_id": {"$in": list(among)}}]
    most = 0 if among is not None else most
    texts = {"event": 1, "versions": 1} if verified else {}
    found: set[str] = set()
    seen = 0
    with database.talk() as db:
        for collection, where, shown in (
            (db.messages, {"$and": [*of_these, wanted]}, {"key": 1, **texts}),
            (db.progress, {"$and": [*of_these, wanted]}, {"key": 1, **texts}),
            (db.conversations, {"$and": [*own, wanted]}, {"_id": 1}),
        ):
            async for row in collection.find(where, shown, limit=most, batch_size=ROWS_A_FETCH):
                seen += 1
                if most and seen == most:
                    return None
                if not verified or holds(verified, columns(row)):
                    found.add(row.get("key", row["_id"]))
    return found


def columns(row: Row) -> list[list[str]]:
    """The words a phrase may run through, one list for each text."""
    texts: list[str] = []
    if "event" in row:
        texts += document(_event.decode(row["event"]))
    texts += [folded(version["text"]) for version in row.get("versions", ()) if version["text"]]
    if "key" not in row:
        texts.append(folded(row["_id"].rpartition("/")[2]))
    return [words_of(text) for text in texts]


def holds(terms: Sequence[Term], texts: Iterable[Sequence[str]]) -> bool:
    """Whether these columns have all terms."""
    texts = list(texts)
    return all(term.within(texts) for term in terms)


def _behind(after: tuple[int, str] | None) -> list[Row]:
    if after is None:
        return []
    at, key = after
    return [{"$or": [{"row.last_at": {"$lt": at}}, {"row.last_at": at, "_id": {"$lt": key}}]}]
