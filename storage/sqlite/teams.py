"""Teams: who answers which channels."""

from __future__ import annotations

from sqlite3 import Connection

from msgspec import json

from storage.inbox_records import Team
from storage.records import AuditRow
from storage.sqlite.bulk import read_rows
from storage.sqlite.connection import Database
from storage.sqlite.save_audit import append_audit

_team = json.Decoder(Team)


class SqliteTeams:
    """The teams of `storage.inbox_ports.DeskStore`."""

    _db: Database

    async def teams(self) -> list[Team]:
        """Every team, by name, then id."""
        return await self._db.read(_teams)

    async def save_team(self, team: Team, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Make a team, or change the one whose `version` is `replaces`; False: somebody was faster."""
        return await self._db.write(_save, team, audit, replaces)

    async def delete_team(self, team_id: str, audit: AuditRow) -> bool:
        """Forget a team, and note it; False when there is none."""
        return await self._db.write(_delete, team_id, audit)


def _teams(connection: Connection) -> list[Team]:
    found = [_team.decode(body) for (body,) in read_rows(connection, "body", "FROM teams")]
    return sorted(found, key=lambda team: (team.name, team.id))


def _save(connection: Connection, team: Team, audit: AuditRow, replaces: int | None) -> bool:
    body = json.encode(team).decode()
    if replaces is None:
        sql = "INSERT INTO teams (id, version, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        done = connection.execute(sql, (team.id, team.version, body)).rowcount
    else:
        sql = "UPDATE teams SET version = ?, body = ? WHERE id = ? AND version = ?"
        done = connection.execute(sql, (team.version, body, team.id, replaces)).rowcount
    if done:
        append_audit(connection, audit)
    return bool(done)


def _delete(connection: Connection, team_id: str, audit: AuditRow) -> bool:
    done = connection.execute("DELETE FROM teams WHERE id = ?", (team_id,)).rowcount
    if done:
        append_audit(connection, audit)
    return bool(done)
