"""Contacts: what was told of them, what people said, which are one; one document each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from secrets import token_hex

from msgspec import json
from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from storage.contact_records import Contact, ContactFilter, NotOne, Said, Told
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.mongodb.audits import deliver, pending, waiting_change
from storage.mongodb.connection import Database, Row
from storage.mongodb.inbox import message_rows
from storage.mongodb.writes import encoded
from storage.records import AuditRow, MessageRow, Page

_told, _said = json.Decoder(Told), json.Decoder(Said)
_SHOWN: Row = {"platform": 1, "account": 1, "identity": 1, "created_at": 1, "told": 1, "said": 1, "version": 1}
_ORDER = [("seen_at", -1), ("_id", 1)]


class MongoContacts:
    """`storage.contact_ports.ContactStore`."""

    _db: Database

    async def learn_contacts(self, contacts: Sequence[Contact]) -> None:
        """Keep contacts; of one that is held already `told` alone is replaced, never what people said."""
        latest = {one.id: one for one in contacts}
        # What no database could hold is to be told as the port's error.
        with self._db.talk():
            documents = encoded([_learned(one) for one in latest.values()])
        await self._db.send("update", "contacts", documents)

    async def contacts_of(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts with these ids, in no order; unknown ones are absent."""
        return [_contact(row) for row in await self._db.by_ids("contacts", list(dict.fromkeys(ids)), _SHOWN)]

    async def merged_into(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts that point to any of these, by id."""
        return await self._found({"merged_into": {"$in": list(ids)}})

    async def contacts_with(self, facts: Sequence[str], limit: int) -> list[Contact]:
        """Contacts with any of these facts, by id."""
        return await self._found({"facts": {"$in": list(facts)}}, bounded(limit)) if facts else []

    async def contacts(self, where: ContactFilter, limit: int, cursor: str | None = None) -> Page[Contact]:
        """Contacts by `seen_at` descending, then id."""
        after = decode_cursor(cursor, "contacts", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        parts = _conditions(where)
        if after:
            seen_at, last = after
            parts.append({"$or": [{"seen_at": {"$lt": seen_at}}, {"seen_at": seen_at, "_id": {"$gt": last}}]})
        with self._db.talk() as db:
            condition: Row = {"$and": parts} if parts else {}
            rows = await db.contacts.find(condition, _SHOWN, sort=_ORDER, limit=limit + 1).to_list()
        items = [_contact(row) for row in rows[:limit]]
        more = len(rows) > limit
        return Page(items=items, next=encode_cursor("contacts", items[-1].told.seen_at, items[-1].id) if more else None)

    async def change_contact(self, contact: Contact, audit: AuditRow, *, replaces: int) -> bool:
        """Replace what people said of a contact whose `version` is `replaces`; False when it is not."""
        nonce = token_hex(12)
        change: Row = {"$set": {**_said_fields(contact.said), "version": contact.version, "made_by": nonce}}
        change["$set"] |= waiting_change(audit)
        if contact.said.merged_into is None:
            change["$unset"] = {"merged_into": ""}
        with self._db.talk() as db:
            done = await db.contacts.update_one({"_id": contact.id, "version": replaces}, change)
            if not done.matched_count:
                # It may be our own: the answer to the first try was lost and the driver tried again.
                found = await db.contacts.find_one({"_id": contact.id}, {"made_by": 1})
                if found is None or found.get("made_by") != nonce:
                    return False
        await deliver(self._db, "contacts")
        return True

    async def forget_contact(self, contact_id: str) -> bool:
        """Forget a contact; of those that pointed to it the oldest takes its place.

        Should this end half-way, who pointed to it stands alone.
        """
        held = await self.contacts_of([contact_id])
        if not held:
            return False
        await deliver(self._db, "contacts")
        children = sorted(await self.merged_into([contact_id]), key=lambda one: (one.created_at, one.id))
        for child in children:
            above = held[0].said.merged_into if child is children[0] else children[0].id
            change: Row = {"$set": _said_fields(replace(child.said, merged_into=above)), "$inc": {"version": 1}}
            if above is None:
                change["$unset"] = {"merged_into": ""}
            with self._db.talk() as db:
                await db.contacts.update_one({"_id": child.id}, change)
        with self._db.talk() as db:
            await db.contact_pairs.delete_many({"$or": [{"first": contact_id}, {"second": contact_id}]})
            return bool((await db.contacts.delete_one({"_id": contact_id})).deleted_count)

    async def say_not_one(self, said: NotOne, audit: AuditRow) -> None:
        """Keep that two contacts are not one person, with its audit row; said again it changes nothing."""
        _, waits = pending(audit)
        document: Row = {"first": said.first, "second": said.second, "at": said.at, "who": said.who, **waits}
        document["unsaid"] = True
        with self._db.talk() as db, suppress(DuplicateKeyError):
            await db.contact_pairs.insert_one({"_id": f"{said.first} {said.second}", **document})
        await deliver(self._db, "contact_pairs")

    async def not_one(self, ids: Sequence[str]) -> list[NotOne]:
        """What was said of pairs with any of these contacts."""
        either: Row = {"$or": [{"first": {"$in": list(ids)}}, {"second": {"$in": list(ids)}}]}
        with self._db.talk() as db:
            rows = await db.contact_pairs.find(either, sort=[("first", 1), ("second", 1)]).to_list()
        return [NotOne(first=row["first"], second=row["second"], at=row["at"], who=row["who"]) for row in rows]

    async def contacts_sealed_otherwise(self, key: str, limit: int, after: str = "") -> list[Contact]:
        """Contacts whose sealed values need another key than this, by id, those with id > after."""
        where: Row = {"sealed_with": {"$exists": True, "$ne": key}, "_id": {"$gt": after}}
        return await self._found(where, bounded(limit))

    async def messages_of_all(self, keys: Sequence[str], limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of several conversations as one list, the latest first; merged duplicates left out."""
        after = decode_cursor(cursor, "messages_of_all", tuple[int, int, str, str]) if cursor else None
        limit = bounded(limit)
        where: Row = {"key": {"$in": list(keys)}, "merged_into": {"$exists": False}}
        names = ("sent_at", "at", "message", "key")
        if after:
            where["$or"] = [
                {**dict(zip(names[:place], after, strict=False)), names[place]: {"$lt": after[place]}}
                for place in range(len(names))
            ]
            if "key" in where["$or"][-1]:
                where = {"$and": [{"key": where.pop("key")}, where]}
        with self._db.talk() as db:
            order = [(name, -1) for name in names]
            rows = await db.messages.find(where, {"words": 0}, sort=order, limit=limit + 1).to_list()
        items = await message_rows(self._db, rows[:limit])
        last = items[-1] if len(rows) > limit else None
        following = encode_cursor("messages_of_all", last.sent_at, last.at, last.message, last.key) if last else None
        return Page(items=items, next=following)

    async def _found(self, where: Row, limit: int = 0) -> list[Contact]:
        with self._db.talk() as db:
            rows = await db.contacts.find(where, _SHOWN, sort=[("_id", 1)], limit=limit).to_list()
        return [_contact(row) for row in rows]


def _contact(row: Row) -> Contact:
    return Contact(
        id=row["_id"],
        platform=row["platform"],
        account=row["account"],
        identity=row["identity"],
        created_at=row["created_at"],
        told=_told.decode(row["told"]),
        said=_said.decode(row["said"]),
        version=row["version"],
    )


def _learned(one: Contact) -> Row:
    told = one.told
    new: Row = {
        "platform": one.platform,
        "account": one.account,
        "identity": one.identity,
        "created_at": one.created_at,
        "version": one.version,
        **_said_fields(one.said),
    }
    known: Row = {
        "told": json.encode(told).decode(),
        "seen_at": told.seen_at,
        "words": "\n".join(filter(None, (told.name, one.identity))).casefold(),
        "facts": list(dict.fromkeys(told.facts)),
        # By the codes' own names: few servers look into lists for two conditions at once.
        "spent": {currency: float(total) for currency, total in told.value.items() if currency.isalnum()},
        "spent_most": max(map(float, told.value.values()), default=-1.0),
    }
    change: Row = {"$setOnInsert": new}
    if told.key:
        known["sealed_with"] = told.key
    else:
        change["$unset"] = {"sealed_with": ""}
    return {"q": {"_id": one.id}, "u": {"$set": known, **change}, "upsert": True}


def _said_fields(said: Said) -> Row:
    merged: Row = {"merged_into": said.merged_into} if said.merged_into is not None else {}
    return {
        "said": json.encode(said).decode(),
        "label": (said.label or "").casefold(),
        "tags": list(dict.fromkeys(said.tags)),
        **merged,
    }


def _conditions(where: ContactFilter) -> list[Row]:
    parts: list[Row] = []
    for name, value in (("platform", where.platform), ("account", where.account), ("tags", where.tag)):
        if value is not None:
            parts.append({name: value})
    if where.text is not None:
        pattern: Row = {"$regex": re.escape(where.text.casefold())}
        parts.append({"$or": [{"words": pattern}, {"label": pattern}]})
    if where.facts is not None:
        parts.append({"facts": {"$in": where.facts}})
    if where.spent_from is not None:
        least: Row = {"$gte": where.spent_from}
        parts.append({"spent_most": least})
        if where.currency is not None:
            parts.append({f"spent.{where.currency}": least} if where.currency.isalnum() else {"_id": ""})
    if where.alone:
        parts.append({"merged_into": {"$exists": False}})
    return parts
