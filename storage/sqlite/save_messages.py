"""Messages and their search entries: the bulk of every flush."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from msgspec import json

from actors.effects import MessageStored
from actors.keys import split_key
from storage.drafts import ID_LIFE_MS
from storage.sqlite.bulk import read_chunks, write_rows
from storage.sqlite.search_index import Entry, conversation_entry, message_entry, put_entries
from storage.texts import order_key

_json = json.Encoder()

_INSERT = """INSERT INTO messages (id, conversation, channel, message, sent_at, at, delay, merged_into, partition,
    stored_at, event) VALUES {rows}"""
_HELD = """WITH wanted (conversation, message) AS (VALUES {rows})
    SELECT json_group_array(json_array(m.conversation, m.message, m.at))
    FROM wanted w CROSS JOIN messages m ON m.conversation = w.conversation AND m.message = w.message"""


def save_messages(
    connection: Connection,
    effects: list[MessageStored],
    known: dict[str, tuple[int, int]],
    new: dict[int, str],
    partition: int,
    stored_at: int,
) -> list[MessageStored]:
    """Insert the messages not yet held and give those back."""
    held = _held(connection, effects, known, new)
    first: int = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0] + 1
    stored: list[MessageStored] = []
    rows: list[tuple[object, ...]] = []
    entries: list[Entry] = []
    orders: set[tuple[str, int]] = set()
    for effect in effects:
        event = effect.event
        conversation, channel = known[effect.key]
        identity = (conversation, event.message)
        at = effect.at
        before = held.get(identity)
        if before is not None and at - before <= ID_LIFE_MS:
            continue
        held[identity] = at
        row = first + len(rows)
        body = _json.encode(event).decode()
        rows.append(
            (
                row,
                conversation,
                channel,
                event.message,
                event.sent_at,
                at,
                effect.delay,
                effect.merged_into,
                partition,
                stored_at,
                body,
            )
        )
        entries.append(message_entry(row, conversation, channel, event))
        if event.order:
            orders.add((order_key(event.order), conversation))
        stored.append(effect)
    write_rows(connection, _INSERT, rows)
    entries += _conversation_entries(new)
    put_entries(connection, entries)
    write_rows(
        connection, "INSERT INTO orders (order_id, conversation) VALUES {rows} ON CONFLICT DO NOTHING", sorted(orders)
    )
    return stored


def _held(
    connection: Connection, effects: Iterable[MessageStored], known: dict[str, tuple[int, int]], new: dict[int, str]
) -> dict[tuple[int, str], int]:
    """When each of these ids was stored last, of those that were; conversations of this batch hold none."""
    wanted = [
        (conversation, effect.event.message) for effect in effects if (conversation := known[effect.key][0]) not in new
    ]
    found: dict[tuple[int, str], int] = {}
    for conversation, message, at in read_chunks(connection, _HELD, wanted):
        identity = (conversation, message)
        found[identity] = max(at, found.get(identity, at))
    return found


def _conversation_entries(new: dict[int, str]) -> list[Entry]:
    """A conversation is found by its id too."""
    return [conversation_entry(number, split_key(key)[-1]) for number, key in new.items()]
