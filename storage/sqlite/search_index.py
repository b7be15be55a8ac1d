"""The search index: one entry a message, in the order of time, and one for each conversation's id.

An entry's number begins with when the message was sent, so that a walk from the end meets the newest first, whatever
is asked for and however many messages have it; hits are never gathered to be sorted. Beside the words an entry holds
its facets (conversation, channel, direction), so that a rare facet of a frequent word is an intersection within the
index too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import TypeAlias

from actors.events import Message
from storage.sqlite.bulk import write_rows
from storage.texts import document, folded

Entry: TypeAlias = tuple[int, str, str, str, str]
"""(number, text, ids, sender, facets)."""

ID_BITS = 21
"""Two million messages sent within one millisecond have numbers of their own; 42 bits of time last until 2109."""
ID_MASK = (1 << ID_BITS) - 1
LATEST = (1 << 63 - ID_BITS) - 1
END = (1 << 63) - 1
"""Behind every entry."""

TABLE: tuple[str, ...] = (
    """CREATE VIRTUAL TABLE search USING fts5 (
        text, ids, sender, facets, content = '', columnsize = 0,
        tokenize = "unicode61 remove_diacritics 2 categories 'L* M* N* Co So'")""",
    "INSERT INTO search (search, rank) VALUES ('hashsize', 16777216)",
    "INSERT INTO search (search, rank) VALUES ('automerge', 8)",
)

BY_TIME = "CREATE INDEX messages_by_time ON messages (sent_at, id, conversation, merged_into)"
"""Leads from an entry to its message; traffic appends to its end."""
OF_ENTRY = f"m.sent_at = f.rowid >> {ID_BITS} AND m.id & {ID_MASK} = f.rowid & {ID_MASK}"
"""Joins the message `m` to the entry `f`, by the index above."""

_INSERT = "INSERT INTO search (rowid, text, ids, sender, facets) VALUES {rows}"
_FORGET = "INSERT INTO search (search, rowid, text, ids, sender, facets) VALUES ('delete', ?, ?, ?, ?, ?)"


def number_at(sent_at: int) -> int:
    """The lowest number of a message sent at this instant (ms)."""
    return min(max(sent_at, 0), LATEST) << ID_BITS


def message_entry(row: int, conversation: int, channel: int, event: Message, later: Iterable[str | None] = ()) -> Entry:
    """The entry of the message with this row number, its text with all `later` versions."""
    text, ids, sender = document(event, later)
    facets = f"{conversation_facet(conversation)} {channel_facet(channel)} {direction_facet(event.direction)}"
    return number_at(event.sent_at) | row & ID_MASK, text, ids, sender, facets


def conversation_entry(conversation: int, name: str) -> Entry:
    """The entry by which a conversation is found by its platform's id; below all messages."""
    return -conversation, "", folded(name), "", conversation_facet(conversation)


def conversation_facet(number: int) -> str:
    """The facet of every message of a conversation."""
    return f"k{number}"


def channel_facet(number: int) -> str:
    """The facet of every message of a channel."""
    return f"c{number}"


def direction_facet(direction: str) -> str:
    """The facet of every message of a direction, `in` or `out`."""
    return f"d{direction}"


def put_entries(connection: Connection, entries: Sequence[Entry]) -> None:
    """Index these."""
    # FTS5 writes its buffer out whenever a number goes back.
    write_rows(connection, _INSERT, sorted(entries))


def forget_entry(connection: Connection, entry: Entry) -> None:
    """Take an entry out; it must be the one that was put, word by word, for the index holds no texts."""
    connection.execute(_FORGET, entry)
