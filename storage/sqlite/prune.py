"""Forgetting what is old, a few hundred rows a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from sqlite3 import Connection

from msgspec import json

from actors.events import Message
from actors.state import WEEK
from storage.records import MessageRow
from storage.sqlite.inbox import messages_numbered
from storage.sqlite.save_progress import versions
from storage.sqlite.search_index import Entry, forget_entry, message_entry

CHUNK = 500
MINUTE_MS = 60_000
DAY_MS = 86_400_000

_event = json.Decoder(Message)

OldRow = tuple[int, int, str, int, int, str, int]
"""(row number, conversation's number, message, whether merged, at, event, channel's number)."""

_CLOCKS = """DELETE FROM sla WHERE (conversation, ordinal) IN (SELECT conversation, ordinal FROM sla
    WHERE (answered_at IS NOT NULL OR stopped) AND max(due_at, coalesce(answered_at, 0)) < ? LIMIT ?)"""
_ANOMALIES = """DELETE FROM anomalies WHERE id IN (SELECT id FROM anomalies
    WHERE opened_at < ?1 AND status = 'resolved' AND coalesce(resolved_at, opened_at) < ?1 LIMIT ?2)"""
# The text of a message that stays is not worth reading.
_OLDEST = """SELECT id, conversation, message, merged_into IS NOT NULL, at, CASE WHEN at < ? THEN event END,
    channel FROM messages INDEXED BY messages_by_channel WHERE channel = ? ORDER BY id LIMIT ?"""
_MINUTES = (
    """DELETE FROM minutes WHERE (minute, channel) IN (SELECT minute, channel FROM minutes WHERE minute < ? LIMIT ?)"""
)
# By the time of the partition, which may be far behind the clock: a key is needed for a week of it.
_KEYS = """DELETE FROM event_keys WHERE (partition, at, channel, label) IN (
    SELECT k.partition, k.at, k.channel, k.label FROM marks m CROSS JOIN event_keys k ON k.partition = m.partition
    WHERE k.at < m.time - ? LIMIT ?)"""
_REPLIES = "DELETE FROM replies WHERE id IN (SELECT id FROM replies WHERE ended_at < ? LIMIT ?)"
_JOBS = "DELETE FROM jobs WHERE (kind, id) IN (SELECT kind, id FROM jobs WHERE failed_at < ? LIMIT ?)"
_ORDERS = """DELETE FROM shop_orders WHERE (platform, account, id) IN (
    SELECT platform, account, id FROM shop_orders WHERE updated_at < ? LIMIT ?)"""
_NOTES = "DELETE FROM notes WHERE id IN (SELECT id FROM notes WHERE at < ? LIMIT ?)"
_DRAFTS = "DELETE FROM drafts WHERE (user, key) IN (SELECT user, key FROM drafts WHERE changed_at < ? LIMIT ?)"
# By the newest one's time: a clock that was set wrong once forgets nothing that is still waited for.
_PARKED = """DELETE FROM parked WHERE (platform, account, id) IN (SELECT platform, account, id FROM parked
    WHERE at < (SELECT max(at) FROM parked) - ? LIMIT ?)"""
# Of two lives of an id the later one keeps its company.
_COMPANY = (
    """DELETE FROM versions WHERE conversation = ?1 AND message = ?2
    AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = ?1 AND message = ?2)""",
    """DELETE FROM attachments WHERE conversation = ?1 AND message = ?2
    AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = ?1 AND message = ?2)""",
)


def prune_messages(connection: Connection, before: int) -> int:
    """Forget the oldest messages of the first channel that has some; to be repeated until it deletes nothing more."""
    return _forget(connection, *_oldest(connection, before))


def messages_to_archive(connection: Connection, before: int) -> dict[int, MessageRow]:
    """The messages that are next to be forgotten, whole, by row number."""
    _, old = _oldest(connection, before)
    return messages_numbered(connection, [row[0] for row in old])


def prune_archived(connection: Connection, before: int, archived: dict[int, MessageRow]) -> int:
    """Forget what was archived, but for messages that were told something new since: those are archived again."""
    channel, old = _oldest(connection, before)
    now = messages_numbered(connection, [row[0] for row in old])
    return _forget(connection, channel, [row for row in old if now[row[0]] == archived.get(row[0])])


def prune_chunks(before: int) -> Iterator[Callable[[Connection], int]]:
    """All but messages: jobs to be repeated, each in its own transaction, until it deletes nothing more."""
    yield partial(_prune_rows, sql=_MINUTES, before=before // MINUTE_MS)
    for sql in (_ANOMALIES, _CLOCKS, _REPLIES, _JOBS, _ORDERS, _NOTES, _DRAFTS):
        yield partial(_prune_rows, sql=sql, before=before)
    yield partial(_prune_rows, sql=_KEYS, before=WEEK)
    yield partial(_prune_rows, sql=_PARKED, before=DAY_MS)


def _prune_rows(connection: Connection, sql: str, before: int) -> int:
    return connection.execute(sql, (before, CHUNK)).rowcount


def _oldest(connection: Connection, before: int) -> tuple[int, list[OldRow]]:
    """The first channel that has old messages, with its oldest: in a channel, rows are in the order of time."""
    for (channel,) in connection.execute("SELECT id FROM channels ORDER BY id").fetchall():
        old = [row for row in connection.execute(_OLDEST, (before, channel, CHUNK)) if row[4] < before]
        if old:
            return channel, old
    return 0, []


def _forget(connection: Connection, channel: int, rows: list[OldRow]) -> int:
    if rows:
        _delete_messages(connection, rows)
        merged = sum(row[3] for row in rows)
        connection.execute(
            "UPDATE channels SET pruned = pruned + ?, pruned_merged = pruned_merged + ? WHERE id = ?",
            (len(rows) - merged, merged, channel),
        )
    return len(rows)


def _delete_messages(connection: Connection, rows: list[OldRow]) -> None:
    for entry in sorted(_entry(connection, row) for row in rows):
        forget_entry(connection, entry)
    identities = [(row[1], row[2]) for row in rows]
    connection.executemany("DELETE FROM messages WHERE id = ?", [(row[0],) for row in rows])
    for sql in _COMPANY:
        connection.executemany(sql, identities)
    lost: dict[int, int] = {}
    for row in rows:
        lost[row[1]] = lost.get(row[1], 0) + (0 if row[3] else 1)
    connection.executemany(
        "UPDATE conversations SET messages = messages - ? WHERE id = ?",
        [(count, number) for number, count in lost.items()],
    )
    gone = [(number,) for number in lost if not _holds_messages(connection, number)]
    connection.executemany("DELETE FROM conversations WHERE id = ?", gone)
    connection.executemany("DELETE FROM orders WHERE conversation = ?", gone)
    connection.executemany("DELETE FROM conversation_labels WHERE conversation = ?", gone)


def _holds_messages(connection: Connection, conversation: int) -> bool:
    sql = "SELECT 1 FROM messages WHERE conversation = ? AND merged_into IS NULL LIMIT 1"
    return connection.execute(sql, (conversation,)).fetchone() is not None


def _entry(connection: Connection, row: OldRow) -> Entry:
    number, conversation, message, _, at, body, channel = row
    texts = [text for _, what, text in versions(connection, conversation, message, at) if what == "edited"]
    return message_entry(number, conversation, channel, _event.decode(body), texts)
