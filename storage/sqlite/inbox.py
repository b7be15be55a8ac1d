"""Conversations, messages, search."""

# ruff: noqa: S608 - what is put together are constants of this file; every value is bound

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json

from actors.events import Message
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.message_rows import Fate, message_row
from storage.records import ConversationFilter, ConversationRow, MessageRow, Page
from storage.sqlite.bulk import read_chunks, read_rows
from storage.sqlite.connection import Database
from storage.sqlite.conversation_rows import COLUMNS, conversation_rows
from storage.sqlite.conversation_search import Conditions, newest_found
from storage.sqlite.save_progress import HOPS
from storage.sqlite.scope import Condition, add_labels, add_scope
from storage.sqlite.search import id_expression, match_expression
from storage.sqlite.search_index import OF_ENTRY
from storage.texts import order_key

_event = json.Decoder(Message)

_MESSAGE = (
    "k.key, m.id, m.conversation, m.message, m.sent_at, m.at, m.delay, m.merged_into, m.partition, m.stored_at,"
    " m.copies, m.event, " + ", ".join(f"m.{hop}" for hop in HOPS)
)
_MESSAGES = "FROM messages m CROSS JOIN conversation_keys k ON k.id = m.conversation"
_FOUND = f"""SELECT DISTINCT m.conversation AS id FROM search f
    CROSS JOIN messages m INDEXED BY messages_by_time ON {OF_ENTRY} WHERE f.search MATCH ?"""
_NEWEST = "ORDER BY c.last_at DESC, c.id DESC LIMIT ?"
_OF_KEY = "m.conversation = (SELECT id FROM conversation_keys WHERE key = ?)"


class SqliteInbox:
    """`storage.ports.InboxStore`."""

    _db: Database

    async def conversations(
        self, where: ConversationFilter, limit: int, cursor: str | None = None
    ) -> Page[ConversationRow]:
        """Conversations by last_at descending."""
        after = decode_cursor(cursor, "conversations", tuple[int, int]) if cursor else None
        read = self._db.read if where.q is None else self._db.search
        return await read(_conversations, where, bounded(limit), after)

    async def conversation(self, key: str) -> ConversationRow | None:
        """One conversation."""
        return await self._db.read(_conversation, key)

    async def messages(self, key: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of a conversation by sent_at, then at, then id, ascending; merged duplicates left out."""
        after = decode_cursor(cursor, "messages", tuple[int, int, str]) if cursor else None
        return await self._db.read(_messages, key, bounded(limit), after)

    async def latest_messages(
        self, key: str, limit: int, before: tuple[int, int, str] | None = None
    ) -> list[MessageRow]:
        """The last messages of a conversation in the order of `messages`, the last one first; those before `before`."""
        return await self._db.read(_latest_messages, key, bounded(limit), before)

    async def messages_since(self, key: str, since: int, limit: int) -> list[MessageRow]:
        """Messages of a conversation with at >= `since`, by `at`, then id, ascending; merged duplicates left out."""
        return await self._db.read(_messages_since, key, since, bounded(limit))

    async def message(self, key: str, message: str) -> MessageRow | None:
        """One message, merged ones too; the latest of that id."""
        return await self._db.read(_message, key, message)

    async def messages_of_id(self, message: str, limit: int) -> list[MessageRow]:
        """Messages with exactly this id, one a conversation, the latest first; found by the search index."""
        return await self._db.read(_messages_of_id, message, bounded(limit))

    async def channel_messages(self, channel: str, limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """The latest messages of a channel by observed time; merged ones too."""
        after = decode_cursor(cursor, "channel_messages", tuple[int]) if cursor else None
        return await self._db.read(_channel_messages, channel, bounded(limit), after)

    async def counts(self) -> dict[str, dict[str, int]]:
        """Per channel key: `stored`, `merged`, `conversations`, and what `prune` forgot of the first two."""
        return await self._db.read(_counts)


def _conversations(
    connection: Connection, where: ConversationFilter, limit: int, after: tuple[int, int] | None
) -> Page[ConversationRow]:
    names = {
        "platform": "platform",
        "account": "account",
        "assignee": "assignee",
        "sla": "sla",
        "contact": "contact_id",
    }
    condition = Condition()
    for name, column in names.items():
        if (value := getattr(where, name)) is not None:
            condition.add(f"c.{column} = ?", value)
    if where.status is not None:
        condition.add("CASE WHEN c.closed THEN 'closed' ELSE 'open' END = ?", where.status)
    if where.order is not None:
        condition.add("c.id IN (SELECT conversation FROM orders WHERE order_id = ?)", order_key(where.order))
    if where.label is not None:
        add_labels(condition, where.label)
    if where.sensitive is not None:
        condition.add(f"c.sensitive = {int(where.sensitive)}")
    add_scope(condition, where.scope)
    if where.q is not None:
        expression = match_expression(where.q)
        if expression is None:
            return Page(items=[])
        found = newest_found(connection, expression, Conditions(condition.parts, condition.values, after), limit + 1)
        condition, after = Condition(), None
        condition.add("c.id IN (SELECT value FROM json_each(?))", json.encode(found).decode())
    if after:
        condition.add("(c.last_at, c.id) < (?, ?)", *after)
    rows = read_rows(
        connection,
        COLUMNS,
        f"FROM conversations c CROSS JOIN conversation_keys k ON k.id = c.id WHERE {condition.text} {_NEWEST}",
        [*condition.values, limit + 1],
    )
    items = conversation_rows(connection, rows[:limit])
    more = len(rows) > limit
    return Page(
        items=items, next=encode_cursor("conversations", items[-1].last_at, rows[limit - 1][-1]) if more else None
    )


def _conversation(connection: Connection, key: str) -> ConversationRow | None:
    source = "FROM conversation_keys k CROSS JOIN conversations c ON c.id = k.id WHERE k.key = ?"
    rows = read_rows(connection, COLUMNS, source, (key,))
    return conversation_rows(connection, rows)[0] if rows else None


def _messages(connection: Connection, key: str, limit: int, after: tuple[int, int, str] | None) -> Page[MessageRow]:
    values: list[Any] = [key]
    more = ""
    if after:
        more = "AND m.sent_at >= ? AND (m.sent_at, m.at, m.message) > (?, ?, ?)"
        values += [after[0], *after]
    # The page is chosen within the index, so that a long conversation's texts are not read to be sorted.
    order = "ORDER BY m.sent_at, m.at, m.message"
    page = f"""SELECT m.id FROM messages m INDEXED BY messages_by_id
        WHERE {_OF_KEY} AND m.merged_into IS NULL {more} {order} LIMIT ?"""
    keys = "conversation_keys k ON k.id = m.conversation"
    source = f"FROM ({page}) p CROSS JOIN messages m ON m.id = p.id CROSS JOIN {keys} {order}"
    rows = read_rows(connection, _MESSAGE, source, [*values, limit + 1])
    items = _message_rows(connection, rows[:limit])
    last = items[-1] if len(rows) > limit else None
    return Page(items=items, next=encode_cursor("messages", last.sent_at, last.at, last.message) if last else None)


def _latest_messages(
    connection: Connection, key: str, limit: int, before: tuple[int, int, str] | None
) -> list[MessageRow]:
    bound = "AND (m.sent_at, m.at, m.message) < (?, ?, ?)" if before else ""
    order = "ORDER BY m.sent_at DESC, m.at DESC, m.message DESC"
    return _chosen(connection, bound, order, key, *(before or ()), limit)


def _messages_since(connection: Connection, key: str, since: int, limit: int) -> list[MessageRow]:
    return _chosen(connection, "AND m.at >= ?", "ORDER BY m.at, m.message", key, since, limit)


def _chosen(connection: Connection, bound: str, order: str, *values: Any) -> list[MessageRow]:
    """Messages of a conversation that are chosen within the index, so that texts of others are not read."""
    page = f"""SELECT m.id FROM messages m INDEXED BY messages_by_id
        WHERE {_OF_KEY} AND m.merged_into IS NULL {bound} {order} LIMIT ?"""
    keys = "conversation_keys k ON k.id = m.conversation"
    source = f"FROM ({page}) p CROSS JOIN messages m ON m.id = p.id CROSS JOIN {keys} {order}"
    return _message_rows(connection, read_rows(connection, _MESSAGE, source, values))


def _message(connection: Connection, key: str, message: str) -> MessageRow | None:
    source = f"{_MESSAGES} WHERE {_OF_KEY} AND m.message = ? ORDER BY m.at DESC LIMIT 1"
    rows = read_rows(connection, _MESSAGE, source, (key, message))
    return _message_rows(connection, rows)[0] if rows else None


def _messages_of_id(connection: Connection, message: str, limit: int) -> list[MessageRow]:
    expression = id_expression(message)
    if expression is None:
        return []
    latest = """(SELECT l.id FROM messages l WHERE l.conversation = f.id AND l.message = ?
        ORDER BY l.at DESC, l.id DESC LIMIT 1)"""
    source = f"""FROM ({_FOUND}) f CROSS JOIN messages m ON m.id = {latest}
        CROSS JOIN conversation_keys k ON k.id = m.conversation ORDER BY m.at DESC, m.id DESC LIMIT ?"""
    return _message_rows(connection, read_rows(connection, _MESSAGE, source, (expression, message, limit)))


def _channel_messages(connection: Connection, channel: str, limit: int, after: tuple[int] | None) -> Page[MessageRow]:
    # A channel's messages are stored in the order of their observed time, so their row numbers are that order.
    more = "AND m.id < ?" if after else ""
    place = f"m.channel = (SELECT id FROM channels WHERE key = ?) {more}"
    source = f"{_MESSAGES} WHERE {place} ORDER BY m.id DESC LIMIT ?"
    rows = read_rows(connection, _MESSAGE, source, [channel, *(after or ()), limit + 1])
    following = encode_cursor("channel_messages", rows[limit - 1][1]) if len(rows) > limit else None
    return Page(items=_message_rows(connection, rows[:limit]), next=following)


def _message_rows(connection: Connection, rows: list[list[Any]]) -> list[MessageRow]:
    identities: list[tuple[Any, ...]] = [(row[2], row[3]) for row in rows]
    fates: dict[tuple[int, str], dict[str, Fate]] = {}
    for number, message, attachment, status, at, detail in read_chunks(connection, _FATES, identities):
        fates.setdefault((number, message), {})[attachment] = (status, at, detail)
    changes: dict[tuple[int, str], list[tuple[int, str, str | None]]] = {}
    for number, message, at, what, text in read_chunks(connection, _CHANGES, identities):
        changes.setdefault((number, message), []).append((at, what, text))
    return [_message_row(row, fates.get((row[2], row[3]), {}), changes.get((row[2], row[3]), [])) for row in rows]


_FATES = """WITH w (conversation, message) AS (VALUES {rows})
    SELECT json_group_array(json_array(a.conversation, a.message, a.attachment, a.status, a.at, a.detail))
    FROM w CROSS JOIN attachments a ON a.conversation = w.conversation AND a.message = w.message"""
_CHANGES = """WITH w (conversation, message) AS (VALUES {rows})
    SELECT json_group_array(json_array(conversation, message, at, what, text)) FROM (SELECT v.* FROM w
        CROSS JOIN versions v ON v.conversation = w.conversation AND v.message = w.message ORDER BY v.id)"""


def _message_row(row: list[Any], fates: dict[str, Fate], changes: list[tuple[int, str, str | None]]) -> MessageRow:
    key, _, _, _, _, at, delay, merged_into, partition, stored_at, copies, body, *times = row
    return message_row(
        key, _event.decode(body), at=at, delay=delay, merged_into=merged_into, partition=partition,
        stored_at=stored_at, copies=copies, fates=fates, changes=changes,
        hops={hop: time for hop, time in zip(HOPS, times, strict=True) if time is not None},
    )  # fmt: skip


def messages_numbered(connection: Connection, numbers: Sequence[int]) -> dict[int, MessageRow]:
    """Messages by their row numbers; what is not there is absent."""
    wanted = json.encode(list(numbers)).decode()
    source = f"{_MESSAGES} WHERE m.id IN (SELECT value FROM json_each(?))"
    rows = read_rows(connection, _MESSAGE, source, (wanted,))
    return dict(zip([row[1] for row in rows], _message_rows(connection, rows), strict=True))


def _counts(connection: Connection) -> dict[str, dict[str, int]]:
    held = _by_channel(connection, "FROM messages INDEXED BY messages_by_sent_at GROUP BY channel")
    merged = _by_channel(
        connection, "FROM messages INDEXED BY messages_merged WHERE merged_into IS NOT NULL GROUP BY channel"
    )
    conversations = _by_channel(connection, "FROM conversations JOIN conversation_keys USING (id) GROUP BY channel")
    return {
        key: {
            "stored": held.get(number, 0) - merged.get(number, 0),
            "merged": merged.get(number, 0),
            "conversations": conversations.get(number, 0),
            "pruned": pruned,
            "pruned_merged": pruned_merged,
        }
        for number, key, pruned, pruned_merged in read_rows(
            connection, "id, key, pruned, pruned_merged", "FROM channels ORDER BY key"
        )
    }


def _by_channel(connection: Connection, source: str) -> dict[int, int]:
    return dict(map(tuple, read_rows(connection, "channel, count(*) AS n", source)))
