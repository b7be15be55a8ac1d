"""How far each channel is compared with its platform: one row each."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.channel_records import SweepRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database

_sweep = json.Decoder(SweepRow)


class SqliteSweeps:
    """`storage.channel_ports.SweepStore`."""

    _db: Database

    async def sweeps(self) -> list[SweepRow]:
        """Every channel's, by platform, then account."""
        return await self._db.read(_sweeps, "ORDER BY platform, account")

    async def sweep(self, platform: str, account: str) -> SweepRow | None:
        """One channel's."""
        found = await self._db.read(_sweeps, "WHERE platform = ? AND account = ?", platform, account)
        return found[0] if found else None

    async def save_sweep(self, row: SweepRow, *, replaces: int) -> bool:
        """Replace the one whose `version` is `replaces` (0: none is held yet); False, and nothing changes, else."""
        return await self._db.write(_save, row, replaces)


def _sweeps(connection: Connection, which: str, *values: str) -> list[SweepRow]:
    return [_sweep.decode(body) for (body,) in read_rows(connection, "body", f"FROM sweeps {which}", values)]


def _save(connection: Connection, row: SweepRow, replaces: int) -> bool:
    body, place = json.encode(row).decode(), (row.platform, row.account)
    sql = "UPDATE sweeps SET body = ?, version = ? WHERE platform = ? AND account = ? AND version = ?"
    if connection.execute(sql, (body, row.version, *place, replaces)).rowcount:
        return True
    if replaces:
        return False
    sql = "INSERT INTO sweeps (platform, account, version, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return bool(connection.execute(sql, (*place, row.version, body)).rowcount)
