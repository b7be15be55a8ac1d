"""Which channels are bound to their platforms."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.records import AuditRow, BoundChannel
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_binding = json.Decoder(BoundChannel)


class SqliteBindings:
    """`storage.ports.BindingStore`."""

    _db: Database

    async def bindings(self) -> list[BoundChannel]:
        """Every bound channel, by platform, then account."""
        return await self._db.read(_bindings, "ORDER BY platform, account")

    async def binding(self, platform: str, account: str) -> BoundChannel | None:
        """One bound channel."""
        found = await self._db.read(_bindings, "WHERE platform = ? AND account = ?", platform, account)
        return found[0] if found else None

    async def save_binding(self, binding: BoundChannel, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Bind a channel, or change the binding whose `changed_at` is `replaces`; False: somebody was faster."""
        return await self._db.write(_save, binding, audit, replaces)

    async def delete_binding(self, platform: str, account: str, audit: AuditRow) -> bool:
        """Forget a binding, and note it; False when there is none."""
        return await self._db.write(_delete, platform, account, audit)


def _bindings(connection: Connection, which: str, *values: str) -> list[BoundChannel]:
    return [_binding.decode(body) for (body,) in read_rows(connection, "body", f"FROM bindings {which}", values)]


def _save(connection: Connection, binding: BoundChannel, audit: AuditRow, replaces: int | None) -> bool:
    place = (binding.platform, binding.account)
    row = (binding.changed_at, json.encode(binding).decode())
    if replaces is None:
        sql = "INSERT INTO bindings (platform, account, changed_at, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        saved = connection.execute(sql, (*place, *row)).rowcount
    else:
        sql = "UPDATE bindings SET changed_at = ?, body = ? WHERE platform = ? AND account = ? AND changed_at = ?"
        saved = connection.execute(sql, (*row, *place, replaces)).rowcount
    if saved:
        append_audit(connection, audit)
    return bool(saved)


def _delete(connection: Connection, platform: str, account: str, audit: AuditRow) -> bool:
    sql = "DELETE FROM bindings WHERE platform = ? AND account = ?"
    deleted = connection.execute(sql, (platform, account)).rowcount
    if deleted:
        append_audit(connection, audit)
    return bool(deleted)
