"""Which conversations somebody may see: a `Scope` of a caller, from the roles and teams as they are now.

admin and viewer: everything. supervisor: the conversations of own teams, and those that no living team has. agent: the
same, and own ones. finance and after-sales: what is labelled as their matter, and own ones; product and operations:
what is labelled feedback. A token or the command line counts as its role, without a team.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from actors.keys import split_key
from services.people.permissions import Caller, can
from storage.inbox_records import Channel, Scope, Team
from storage.records import Role, User

WHOLE = "*"
"""A team's channel `platform/*`: every account of a platform."""
NO_TEAM = "none"
"""In the place of a team: what no team holds in which somebody may answer."""
CACHE_MS = 1_000
MONEY = ("refund", "return_exchange", "after_sales", "payment")
FEEDBACK = ("complaint", "product_enquiry", "promotion", "feedback")
"""What customers say of goods and offers; `feedback` is for whoever wants to label more by hand."""
LABELS: dict[Role, tuple[str, ...]] = {
    "finance": MONEY,
    "after_sales": MONEY,
    "product": FEEDBACK,
    "operations": FEEDBACK,
}
UNBOUND: frozenset[Role] = frozenset({"admin", "viewer"})


class People(Struct, frozen=True, kw_only=True):
    """Everybody and every team, as they were at one moment."""

    users: Sequence[User]
    teams: Sequence[Team]

    def answerers(self, team: Team) -> list[User]:
        """The members who may answer now."""
        return [user for user in self.users if user.name in team.members and answers(user)]

    @property
    def living(self) -> list[Team]:
        """Teams in which somebody may answer."""
        return [team for team in self.teams if self.answerers(team)]


def answers(user: User) -> bool:
    """Whether a person may answer customers now."""
    return not user.disabled and can(user.role, "reply")


def scope_of(people: People, name: str, role: Role, *, person: bool = True) -> Scope:
    """What somebody of this role sees; `person`: whether the name is a user's, who may be in teams."""
    me = name if person else None
    own = [team for team in people.teams if person and name in team.members]
    teams = tuple(team.id for team in own)
    channels, platforms = held(own)
    if role in UNBOUND:
        return Scope(everything=True, me=me, teams=teams, channels=channels, platforms=platforms)
    if role in LABELS:
        return Scope(me=me, labels=LABELS[role])
    living = people.living
    held_channels, held_platforms = held(living)
    return Scope(
        me=me,
        teams=teams,
        channels=channels,
        platforms=platforms,
        living=tuple(team.id for team in living),
        held_channels=held_channels,
        held_platforms=held_platforms,
        strays=True,
    )


def held(teams: Iterable[Team]) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """What these teams hold: channels by name, and whole platforms."""
    channels: dict[Channel, None] = {}
    platforms: dict[str, None] = {}
    for team in teams:
        for channel in team.channels:
            platform, account = split_key(channel)
            if account == WHOLE:
                platforms[platform] = None
            else:
                channels[platform, account] = None
    return tuple(channels), tuple(platforms)


def holder_of(people: People, team_id: str) -> Scope:
    """What one team holds, given or by its channels; `NO_TEAM`: what no living team holds."""
    held_channels, held_platforms = held(people.living)
    if team_id == NO_TEAM:
        living = tuple(team.id for team in people.living)
        return Scope(strays=True, living=living, held_channels=held_channels, held_platforms=held_platforms)
    channels, platforms = held(team for team in people.teams if team.id == team_id)
    return Scope(teams=(team_id,), channels=channels, platforms=platforms, held_channels=held_channels)


class PeopleStore(Protocol):
    """The parts of a store used here."""

    async def users(self) -> list[User]:
        """Everybody."""
        ...

    async def teams(self) -> list[Team]:
        """Every team."""
        ...


class Scopes:
    """Scopes of callers; people and teams are read anew every second, or at once with `fresh`. `now` in ms."""

    def __init__(self, store: PeopleStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._known: People | None = None
        self._until = 0

    async def of(self, caller: Caller, *, fresh: bool = False) -> Scope:
        """Whose eyes these are. What is done, and not only looked at, asks for a fresh one."""
        return scope_of(await self.people(fresh=fresh), caller.name, caller.role, person=caller.via == "session")

    async def people(self, *, fresh: bool = False) -> People:
        """Everybody and every team."""
        known, now = self._known, self._now()
        if fresh or known is None or self._until <= now:
            users, teams = await asyncio.gather(self._store.users(), self._store.teams())
            self._known = known = People(users=users, teams=teams)
            self._until = now + CACHE_MS
        return known

    def forget(self) -> None:
        """Something has changed: read everything anew the next time."""
        self._known = None


__all__ = [
    "FEEDBACK",
    "LABELS",
    "MONEY",
    "NO_TEAM",
    "WHOLE",
    "People",
    "Scopes",
    "answers",
    "held",
    "holder_of",
    "scope_of",
]
