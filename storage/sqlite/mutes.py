"""What is muted, and what was; a mute is never deleted."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.cursors import bounded
from storage.records import AuditRow, Mute
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_mute = json.Decoder(Mute)


class SqliteMutes:
    """`storage.ports.MuteStore`."""

    _db: Database

    async def mutes(self, limit: int) -> list[Mute]:
        """Mutes, those in force and past ones, by `until` descending, then id."""
        return await self._db.read(_mutes, bounded(limit))

    async def put_mute(self, mute: Mute, audit: AuditRow) -> None:
        """Create or replace a mute, with its audit row."""
        await self._db.write(_put, mute, audit)


def _mutes(connection: Connection, limit: int) -> list[Mute]:
    rows = read_rows(connection, "body", "FROM mutes ORDER BY until DESC, id LIMIT ?", (limit,))
    return [_mute.decode(body) for (body,) in rows]


def _put(connection: Connection, mute: Mute, audit: AuditRow) -> None:
    connection.execute(
        """INSERT INTO mutes (id, until, body) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET until = excluded.until, body = excluded.body""",
        (mute.id, mute.until, json.encode(mute).decode()),
    )
    append_audit(connection, audit)
