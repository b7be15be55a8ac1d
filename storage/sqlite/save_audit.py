"""The log of what people changed; rows are only ever added."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.records import AuditRow


def append_audit(connection: Connection, row: AuditRow) -> None:
    """Add a row within the caller's transaction, so that no change is without one."""
    connection.execute("INSERT INTO audit (subject, body) VALUES (?, ?)", (row.subject, json.encode(row).decode()))
