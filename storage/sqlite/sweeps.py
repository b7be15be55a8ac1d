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

    async def put_sweep(self, row: SweepRow) -> None:
        """Create or replace it."""
        await self._db.write(_put, row)


def _sweeps(connection: Connection, which: str, *values: str) -> list[SweepRow]:
    return [_sweep.decode(body) for (body,) in read_rows(connection, "body", f"FROM sweeps {which}", values)]


def _put(connection: Connection, row: SweepRow) -> None:
    connection.execute(
        """INSERT INTO sweeps (platform, account, body) VALUES (?, ?, ?)
        ON CONFLICT (platform, account) DO UPDATE SET body = excluded.body""",
        (row.platform, row.account, json.encode(row).decode()),
    )
