"""The search over messages: walked from the newest on, some at a time, until the page is full.

Every word is an index key together with the time, so that of a frequent word the newest are read and no more. What the
keys cannot tell (longer phrases) is verified on the texts. Texts that were changed later stand in documents of their
own, which are few and gathered first.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field, json

from actors.events import Message
from actors.keys import channel_key, split_key
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.highlights import is_from, located
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.finder import columns, holds
from storage.mongodb.inbox import message_rows
from storage.mongodb.scope import labelled, scope_condition
from storage.mongodb.tokens import condition_of, is_exact
from storage.records import Page
from storage.search_records import MessageHit, MessageSearch
from storage.texts import folded, order_key, query_words
from storage.words import Term, terms_of, words_of

_event = json.Decoder(Message)

STEP = 100
"""Messages looked at before their conversations are asked for."""
FEW = 500
"""So many conversations are named in the query; more of them are told apart on the way."""
MOST_STEPS = 30
"""After so many steps a page ends, full or not; its cursor goes on from there."""
MOST_CHANGED = 5_000
"""Changed texts with a hit that are looked at."""
NEWEST = [("sent_at", -1), ("_id", -1)]
_TOLD = {"words": 0}


class _Wanted(Struct):
    """What messages must fulfil, what their conversations must, and what is verified on the texts."""

    message: list[Row] = field(default_factory=list[Row])
    conversation: list[Row] = field(default_factory=list[Row])
    direction: str | None = None
    sender: Sequence[Term] = ()
    verified: Sequence[Term] = ()


class MongoSearch:
    """`storage.search_ports.SearchStore`."""

    _db: Database

    async def search_messages(self, where: MessageSearch, limit: int, cursor: str | None = None) -> Page[MessageHit]:
        """Messages by sent_at descending, then id; merged duplicates left out."""
        after = decode_cursor(cursor, "message_hits", tuple[int, str]) if cursor else None
        return await _Search(self._db).page(where, bounded(limit), after)


class _Search:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(self, where: MessageSearch, limit: int, after: tuple[int, str] | None) -> Page[MessageHit]:
        """One page of hits."""
        terms = terms_of(query_words(where.q)) if where.q is not None else []
        wanted = await self._wanted(where)
        if (where.q is not None and not terms) or (where.sender is not None and not wanted.sender):
            return Page(items=[])
        changed = await self._changed(terms, wanted) if terms else []
        if terms:
            wanted.message += [condition_of(term) for term in terms]
            wanted.verified = () if all(map(is_exact, terms)) else terms
        found, names, reached = await self._walk(wanted, changed, after, limit + 1)
        rows = await message_rows(self._db, found[:limit])
        hits = [located(row, names.get(row.key), terms) for row in rows]
        last = _place(found[limit - 1]) if len(found) > limit else reached
        return Page(items=hits, next=encode_cursor("message_hits", *last) if last else None)

    async def _walk(
        self, wanted: _Wanted, changed: list[Row], after: tuple[int, str] | None, limit: int
    ) -> tuple[list[Row], dict[str, str | None], tuple[int, str] | None]:
        """The newest messages, the names of their conversations' contacts, and where it stopped before the end."""
        found: list[Row] = []
        names: dict[str, str | None] = {}
        known = {row["_id"] for row in changed}
        for _ in range(MOST_STEPS):
            where: Row = {"$and": [*wanted.message, *_behind(after)]}
            with self._db.talk() as db:
                page = await db.messages.find(where, _TOLD, sort=NEWEST, limit=STEP).to_list()
            full = len(page) == STEP
            hits = [row for row in page if row["_id"] not in known and _fulfils(row, wanted)]
            # Those changed later that belong among these.
            last = _place(page[-1]) if full else None
            hits += [
                row
                for row in changed
                if (after is None or _place(row) < after) and (last is None or _place(row) >= last)
            ]
            hits.sort(key=_place, reverse=True)
            shown = await self._contacts({row["key"] for row in hits} - names.keys(), wanted)
            names |= shown
            found += [row for row in hits if row["key"] in names]
            if len(found) >= limit or not full:
                return found[:limit], names, None
            after = last
        return found, names, after

    async def _contacts(self, keys: set[str], wanted: _Wanted) -> dict[str, str | None]:
        """The contacts' names of those of the conversations that fulfil what is wanted."""
        shown = {"row.contact_name": 1}
        also: Row = {"$and": wanted.conversation} if wanted.conversation else {}
        rows = await self._db.by_ids("conversations", sorted(keys), shown, also)
        return {row["_id"]: row.get("row", {}).get("contact_name") for row in rows}

    async def _changed(self, terms: Sequence[Term], wanted: _Wanted) -> list[Row]:
        """Messages with a hit in a text that came later, the newest first."""
        where: Row = {"$and": [condition_of(term) for term in terms]}
        shown = {"key": 1, "of": 1, "versions": 1}
        with self._db.talk() as db:
            rows = await db.progress.find(where, shown, limit=MOST_CHANGED, batch_size=ROWS_A_FETCH).to_list()
        bases = sorted({row["of"] for row in rows if holds(terms, columns(row))})
        if not bases:
            return []
        either = [{"_id": {"$in": bases}}, {"later_life_of": {"$in": bases}}]
        with self._db.talk() as db:
            found = await db.messages.find({"$and": [*wanted.message, {"$or": either}]}, _TOLD).to_list()
        # Of two lives of an id the words belong to one.
        shown_as = await message_rows(self._db, found)
        told = [doc for doc, row in zip(found, shown_as, strict=True) if _tells(row.versions, terms)]
        return [row for row in told if _fulfils(row, wanted)]

    async def _wanted(self, where: MessageSearch) -> _Wanted:
        """What to look for."""
        wanted = _Wanted(direction=where.direction)
        if where.sender is not None:
            wanted.sender = terms_of(query_words(where.sender))
            wanted.message += [condition_of(term) for term in wanted.sender]
        if where.direction is not None:
            # Messages of an older Weir do not tell it beside their event.
            wanted.message.append({"$or": [{"direction": where.direction}, {"direction": {"$exists": False}}]})
        wanted.message.append({"merged_into": {"$exists": False}})
        if where.platform is not None or where.account is not None:
            wanted.message.append({"channel": {"$in": await self._channels(where)}})
        if where.conversation is not None:
            wanted.message.append({"key": where.conversation})
        if where.since is not None:
            wanted.message.append({"sent_at": {"$gte": where.since}})
        if where.until is not None:
            wanted.message.append({"sent_at": {"$lt": where.until}})
        if where.contact is not None:
            wanted.conversation.append({"row.contact_id": where.contact})
            if (keys := await self._of_contact(where.contact)) is not None:
                wanted.message.append({"key": {"$in": keys}})
        if where.order is not None:
            wanted.message.append({"key": {"$in": await self._of_order(where.order)}})
        if where.label is not None:
            wanted.conversation.append(labelled(where.label))
        wanted.conversation += scope_condition(where.scope)
        return wanted

    async def _of_contact(self, contact: str) -> list[str] | None:
        """The contact's conversations; None when they are many."""
        with self._db.talk() as db:
            rows = await db.conversations.find({"row.contact_id": contact}, {"_id": 1}, limit=FEW + 1).to_list()
        return [row["_id"] for row in rows] if len(rows) <= FEW else None

    async def _of_order(self, order: str) -> list[str]:
        with self._db.talk() as db:
            rows = db.messages.find({"order": order_key(order)}, {"_id": 0, "key": 1}, batch_size=ROWS_A_FETCH)
            return list({row["key"]: None async for row in rows})

    async def _channels(self, where: MessageSearch) -> list[str]:
        if where.platform is not None and where.account is not None:
            return [channel_key(where.platform, where.account)]
        place, name = (0, where.platform) if where.platform is not None else (1, where.account)
        with self._db.talk() as db:
            rows = await db.channels.find({}, {"_id": 1}).to_list()
        return [row["_id"] for row in rows if split_key(row["_id"])[place] == name]


def _fulfils(row: Row, wanted: _Wanted) -> bool:
    if wanted.direction is not None or wanted.sender:
        event = _event.decode(row["event"])
        if wanted.direction is not None and event.direction != wanted.direction:
            return False
        who = event.sender
        if wanted.sender and not (who and is_from(who.name, who.id, wanted.sender)):
            return False
    return not wanted.verified or holds(wanted.verified, columns(row))


def _tells(versions: Sequence[Row], terms: Sequence[Term]) -> bool:
    return holds(terms, [words_of(folded(version["text"])) for version in versions if version["text"]])


def _place(row: Row) -> tuple[int, str]:
    return row["sent_at"], row["_id"]


def _behind(after: tuple[int, str] | None) -> list[Row]:
    if after is None:
        return []
    sent_at, name = after
    return [{"$or": [{"sent_at": {"$lt": sent_at}}, {"sent_at": sent_at, "_id": {"$lt": name}}]}]
