"""Which processes make up this deployment: one row each, their latest sign of life."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.records import ProcessBeat
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database

_beat = json.Decoder(ProcessBeat)


class SqliteProcesses:
    """`storage.ports.ProcessStore`."""

    _db: Database

    async def beat(self, beat: ProcessBeat) -> None:
        """Replace the process's last sign of life; a power cut may undo it."""
        # Nobody needs a sign of life after a power cut, so the disk is not waited for each second.
        await self._db.write_soon(_put, beat)

    async def beats(self, since: int) -> list[ProcessBeat]:
        """Processes with at >= since, by process."""
        return await self._db.read(_beats, since)

    async def forget_beats(self, before: int) -> None:
        """Forget the processes with at < before."""
        await self._db.write_soon(_forget, before)


def _put(connection: Connection, beat: ProcessBeat) -> None:
    connection.execute(
        """INSERT INTO processes (process, at, body) VALUES (?, ?, ?)
        ON CONFLICT (process) DO UPDATE SET at = excluded.at, body = excluded.body""",
        (beat.process, beat.at, json.encode(beat).decode()),
    )


def _beats(connection: Connection, since: int) -> list[ProcessBeat]:
    rows = read_rows(connection, "body", "FROM processes WHERE at >= ? ORDER BY process", (since,))
    return [_beat.decode(body) for (body,) in rows]


def _forget(connection: Connection, before: int) -> None:
    connection.execute("DELETE FROM processes WHERE at < ?", (before,))
