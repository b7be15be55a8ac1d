"""Whom a message was to reach, and how each person wants to be told."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json

from storage.alert_records import AlertFilter, AlertSettings, ExpectedAlert, Fate
from storage.cursors import bounded, decode_cursor, encode_cursor
from storage.records import AuditRow, Page
from storage.sqlite.bulk import read_rows, write_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_alert = json.Decoder(ExpectedAlert)
_settings = json.Decoder(AlertSettings)
_ADD = """INSERT INTO alerts (id, person, key, message, at, due_at, test, fate, version, body)
    VALUES {rows} ON CONFLICT (id) DO NOTHING"""
_CHANGE = """UPDATE alerts SET person = ?, key = ?, message = ?, at = ?, due_at = ?, test = ?, fate = ?, version = ?,
    body = ? WHERE id = ? AND version = ?"""
_DUE = "FROM alerts WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"


class SqliteAlerts:
    """`storage.alert_ports.AlertStore`."""

    _db: Database

    async def alert_settings(self, person: str) -> AlertSettings | None:
        """What a person wants; None when nothing was ever said."""
        return await self._db.read(_wishes, person)

    async def put_alert_settings(self, settings: AlertSettings, audit: AuditRow) -> bool:
        """Store them with their audit row when `settings.version - 1` is the stored version (0: none), else False."""
        return await self._db.write(_put_wishes, settings, audit)

    async def add_alerts(self, alerts: Sequence[ExpectedAlert]) -> None:
        """Note several; those whose id is there already change nothing."""
        if alerts:
            await self._db.write(_add, alerts)

    async def alert(self, alert_id: str) -> ExpectedAlert | None:
        """One by its id."""
        found = await self._db.read(_alerts, "FROM alerts WHERE id = ?", alert_id)
        return found[0] if found else None

    async def change_alert(self, alert: ExpectedAlert) -> bool:
        """Replace one when `alert.version - 1` is the stored version, else False."""
        return await self._db.write(_change, alert)

    async def alerts(self, where: AlertFilter, limit: int, cursor: str | None = None) -> Page[ExpectedAlert]:
        """Newest first."""
        after = decode_cursor(cursor, "alerts", tuple[int, str]) if cursor else None
        limit = bounded(limit)
        rows = await self._db.read(_page, where, limit + 1, after)
        items = rows[:limit]
        more = len(rows) > limit
        return Page(items=items, next=encode_cursor("alerts", items[-1].at, items[-1].id) if more else None)

    async def alerts_of_message(self, key: str, message: str) -> list[ExpectedAlert]:
        """Everybody who was to be told of one message, by person."""
        return await self._db.read(_alerts, "FROM alerts WHERE key = ? AND message = ? ORDER BY person", key, message)

    async def alerts_due(self, now: int, limit: int) -> list[ExpectedAlert]:
        """Those whose next rung's turn has come, by `due_at`."""
        return await self._db.read(_alerts, _DUE, now, bounded(limit))

    async def alert_fates(self, since: int) -> dict[str, dict[Fate, int]]:
        """By person, how many alerts with at >= since met which fate; tests are not counted."""
        return await self._db.read(_fates, since)

    async def forget_alerts(self, before: int) -> int:
        """Forget those with at < before; the rows deleted."""
        return await self._db.write(_forget, before)


def _wishes(connection: Connection, person: str) -> AlertSettings | None:
    row = connection.execute("SELECT body FROM alert_settings WHERE person = ?", (person,)).fetchone()
    return _settings.decode(row[0]) if row else None


def _put_wishes(connection: Connection, settings: AlertSettings, audit: AuditRow) -> bool:
    body = json.encode(settings).decode()
    if settings.version == 1:
        sql = "INSERT INTO alert_settings (person, version, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        saved = connection.execute(sql, (settings.person, settings.version, body)).rowcount
    else:
        sql = "UPDATE alert_settings SET version = ?, body = ? WHERE person = ? AND version = ?"
        saved = connection.execute(sql, (settings.version, body, settings.person, settings.version - 1)).rowcount
    if saved:
        append_audit(connection, audit)
    return bool(saved)


def _columns(alert: ExpectedAlert) -> tuple[Any, ...]:
    test = alert.why == "test"
    place = (alert.person, alert.key, alert.message, alert.at, alert.due_at, test)
    return (*place, alert.fate, alert.version, json.encode(alert).decode())


def _add(connection: Connection, alerts: Sequence[ExpectedAlert]) -> None:
    write_rows(connection, _ADD, [(alert.id, *_columns(alert)) for alert in alerts])


def _change(connection: Connection, alert: ExpectedAlert) -> bool:
    return bool(connection.execute(_CHANGE, (*_columns(alert), alert.id, alert.version - 1)).rowcount)


def _alerts(connection: Connection, which: str, *values: Any) -> list[ExpectedAlert]:
    return [_alert.decode(body) for (body,) in read_rows(connection, "body", which, values)]


def _page(connection: Connection, where: AlertFilter, limit: int, after: tuple[int, str] | None) -> list[ExpectedAlert]:
    told = (("person = ?", where.person), ("key = ?", where.key), ("at >= ?", where.since))
    parts: list[str] = [condition for condition, value in told if value is not None]
    values: list[Any] = [value for _, value in told if value is not None]
    if after is not None:
        parts.append("(at < ? OR (at = ? AND id < ?))")
        values += [after[0], *after]
    clause = f"WHERE {' AND '.join(parts)}" if parts else ""
    return _alerts(connection, f"FROM alerts {clause} ORDER BY at DESC, id DESC LIMIT ?", *values, limit)


def _fates(connection: Connection, since: int) -> dict[str, dict[Fate, int]]:
    found: dict[str, dict[Fate, int]] = {}
    sql = "SELECT person, fate, count(*) FROM alerts WHERE at >= ? AND NOT test GROUP BY person, fate"
    for person, fate, count in connection.execute(sql, (since,)).fetchall():
        found.setdefault(person, {})[fate] = count
    return found


def _forget(connection: Connection, before: int) -> int:
    return connection.execute("DELETE FROM alerts WHERE at < ?", (before,)).rowcount
