"""Numbers for the keys of channels and conversations, so that large tables hold integers."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from msgspec import json

from storage.sqlite.bulk import write_rows

MAX_CACHED = 200_000
"""Conversations remembered, about 40 MB; when there are more, all are forgotten and read again as needed."""


class KeyNumbers:
    """Keys to numbers, used in the writer thread only; `invalidate` may be called from anywhere."""

    def __init__(self) -> None:
        self._channels: dict[str, int] = {}
        self._conversations: dict[str, tuple[int, int]] = {}
        self._valid = False
        self._seen_version = -1

    def invalidate(self) -> None:
        """What is remembered may never have been committed: read it again next time."""
        self._valid = False

    def start(self, connection: Connection) -> None:
        """At the start of a transaction: forget what may be wrong, or what another program may have changed."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._seen_version or not self._valid or len(self._conversations) > MAX_CACHED:
            self._channels.clear()
            self._conversations.clear()
            self._seen_version = version
            self._valid = True

    def conversations(
        self, connection: Connection, keys: Iterable[str]
    ) -> tuple[dict[str, tuple[int, int]], dict[int, str]]:
        """(conversation, channel) numbers of the keys, new ones given out; and the new conversations by number."""
        known = self._conversations
        missing = {key for key in keys if key not in known}
        if not missing:
            return known, {}
        sql = """SELECT json_group_array(json_array(key, id, channel)) FROM conversation_keys
            WHERE key IN (SELECT value FROM json_each(?))"""
        for key, number, channel in json.decode(connection.execute(sql, (_array(missing),)).fetchone()[0]):
            known[key] = (number, channel)
            missing.discard(key)
        if not missing:
            return known, {}
        new = sorted(missing)
        channels = self.channels(connection, {key.rpartition("/")[0] for key in new})
        first: int = connection.execute("SELECT coalesce(max(id), 0) FROM conversation_keys").fetchone()[0] + 1
        rows = [(number, channels[key.rpartition("/")[0]], key) for number, key in enumerate(new, first)]
        write_rows(connection, "INSERT INTO conversation_keys (id, channel, key) VALUES {rows}", rows)
        known.update((key, (number, channel)) for number, channel, key in rows)
        return known, {number: key for number, _, key in rows}

    def channels(self, connection: Connection, keys: Iterable[str]) -> dict[str, int]:
        """The numbers of channels, new ones given out."""
        known = self._channels
        for key in keys:
            if key not in known:
                connection.execute("INSERT INTO channels (key) VALUES (?) ON CONFLICT DO NOTHING", (key,))
                known[key] = connection.execute("SELECT id FROM channels WHERE key = ?", (key,)).fetchone()[0]
        return known


def _array(keys: Iterable[str]) -> str:
    return json.encode(list(keys)).decode()
