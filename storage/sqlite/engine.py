"""What the engine reads at start and on the way, and its one save."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json

from actors.effects import KeyRemembered
from storage.records import Batch, PartitionMark, StateRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.keys import KeyNumbers
from storage.sqlite.save import save

KEYS_A_QUERY = 2_000
EVENT_KEYS_A_QUERY = 20_000


class SqliteEngine:
    """`storage.ports.EngineStore`."""

    _db: Database
    _numbers: KeyNumbers

    async def mark(self, partition: int) -> PartitionMark:
        """How far a partition is processed; a fresh mark when it never was."""
        return await self._db.read(_mark, partition)

    async def channel_states(self, partition: int) -> list[StateRow]:
        """Every channel state of a partition."""
        return await self._db.read(_channel_states, partition)

    async def conversation_states(self, keys: Sequence[str]) -> list[StateRow]:
        """The states of these conversations; unknown keys are absent."""
        rows: list[StateRow] = []
        for start in range(0, len(keys), KEYS_A_QUERY):
            rows += await self._db.read(_conversation_states, list(keys[start : start + KEYS_A_QUERY]))
        return rows

    async def armed(self, partition: int) -> list[tuple[int, str]]:
        """(due, key) of every conversation of a partition with a timer, in no order."""
        return await self._db.read(_armed, partition)

    async def sent_times(self, channel: str, since: int) -> list[int]:
        """`sent_at` of every message held of a channel (merged ones too) from `since` on, ascending."""
        return await self._db.read(_sent_times, channel, since)

    async def event_keys(self, partition: int, since: int) -> list[KeyRemembered]:
        """The idempotency keys remembered by the channels of a partition with at >= since, by `at` ascending."""
        found: list[KeyRemembered] = []
        names = await self._db.read(_channel_keys)
        after = (since, 0, "")
        while True:
            rows = await self._db.read(_event_keys, partition, after)
            found += [KeyRemembered(names[channel], bytes.fromhex(label), at) for at, channel, label in rows]
            if len(rows) < EVENT_KEYS_A_QUERY:
                return found
            after = rows[-1]

    async def save(self, batch: Batch) -> None:
        """Write everything of a batch in one transaction; raises FencedError when the version does not fit.

        A power cut may undo it until the next `sync`: the log must not be told before.
        """
        try:
            await self._db.write_soon(save, self._numbers, batch)
        except BaseException:
            # Numbers given out in a transaction that was undone must not be used again.
            self._numbers.invalidate()
            raise


def _mark(connection: Connection, partition: int) -> PartitionMark:
    sql = "SELECT applied, time, drift, version FROM marks WHERE partition = ?"
    row = connection.execute(sql, (partition,)).fetchone()
    if row is None:
        return PartitionMark(partition=partition)
    applied, time, drift, version = row
    return PartitionMark(partition=partition, applied=applied, time=time, drift=drift, version=version)


def _channel_states(connection: Connection, partition: int) -> list[StateRow]:
    rows = read_rows(
        connection, "key, hex(state) AS state, due", "FROM channel_states WHERE partition = ?", (partition,)
    )
    return [StateRow(key, bytes.fromhex(state), due) for key, state, due in rows]


def _conversation_states(connection: Connection, keys: list[str]) -> list[StateRow]:
    source = """FROM conversation_keys k CROSS JOIN conversation_states s ON s.id = k.id
        WHERE k.key IN (SELECT value FROM json_each(?))"""
    rows = read_rows(connection, "k.key, hex(s.state) AS state, s.due", source, (json.encode(keys).decode(),))
    return [StateRow(key, bytes.fromhex(state), due) for key, state, due in rows]


def _armed(connection: Connection, partition: int) -> list[tuple[int, str]]:
    source = """FROM conversation_states s INDEXED BY conversation_timers CROSS JOIN conversation_keys k ON k.id = s.id
        WHERE s.partition = ? AND s.due IS NOT NULL"""
    return [(due, key) for due, key in read_rows(connection, "s.due, k.key", source, (partition,))]


def _sent_times(connection: Connection, channel: str, since: int) -> list[int]:
    sql = """SELECT json_group_array(sent_at) FROM (SELECT sent_at FROM messages INDEXED BY messages_by_sent_at
        WHERE channel = (SELECT id FROM channels WHERE key = ?) AND sent_at >= ? ORDER BY sent_at)"""
    return json.decode(connection.execute(sql, (channel, since)).fetchone()[0], type=list[int])


def _channel_keys(connection: Connection) -> dict[int, str]:
    return {row[0]: row[1] for row in read_rows(connection, "id, key", "FROM channels")}


def _event_keys(connection: Connection, partition: int, after: Sequence[Any]) -> list[list[Any]]:
    """A page of (at, channel, label in hexadecimal), those behind `after`."""
    at, channel, label = after
    source = """FROM event_keys WHERE partition = ? AND (at, channel, label) > (?, ?, ?)
        ORDER BY at, channel, label LIMIT ?"""
    values = (partition, at, channel, bytes.fromhex(label), EVENT_KEYS_A_QUERY)
    return read_rows(connection, "at, channel, hex(label) AS label", source, values)
