"""Saved views of the inbox."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.records import AuditRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit
from storage.view_records import SavedView

_view = json.Decoder(SavedView)


class SqliteViews:
    """`storage.view_ports.ViewStore`."""

    _db: Database

    async def saved_views(self, person: str) -> list[SavedView]:
        """A person's own and the shared ones, by id."""
        return await self._db.read(_views, "WHERE owner = ? OR shared ORDER BY id", person)

    async def saved_view(self, view_id: str) -> SavedView | None:
        """One by its id."""
        found = await self._db.read(_views, "WHERE id = ?", view_id)
        return found[0] if found else None

    async def put_saved_view(self, view: SavedView, audit: AuditRow) -> bool:
        """Store one when `view.version - 1` is the stored version (0: there is none), else False."""
        return await self._db.write(_put, view, audit)

    async def delete_saved_view(self, view_id: str, audit: AuditRow) -> bool:
        """Forget one; False when it is not there."""
        return await self._db.write(_delete, view_id, audit)


def _views(connection: Connection, which: str, *values: str) -> list[SavedView]:
    return [_view.decode(body) for (body,) in read_rows(connection, "body", f"FROM saved_views {which}", values)]


def _put(connection: Connection, view: SavedView, audit: AuditRow) -> bool:
    row = (view.owner, view.shared, view.version, json.encode(view).decode())
    if view.version == 1:
        sql = "INSERT INTO saved_views (id, owner, shared, version, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        saved = connection.execute(sql, (view.id, *row)).rowcount
    else:
        sql = "UPDATE saved_views SET owner = ?, shared = ?, version = ?, body = ? WHERE id = ? AND version = ?"
        saved = connection.execute(sql, (*row, view.id, view.version - 1)).rowcount
    if saved:
        append_audit(connection, audit)
    return bool(saved)


def _delete(connection: Connection, view_id: str, audit: AuditRow) -> bool:
    deleted = connection.execute("DELETE FROM saved_views WHERE id = ?", (view_id,)).rowcount
    if deleted:
        append_audit(connection, audit)
    return bool(deleted)
