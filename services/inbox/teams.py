"""Teams: who answers which channels. Every change leaves an audit row, and is looked at for channels left alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.keys import channel_key, split_key
from services.errors import ConflictError, NotFoundError
from services.inbox.coverage import Coverage
from services.inbox.scope import WHOLE
from services.people.permissions import Caller, demand
from storage.inbox_records import Team
from storage.records import AuditRow, User

LONGEST_NAME = 60
MOST_TEAMS = 200
MOST_MEMBERS = 500
MOST_CHANNELS = 500
_PARTS_OF_A_CHANNEL = 2


class TeamStore(Protocol):
    """The parts of a store used here."""

    async def users(self) -> list[User]:
        """Everybody."""
        ...

    async def teams(self) -> list[Team]:
        """Every team."""
        ...

    async def save_team(self, team: Team, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Make or change a team."""
        ...

    async def delete_team(self, team_id: str, audit: AuditRow) -> bool:
        """Forget a team."""
        ...


class TeamWish(Struct, frozen=True, kw_only=True):
    """What a team shall be; what is None stays, or is empty for a new one."""

    name: str | None = None
    members: list[str] | None = None
    channels: list[str] | None = None
    routing: bool | None = None


class Teams:
    """Changes teams; what a change does to the coverage of channels is told. `now` in ms."""

    def __init__(self, store: TeamStore, coverage: Coverage, now: Callable[[], int]) -> None:
        self._store = store
        self._coverage = coverage
        self._now = now

    async def all(self) -> list[Team]:
        """Every team, by name."""
        return await self._store.teams()

    async def add(self, caller: Caller, wish: TeamWish) -> Team:
        """A new team. Raises RejectedError, ConflictError (the name is taken, or too many), ForbiddenError."""
        demand(caller, "manage_teams")
        teams = await self._store.teams()
        if len(teams) >= MOST_TEAMS:
            raise ConflictError(f"there are {MOST_TEAMS} teams already; delete one first")
        team = await self._wished(Team(id=secrets.token_hex(6), name="", created_at=self._now()), wish, teams)
        async with self._coverage.watched(caller.name):
            if not await self._store.save_team(team, self._audit(caller, "team.added", team, None, _public(team))):
                raise ConflictError("another team was made at the same moment; try again")
        return team

    async def change(self, caller: Caller, team_id: str, wish: TeamWish, *, version: int | None = None) -> Team:
        """Change what is given. Raises NotFoundError, RejectedError, ForbiddenError.

        ConflictError when the team is no longer the one of `version`, or the name is taken.
        """
        demand(caller, "manage_teams")
        teams = await self._store.teams()
        team = _one(teams, team_id)
        if version is not None and version != team.version:
            raise ConflictError("somebody changed the team meanwhile; look at it, then change it again")
        changed = replace(await self._wished(team, wish, teams), version=team.version + 1)
        audit = self._audit(caller, "team.changed", team, _public(team), _public(changed))
        async with self._coverage.watched(caller.name):
            if not await self._store.save_team(changed, audit, replaces=team.version):
                raise ConflictError("somebody changed the team at the same moment; look at it, then change it again")
        return changed

    async def delete(self, caller: Caller, team_id: str) -> None:
        """Forget a team: what it had is everybody's. Raises NotFoundError, ForbiddenError."""
        demand(caller, "manage_teams")
        team = _one(await self._store.teams(), team_id)
        audit = self._audit(caller, "team.deleted", team, _public(team), None)
        async with self._coverage.watched(caller.name):
            if not await self._store.delete_team(team_id, audit):
                raise NotFoundError("somebody has deleted the team already")

    async def _wished(self, team: Team, wish: TeamWish, teams: Sequence[Team]) -> Team:
        name = team.name if wish.name is None else wish.name.strip()
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise RejectedError(f"name: 1 to {LONGEST_NAME} printable characters")
        if any(one.name.casefold() == name.casefold() and one.id != team.id for one in teams):
            raise ConflictError(f"there is a team {name!r} already; choose another name")
        return replace(
            team,
            name=name,
            members=team.members if wish.members is None else await self._members(wish.members),
            channels=team.channels if wish.channels is None else _channels(wish.channels),
            routing=team.routing if wish.routing is None else wish.routing,
        )

    async def _members(self, names: Sequence[str]) -> list[str]:
        found = list(dict.fromkeys(names))
        if len(found) > MOST_MEMBERS:
            raise RejectedError(f"members: at most {MOST_MEMBERS}")
        known = {user.name for user in await self._store.users()}
        for name in found:
            if name not in known:
                raise RejectedError(f"members: there is no user {name[:100]!r}; Settings, Users lists them")
        return found

    def _audit(self, caller: Caller, what: str, team: Team, before: Any, after: Any) -> AuditRow:
        subject = f"team {team.id}"
        return AuditRow(at=self._now(), who=caller.name, what=what, subject=subject, before=before, after=after)


def _one(teams: Sequence[Team], team_id: str) -> Team:
    for team in teams:
        if team.id == team_id:
            return team
    raise NotFoundError(f"there is no team {team_id[:64]!r}; GET /api/v1/teams lists them")


def _channels(channels: Sequence[str]) -> list[str]:
    found: dict[str, None] = {}
    for channel in channels:
        parts = split_key(channel)
        if len(parts) != _PARTS_OF_A_CHANNEL or not all(parts) or len(channel) > 2048:  # noqa: PLR2004 # two ids
            raise RejectedError(f"channels: {channel[:100]!r} is none; write platform/account, or platform/{WHOLE}")
        found[channel_key(*parts)] = None
    if len(found) > MOST_CHANNELS:
        raise RejectedError(f"channels: at most {MOST_CHANNELS}")
    return list(found)


def _public(team: Team) -> dict[str, Any]:
    return {name: getattr(team, name) for name in ("name", "members", "channels", "routing")}


__all__ = ["TeamWish", "Teams"]
