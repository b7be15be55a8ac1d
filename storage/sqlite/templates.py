"""Templates of replies; their use is counted beside what they say."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from msgspec import json
from msgspec.structs import replace

from storage.records import AuditRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit
from storage.writing_records import Template

_template = json.Decoder(Template)


class SqliteTemplates:
    """`storage.writing_ports.TemplateStore`."""

    _db: Database

    async def templates(self) -> list[Template]:
        """All of them, by folder, then name, then id."""
        found = await self._db.read(_templates, "")
        return sorted(found, key=lambda one: (one.folder, one.name, one.id))

    async def template(self, template_id: str) -> Template | None:
        """One template."""
        found = await self._db.read(_templates, "WHERE id = ?", template_id)
        return found[0] if found else None

    async def save_template(self, template: Template, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Create one, or change the one whose `version` is `replaces`; False: somebody was faster."""
        return await self._db.write(_save, template, audit, replaces)

    async def delete_template(self, template_id: str, audit: AuditRow) -> bool:
        """Forget a template, and note it; False when there is none."""
        return await self._db.write(_delete, template_id, audit)

    async def template_used(self, template_id: str, at: int) -> None:
        """Count one more use; an unknown template is ignored."""
        await self._db.write(_used, template_id, at)


def _templates(connection: Connection, which: str, *values: Any) -> list[Template]:
    rows = read_rows(connection, "body, used, last_used_at", f"FROM templates {which}", values)
    return [replace(_template.decode(body), used=used, last_used_at=last) for body, used, last in rows]


def _save(connection: Connection, template: Template, audit: AuditRow, replaces: int | None) -> bool:
    row = (template.version, json.encode(template).decode())
    if replaces is None:
        sql = "INSERT INTO templates (version, body, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        saved = connection.execute(sql, (*row, template.id)).rowcount
    else:
        sql = "UPDATE templates SET version = ?, body = ? WHERE id = ? AND version = ?"
        saved = connection.execute(sql, (*row, template.id, replaces)).rowcount
    if saved:
        append_audit(connection, audit)
    return bool(saved)


def _delete(connection: Connection, template_id: str, audit: AuditRow) -> bool:
    deleted = connection.execute("DELETE FROM templates WHERE id = ?", (template_id,)).rowcount
    if deleted:
        append_audit(connection, audit)
    return bool(deleted)


def _used(connection: Connection, template_id: str, at: int) -> None:
    sql = "UPDATE templates SET used = used + 1, last_used_at = max(coalesce(last_used_at, ?1), ?1) WHERE id = ?2"
    connection.execute(sql, (at, template_id))
