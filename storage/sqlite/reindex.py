"""The search index made anew from what is stored, when a migration changes what an entry is."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from actors.events import Message
from actors.keys import split_key
from storage.sqlite.save_progress import versions
from storage.sqlite.search_index import TABLE, Entry, conversation_entry, message_entry, put_entries

CHUNK = 5_000

_event = json.Decoder(Message)
_MESSAGES = """SELECT id, conversation, channel, message, at, edited, event FROM messages
    WHERE id > ? ORDER BY id LIMIT ?"""
_CONVERSATIONS = "SELECT id, key FROM conversation_keys WHERE id > ? ORDER BY id LIMIT ?"


def rebuild_search(connection: Connection) -> None:
    """Index every message and conversation again; takes about a minute a million messages."""
    connection.execute("DROP TABLE IF EXISTS search")
    for statement in TABLE:
        connection.execute(statement)
    last = 0
    while rows := connection.execute(_MESSAGES, (last, CHUNK)).fetchall():
        put_entries(connection, [_entry(connection, *row) for row in rows])
        last = rows[-1][0]
    last = 0
    while rows := connection.execute(_CONVERSATIONS, (last, CHUNK)).fetchall():
        put_entries(connection, [conversation_entry(number, split_key(key)[-1]) for number, key in rows])
        last = rows[-1][0]


def _entry(
    connection: Connection,
    row: int,
    conversation: int,
    channel: int,
    message: str,
    at: int,
    edited: int | None,
    body: str,
) -> Entry:
    changes = versions(connection, conversation, message, at) if edited is not None else []
    texts = [text for _, what, text in changes if what == "edited"]
    return message_entry(row, conversation, channel, _event.decode(body), texts)
