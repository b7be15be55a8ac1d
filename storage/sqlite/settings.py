"""Thresholds with their history."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from msgspec import json

from storage.cursors import bounded
from storage.records import AuditRow, ThresholdVersion
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_COLUMNS = "version, at, who, overrides, note, draft"


class SqliteSettings:
    """`storage.ports.SettingsStore`."""

    _db: Database

    async def thresholds(self) -> ThresholdVersion | None:
        """The version in force: the newest that is no draft."""
        found = await self._db.read(_versions, "WHERE NOT draft ORDER BY version DESC LIMIT 1")
        return found[0] if found else None

    async def threshold_history(self, limit: int) -> list[ThresholdVersion]:
        """Versions, newest first, drafts too."""
        return await self._db.read(_versions, "ORDER BY version DESC LIMIT ?", bounded(limit))

    async def put_thresholds(self, version: ThresholdVersion, audit: AuditRow) -> bool:
        """Store a version with its audit row; False when that version number is taken."""
        return await self._db.write(_put, version, audit)


def _versions(connection: Connection, which: str, *values: int) -> list[ThresholdVersion]:
    return [_version(row) for row in read_rows(connection, _COLUMNS, f"FROM thresholds {which}", values)]


def _version(row: list[Any]) -> ThresholdVersion:
    version, at, who, overrides, note, draft = row
    return ThresholdVersion(
        version=version,
        at=at,
        who=who,
        overrides=json.decode(overrides, type=dict[str, dict[str, Any]]),
        note=note,
        draft=bool(draft),
    )


def _put(connection: Connection, version: ThresholdVersion, audit: AuditRow) -> bool:
    overrides = json.encode(version.overrides).decode()
    stored = connection.execute(
        """INSERT INTO thresholds (version, at, who, overrides, note, draft) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING""",
        (version.version, version.at, version.who, overrides, version.note, int(version.draft)),
    ).rowcount
    if stored:
        append_audit(connection, audit)
    return bool(stored)
