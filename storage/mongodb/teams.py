"""Teams: who answers which channels. One that is forgotten leaves its audit row behind until that is delivered."""

from __future__ import annotations

from secrets import token_hex

from msgspec import json
from pymongo.errors import DuplicateKeyError

from storage.inbox_records import Team
from storage.mongodb.audits import deliver, pending_change
from storage.mongodb.connection import Database, Row
from storage.records import AuditRow

_team = json.Decoder(Team)
_HELD: Row = {"body": {"$exists": True}}


class MongoTeams:
    """The teams of `storage.inbox_ports.DeskStore`."""

    _db: Database

    async def teams(self) -> list[Team]:
        """Every team, by name, then id."""
        with self._db.talk() as db:
            found = [_team.decode(row["body"]) async for row in db.teams.find(_HELD, {"body": 1})]
        return sorted(found, key=lambda team: (team.name, team.id))

    async def save_team(self, team: Team, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Make a team, or change the one whose `version` is `replaces`; False: somebody was faster."""
        gone: Row = {"body": {"$exists": False}}
        where: Row = {"_id": team.id, **(gone if replaces is None else {"version": replaces, **_HELD})}
        nonce = token_hex(12)
        change = {"version": team.version, "body": json.encode(team).decode(), "made_by": nonce}
        return await self._team_changed(
            team.id, where, {"$set": change | pending_change(audit)}, nonce, upsert=replaces is None
        )

    async def delete_team(self, team_id: str, audit: AuditRow) -> bool:
        """Forget a team, and note it; False when there is none."""
        nonce = token_hex(12)
        change: Row = {"$set": {"made_by": nonce, **pending_change(audit)}, "$unset": {"body": "", "version": ""}}
        if not await self._team_changed(team_id, {"_id": team_id, **_HELD}, change, nonce, upsert=False):
            return False
        with self._db.talk() as db:
            await db.teams.delete_many({"body": {"$exists": False}, "audits": {}})
        return True

    async def _team_changed(self, team_id: str, where: Row, change: Row, nonce: str, *, upsert: bool) -> bool:
        with self._db.talk() as db:
            try:
                done = await db.teams.update_one(where, change, upsert=upsert)
                changed = bool(done.matched_count) or done.upserted_id is not None
            except DuplicateKeyError:
                changed = False
            if not changed:
                # It may be our own: the answer to the first try was lost and the driver tried again.
                found = await db.teams.find_one({"_id": team_id}, {"made_by": 1})
                if found is None or found.get("made_by") != nonce:
                    return False
        await deliver(self._db, "teams")
        return True
