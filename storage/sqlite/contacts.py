"""Contacts: what was told of them, what people said, which are one."""

# ruff: noqa: S608 - what is put together are constants of this file; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json
from msgspec.structs import replace

from storage.contact_records import Contact, ContactFilter, NotOne, Said, Told, contact_words
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.records import AuditRow, MessageRow, Page
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.inbox import messages_numbered
from storage.sqlite.save_audit import append_audit

_told, _said = json.Decoder(Told), json.Decoder(Said)
_COLUMNS = "c.id, c.platform, c.account, c.identity, c.created_at, c.told, c.said, c.version"
_LEARN = """INSERT INTO contacts
    (id, platform, account, identity, created_at, seen_at, sealed_with, words, told, said, merged_into, version)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at,
    sealed_with = excluded.sealed_with, told = excluded.told"""


class SqliteContacts:
    """`storage.contact_ports.ContactStore`."""

    _db: Database

    async def learn_contacts(self, contacts: Sequence[Contact]) -> None:
        """Keep contacts; of one that is held already `told` alone is replaced, never what people said."""
        if contacts:
            await self._db.write(_learn, contacts)

    async def contacts_of(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts with these ids, in no order; unknown ones are absent."""
        return await self._db.read(_contacts, "WHERE c.id IN (SELECT value FROM json_each(?))", _listed(ids))

    async def merged_into(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts that point to any of these, by id."""
        which = "WHERE c.merged_into IN (SELECT value FROM json_each(?)) ORDER BY c.id"
        return await self._db.read(_contacts, which, _listed(ids))

    async def contacts_with(self, facts: Sequence[str], limit: int) -> list[Contact]:
        """Contacts with any of these facts, by id."""
        having = "SELECT contact FROM contact_facts WHERE fact IN (SELECT value FROM json_each(?))"
        which = f"WHERE c.id IN ({having}) ORDER BY c.id LIMIT ?"
        return await self._db.read(_contacts, which, _listed(facts), bounded(limit))

    async def contacts(self, where: ContactFilter, limit: int, cursor: str | None = None) -> Page[Contact]:
        """Contacts by `seen_at` descending, then id."""
        after = decode_cursor(cursor, "contacts", tuple[int, str]) if cursor else None
        return await self._db.read(_page, where, bounded(limit), after)

    async def change_contact(self, contact: Contact, audit: AuditRow, *, replaces: int) -> bool:
        """Replace what people said of a contact whose `version` is `replaces`; False when it is not."""
        return await self._db.write(_change, contact, audit, replaces)

    async def forget_contact(self, contact_id: str) -> bool:
        """Forget a contact; of those that pointed to it the oldest takes its place."""
        return await self._db.write(_forget, contact_id)

    async def say_not_one(self, said: NotOne, audit: AuditRow) -> None:
        """Keep that two contacts are not one person, with its audit row; said again it changes nothing."""
        await self._db.write(_say_not_one, said, audit)

    async def not_one(self, ids: Sequence[str]) -> list[NotOne]:
        """What was said of pairs with any of these contacts."""
        return await self._db.read(_not_one, _listed(ids))

    async def contacts_sealed_otherwise(self, key: str, limit: int, after: str = "") -> list[Contact]:
        """Contacts whose sealed values need another key than this, by id, those with id > after."""
        which = "WHERE c.sealed_with IS NOT NULL AND c.sealed_with <> ? AND c.id > ? ORDER BY c.id LIMIT ?"
        return await self._db.read(_contacts, which, key, after, bounded(limit))

    async def messages_of_all(self, keys: Sequence[str], limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of several conversations as one list, the latest first; merged duplicates left out."""
        after = decode_cursor(cursor, "messages_of_all", tuple[int, int, str, str]) if cursor else None
        return await self._db.read(_messages_of_all, keys, bounded(limit), after)


def _listed(values: Sequence[str]) -> str:
    return json.encode(list(values)).decode()


def _contacts(connection: Connection, which: str, *values: Any) -> list[Contact]:
    return [_contact(row) for row in read_rows(connection, _COLUMNS, f"FROM contacts c {which}", values)]


def _contact(row: list[Any]) -> Contact:
    id_, platform, account, identity, created_at, told, said, version = row[:8]
    return Contact(
        id=id_,
        platform=platform,
        account=account,
        identity=identity,
        created_at=created_at,
        told=_told.decode(told),
        said=_said.decode(said),
        version=version,
    )


def _learn(connection: Connection, contacts: Sequence[Contact]) -> None:
    for one in contacts:
        told, said = json.encode(one.told).decode(), json.encode(one.said).decode()
        place = (one.id, one.platform, one.account, one.identity, one.created_at)
        words, sealed_with = contact_words(one), one.told.key or None
        rest = (one.told.seen_at, sealed_with, words, told, said, one.said.merged_into, one.version)
        connection.execute(_LEARN, (*place, *rest))
        held = _contacts(connection, "WHERE c.id = ?", one.id)[0]
        connection.execute("UPDATE contacts SET words = ? WHERE id = ?", (contact_words(held), one.id))
        connection.execute("DELETE FROM contact_facts WHERE contact = ?", (one.id,))
        facts = [(fact, one.id) for fact in dict.fromkeys(one.told.facts)]
        connection.executemany("INSERT INTO contact_facts (fact, contact) VALUES (?, ?)", facts)
        connection.execute("DELETE FROM contact_values WHERE contact = ?", (one.id,))
        values = [(currency, float(total), one.id) for currency, total in one.told.value.items()]
        connection.executemany("INSERT INTO contact_values (currency, total, contact) VALUES (?, ?, ?)", values)


def _page(connection: Connection, where: ContactFilter, limit: int, after: tuple[int, str] | None) -> Page[Contact]:
    parts: list[str] = []
    values: list[Any] = []

    def asked(part: str, *bound: Any) -> None:
        parts.append(part)
        values.extend(bound)

    if where.platform is not None:
        asked("c.platform = ?", where.platform)
    if where.account is not None:
        asked("c.account = ?", where.account)
    if where.tag is not None:
        asked("c.id IN (SELECT contact FROM contact_tags WHERE tag = ?)", where.tag)
    if where.text is not None:
        asked("instr(c.words, ?)", where.text.casefold())
    if where.facts is not None:
        having = "SELECT contact FROM contact_facts WHERE fact IN (SELECT value FROM json_each(?))"
        asked(f"c.id IN ({having})", _listed(where.facts))
    if where.spent_from is not None:
        spent = "SELECT contact FROM contact_values WHERE total >= ? AND currency = coalesce(?, currency)"
        asked(f"c.id IN ({spent})", where.spent_from, where.currency)
    if where.alone:
        asked("c.merged_into IS NULL")
    if after:
        asked("(c.seen_at < ? OR (c.seen_at = ? AND c.id > ?))", after[0], *after)
    condition = f"WHERE {' AND '.join(parts)}" if parts else ""
    found = _contacts(connection, f"{condition} ORDER BY c.seen_at DESC, c.id LIMIT ?", *values, limit + 1)
    items = found[:limit]
    more = len(found) > limit
    return Page(items=items, next=encode_cursor("contacts", items[-1].told.seen_at, items[-1].id) if more else None)


def _change(connection: Connection, contact: Contact, audit: AuditRow, replaces: int) -> bool:
    said = contact.said
    done = connection.execute(
        "UPDATE contacts SET said = ?, words = ?, merged_into = ?, version = ? WHERE id = ? AND version = ?",
        (
            json.encode(said).decode(), contact_words(contact), said.merged_into, contact.version,
            contact.id, replaces,
        ),
    )  # fmt: skip
    if not done.rowcount:
        return False
    connection.execute("DELETE FROM contact_tags WHERE contact = ?", (contact.id,))
    tags = [(tag, contact.id) for tag in dict.fromkeys(said.tags)]
    connection.executemany("INSERT INTO contact_tags (tag, contact) VALUES (?, ?)", tags)
    append_audit(connection, audit)
    return True


def _forget(connection: Connection, contact_id: str) -> bool:
    held = _contacts(connection, "WHERE c.id = ?", contact_id)
    if not held:
        return False
    children = _contacts(connection, "WHERE c.merged_into = ?", contact_id)
    for child in sorted(children, key=lambda one: (one.created_at, one.id)):
        heir = min(children, key=lambda one: (one.created_at, one.id))
        above = held[0].said.merged_into if child is heir else heir.id
        said = replace(child.said, merged_into=above)
        connection.execute(
            "UPDATE contacts SET said = ?, merged_into = ?, version = version + 1 WHERE id = ?",
            (json.encode(said).decode(), above, child.id),
        )
    for table in ("contact_facts", "contact_values", "contact_tags"):
        connection.execute(f"DELETE FROM {table} WHERE contact = ?", (contact_id,))
    connection.execute("DELETE FROM contact_pairs WHERE first = ?1 OR second = ?1", (contact_id,))
    connection.execute("DELETE FROM contacts WHERE id = ?", (contact_id,))
    return True


def _say_not_one(connection: Connection, said: NotOne, audit: AuditRow) -> None:
    sql = "INSERT INTO contact_pairs (first, second, at, who) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    if connection.execute(sql, (said.first, said.second, said.at, said.who)).rowcount:
        append_audit(connection, audit)


def _not_one(connection: Connection, ids: str) -> list[NotOne]:
    source = """FROM contact_pairs WHERE first IN (SELECT value FROM json_each(?1))
        OR second IN (SELECT value FROM json_each(?1)) ORDER BY first, second"""
    rows = read_rows(connection, "first, second, at, who", source, (ids,))
    return [NotOne(first=first, second=second, at=at, who=who) for first, second, at, who in rows]


def _messages_of_all(
    connection: Connection, keys: Sequence[str], limit: int, after: tuple[int, int, str, str] | None
) -> Page[MessageRow]:
    # Each conversation's part is chosen within the index: no text is read to be sorted.
    more = "AND m.sent_at <= ? AND (m.sent_at, m.at, m.message, k.key) < (?, ?, ?, ?)" if after else ""
    source = f"""FROM conversation_keys k CROSS JOIN messages m INDEXED BY messages_by_id ON m.conversation = k.id
        WHERE k.key IN (SELECT value FROM json_each(?)) AND m.merged_into IS NULL {more}
        ORDER BY m.sent_at DESC, m.at DESC, m.message DESC, k.key DESC LIMIT ?"""
    values = (_listed(keys), *((after[0], *after) if after else ()), limit + 1)
    numbers = [row[0] for row in read_rows(connection, "m.id", source, values)]
    rows = messages_numbered(connection, numbers[:limit])
    items = [rows[number] for number in numbers[:limit]]
    last = items[-1] if len(numbers) > limit else None
    following = encode_cursor("messages_of_all", last.sent_at, last.at, last.message, last.key) if last else None
    return Page(items=items, next=following)
