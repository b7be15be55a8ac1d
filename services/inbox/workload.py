"""Workload and SLA, for supervisors: who has how much that waits, and how response clocks ended.

Everything is counted for the conversations that the asker sees, by the team that holds them and within it by whom they
are assigned to, and by platform. What is open is what the inbox's tab `all` lists, so that each number is the length of
a list; a conversation of a channel that two teams hold counts with both. Clocks that ended count with whoever has their
conversation now: who answered is not kept with a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from actors.errors import RetriableError
from services.health.paced import Paced
from services.inbox.ended import Ended, Past, Tallies, Tally
from services.inbox.online import Online
from services.inbox.scope import NO_TEAM, People, PeopleStore, Scopes, answers, holder_of
from services.people.permissions import Caller
from storage.inbox_records import Placed, Scope, Team
from storage.workload_ports import WorkloadStore
from storage.workload_records import OpenGroup

OPEN_EVERY_S = 1.0
ENDED_EVERY_S = 30.0


class LoadStore(WorkloadStore, PeopleStore, Protocol):
    """The parts of a store used here."""


class Load(Struct, frozen=True, kw_only=True):
    """What is open now; `due_at`: when the soonest clock that runs is due (ms)."""

    open: int = 0
    waiting: int = 0
    at_risk: int = 0
    breached: int = 0
    due_at: int | None = None


class Figures(Struct, frozen=True, kw_only=True):
    """What is open now, and the clocks that ended in the last day and week."""

    now: Load
    day: Past
    week: Past


class PersonRow(Struct, frozen=True, kw_only=True):
    """One person's part of what a team holds; `name` None: nobody's.

    `online`: has an inbox open; None when nobody can tell. `active`: may answer now.
    """

    name: str | None
    online: bool | None
    active: bool
    figures: Figures


class TeamRows(Struct, frozen=True, kw_only=True):
    """What a team holds; `id` is `none` for what no team holds that anybody works in, and then there is no name.

    `partial`: the asker is not of the team, and sees only what is assigned to himself.
    """

    id: str
    name: str | None
    partial: bool
    figures: Figures
    people: list[PersonRow]


class PlatformRow(Struct, frozen=True, kw_only=True):
    """What came by one platform."""

    platform: str
    figures: Figures


class Board(Struct, frozen=True, kw_only=True):
    """The whole page; times in ms. `day_since`, `week_since`: from when on every clock that ended is counted."""

    at: int
    total: Figures
    unassigned: Load
    teams: list[TeamRows]
    platforms: list[PlatformRow]
    day_since: int
    week_since: int


class _Part:
    """Groups and tallies that one row of the page is made of."""

    __slots__ = ("groups", "tallies")

    def __init__(self) -> None:
        self.groups: list[OpenGroup] = []
        self.tallies: list[Tally] = []


class Workload:
    """Reads at most once a second what is open and twice a minute what ended, for all who look. `now` in ms."""

    def __init__(self, store: LoadStore, scopes: Scopes, online: Online, now: Callable[[], int]) -> None:
        self._scopes = scopes
        self._online = online
        self._now = now
        self._open: Paced[list[OpenGroup]] = Paced(lambda: store.open_groups(now()), OPEN_EVERY_S)
        ended = Ended(store, now)
        self._ended: Paced[Tallies] = Paced(ended.read, ENDED_EVERY_S)

    async def of(self, caller: Caller) -> Board:
        """What this person may see of it, by rights as they are at this moment."""
        people = await self._scopes.people(fresh=True)
        scope = await self._scopes.of(caller)
        groups, ended = await self._open.get(), await self._ended.get()
        online = await self._who_is_online()
        seen = [one for one in groups if scope.sees(one)]
        past = [one for one in ended.items if scope.sees(one)]
        rows = _Rows(people, scope, online, ended)
        return Board(
            at=self._now(),
            total=rows.figures(_part(seen, past)),
            unassigned=_load(one for one in seen if one.assignee is None),
            teams=rows.teams(seen, past),
            platforms=rows.platforms(seen, past),
            day_since=ended.day_since,
            week_since=ended.week_since,
        )

    async def _who_is_online(self) -> set[str] | None:
        try:
            return await self._online.who_is_online()
        except RetriableError:
            return None


class _Rows:
    """Sorts what is seen into the rows of one answer."""

    def __init__(self, people: People, scope: Scope, online: set[str] | None, ended: Tallies) -> None:
        self._scope = scope
        self._online = online
        self._ended = ended
        self._living = people.living
        self._able = {user.name for user in people.users if answers(user)}
        self._members = {team.id: {user.name for user in people.answerers(team)} for team in self._living}
        self._holders = [(team.id, holder_of(people, team.id)) for team in self._living]

    def figures(self, part: _Part) -> Figures:
        """The numbers of one row."""
        day, week = self._ended.sums(part.tallies)
        return Figures(now=_load(part.groups), day=day, week=week)

    def teams(self, groups: Sequence[OpenGroup], tallies: Sequence[Tally]) -> list[TeamRows]:
        """The asker's teams by name and those he has something of, then what no team holds."""
        parts: dict[str, dict[str | None, _Part]] = {}
        for group in groups:
            for team in self._teams_of(group):
                parts.setdefault(team, {}).setdefault(group.assignee, _Part()).groups.append(group)
        for tally in tallies:
            for team in self._teams_of(tally):
                parts.setdefault(team, {}).setdefault(tally.assignee, _Part()).tallies.append(tally)
        found = [self._team(team, parts.get(team.id, {})) for team in self._living if self._shown(team, parts)]
        if NO_TEAM in parts or not self._living:
            found.append(self._team(None, parts.get(NO_TEAM, {})))
        return found

    def platforms(self, groups: Sequence[OpenGroup], tallies: Sequence[Tally]) -> list[PlatformRow]:
        """Every platform with something, by name."""
        parts: dict[str, _Part] = {}
        for group in groups:
            parts.setdefault(group.platform, _Part()).groups.append(group)
        for tally in tallies:
            parts.setdefault(tally.platform, _Part()).tallies.append(tally)
        return [PlatformRow(platform=name, figures=self.figures(part)) for name, part in sorted(parts.items())]

    def _teams_of(self, one: Placed) -> list[str]:
        return [team for team, holder in self._holders if holder.ours(one)] or [NO_TEAM]

    def _is_own(self, team: Team) -> bool:
        return self._scope.everything or team.id in self._scope.teams

    def _shown(self, team: Team, parts: dict[str, dict[str | None, _Part]]) -> bool:
        return self._is_own(team) or team.id in parts

    def _team(self, team: Team | None, parts: dict[str | None, _Part]) -> TeamRows:
        own = team is None or self._is_own(team)
        names = {name for name in parts if name is not None}
        if team is None and not self._living:
            names |= self._able
        elif team is not None and own:
            names |= self._members[team.id]
        order = [*([None] if own or None in parts else []), *sorted(names, key=lambda name: (name.casefold(), name))]
        whole = _part(
            [group for part in parts.values() for group in part.groups],
            [tally for part in parts.values() for tally in part.tallies],
        )
        return TeamRows(
            id=NO_TEAM if team is None else team.id,
            name=None if team is None else team.name,
            partial=not own,
            figures=self.figures(whole),
            people=[self._person(name, parts.get(name) or _Part()) for name in order],
        )

    def _person(self, name: str | None, part: _Part) -> PersonRow:
        online = None if name is None or self._online is None else name in self._online
        return PersonRow(
            name=name, online=online, active=name is None or name in self._able, figures=self.figures(part)
        )


def _part(groups: Sequence[OpenGroup], tallies: Sequence[Tally]) -> _Part:
    part = _Part()
    part.groups += groups
    part.tallies += tallies
    return part


def _load(groups: Iterable[OpenGroup]) -> Load:
    some = list(groups)
    return Load(
        open=sum(one.open for one in some),
        waiting=sum(one.waiting for one in some),
        at_risk=sum(one.at_risk for one in some),
        breached=sum(one.breached for one in some),
        due_at=min((one.due_at for one in some if one.due_at is not None), default=None),
    )


__all__ = ["Board", "Figures", "Load", "PersonRow", "PlatformRow", "TeamRows", "Workload"]
