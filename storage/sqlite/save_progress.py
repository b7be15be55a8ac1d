"""How far messages came: hops, new versions, attachments, copies."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection
from typing import get_args

from msgspec import json

from actors.effects import AttachmentChanged, Hop, HopReached, MessageRepeated
from actors.events import Message
from storage.drafts import PREVIEW
from storage.message_rows import is_kept, kept_detail
from storage.sqlite.bulk import write_rows
from storage.sqlite.search_index import forget_entry, message_entry, put_entries

HOPS: tuple[str, ...] = get_args(Hop)
"""Each has a column of messages."""

_event = json.Decoder(Message)

# A hop belongs to the newest message of that id; the time it was first reached stays.
_HOP = """WITH v (conversation, message, at) AS (VALUES {rows})
    UPDATE messages SET HOP = coalesce(HOP, v.at) FROM v WHERE messages.id = (SELECT m.id FROM messages m
        WHERE m.conversation = v.conversation AND m.message = v.message ORDER BY m.at DESC LIMIT 1)"""
_COPIES = _HOP.replace("HOP = coalesce(HOP, v.at)", "copies = copies + v.at")


def save_repeats(connection: Connection, repeats: Iterable[MessageRepeated], known: dict[str, tuple[int, int]]) -> None:
    """Count what was delivered again."""
    counts: dict[tuple[int, str], int] = {}
    for effect in repeats:
        identity = (known[effect.key][0], effect.message)
        counts[identity] = counts.get(identity, 0) + 1
    write_rows(connection, _COPIES, [(*identity, count) for identity, count in counts.items()])


def save_hops(connection: Connection, hops: Iterable[HopReached], known: dict[str, tuple[int, int]]) -> None:
    """Note the first time of each hop; keep every version of a text."""
    first: dict[str, dict[tuple[int, str], int]] = {}
    for effect in hops:
        number = known[effect.key][0]
        first.setdefault(effect.hop, {}).setdefault((number, effect.message), effect.at)
        if is_kept(effect):
            _save_version(connection, number, effect)
    for hop, times in first.items():
        write_rows(connection, _HOP.replace("HOP", hop), [(*identity, at) for identity, at in times.items()])


def save_attachments(
    connection: Connection, effects: Iterable[AttachmentChanged], known: dict[str, tuple[int, int]]
) -> None:
    """The latest fate of each attachment."""
    latest = {(known[e.key][0], e.message, e.attachment): (e.status, e.at, kept_detail(e.detail)) for e in effects}
    write_rows(
        connection,
        "INSERT OR REPLACE INTO attachments (conversation, message, attachment, status, at, detail) VALUES {rows}",
        [(*identity, *latest[identity]) for identity in sorted(latest)],
    )


def _save_version(connection: Connection, number: int, effect: HopReached) -> None:
    """Keep the version, show it where the message is the last one, and index it beside the earlier ones."""
    identity = (number, effect.message)
    found = connection.execute(
        "SELECT id, event, at, channel FROM messages WHERE conversation = ? AND message = ? ORDER BY at DESC LIMIT 1",
        identity,
    ).fetchone()
    if found is None:
        return
    before = versions(connection, *identity, found[2])
    if (effect.at, effect.hop, effect.text) in before:
        return
    connection.execute(
        "INSERT INTO versions (conversation, message, at, what, text) VALUES (?, ?, ?, ?, ?)",
        (*identity, effect.at, effect.hop, effect.text),
    )
    if effect.hop == "edited" and effect.text is not None:
        connection.execute(
            "UPDATE conversations SET last_text = ? WHERE id = ? AND last_message = ?",
            (effect.text[:PREVIEW], *identity),
        )
        row, event, channel = found[0], _event.decode(found[1]), found[3]
        texts = [text for _, what, text in before if what == "edited"]
        forget_entry(connection, message_entry(row, number, channel, event, texts))
        put_entries(connection, [message_entry(row, number, channel, event, [*texts, effect.text])])


def versions(connection: Connection, conversation: int, message: str, life: int) -> list[tuple[int, str, str | None]]:
    """(at, what, text) of every change of the message first seen at `life`, in order."""
    sql = """SELECT at, what, text FROM versions WHERE conversation = ?1 AND message = ?2 AND at >= ?3
        AND at < coalesce((SELECT min(at) FROM messages WHERE conversation = ?1 AND message = ?2 AND at > ?3), 1 << 62)
        ORDER BY id"""
    return [(at, what, text) for at, what, text in connection.execute(sql, (conversation, message, life))]
