"""Channels that nobody can answer, or too many can: told at the change that causes it, before any message.

`nobody`: teams hold it, but nobody in them may answer now; its conversations are shown to all agents and supervisors
as unassigned meanwhile. Without any team: no active person may answer at all. `no_team`: there are teams, and none
holds it, so it is everybody's. `several`: two teams or more hold it, so that two people may answer the same customer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Literal, Protocol, TypeAlias

import structlog
from msgspec import Struct, field

from actors.errors import RetriableError
from actors.keys import channel_key, split_key
from services.inbox.scope import WHOLE, People, Scopes, answers
from storage.inbox_records import Team
from storage.records import AuditRow, BoundChannel, ChannelRow
from streams.bus import Bus

TOPIC = "coverage"
Kind: TypeAlias = Literal["nobody", "no_team", "several"]
ALARMING: tuple[Kind, ...] = ("nobody", "several")
_log = structlog.get_logger(__name__)


class Gap(Struct, frozen=True, kw_only=True):
    """What is wrong with who answers a channel. `teams`: names of those that hold it; `people`: how many may answer."""

    platform: str
    account: str
    kind: Kind
    people: int
    teams: list[str] = field(default_factory=list[str])


class Reach(Struct, frozen=True, kw_only=True):
    """Who answers a channel: `teams` by name, and the `people` who may now; without teams, whoever may at all."""

    platform: str
    account: str
    teams: list[str]
    people: list[str]


class CoverageStore(Protocol):
    """The parts of a store used here."""

    async def channels(self) -> list[ChannelRow]:
        """Channels ever heard of."""
        ...

    async def bindings(self) -> list[BoundChannel]:
        """Bound channels."""
        ...

    async def append_audit(self, row: AuditRow) -> None:
        """Note something."""
        ...


class Coverage:
    """Looks at every channel. `now` in ms."""

    def __init__(self, store: CoverageStore, scopes: Scopes, bus: Bus, now: Callable[[], int]) -> None:
        self._store = store
        self._scopes = scopes
        self._bus = bus
        self._now = now
        self.told: Callable[[Sequence[Gap]], Awaitable[None]] | None = None
        """Called with what has become wrong just now."""

    async def gaps(self) -> list[Gap]:
        """Every channel with which something is wrong, the worst first, then by name."""
        return (await self.whole())[0]

    async def whole(self) -> tuple[list[Gap], list[Reach]]:
        """What is wrong, and who answers each channel, by name."""
        people = await self._scopes.people(fresh=True)
        channels = {(row.platform, row.account) for row in await self._store.channels()}
        channels |= {(row.platform, row.account) for row in await self._store.bindings()}
        # A channel that a team holds is one even before its first message.
        channels |= {(place[0], place[1]) for team in people.teams for place in _named(team)}
        return gaps_of(people, channels), [reach_of(people, *place) for place in sorted(channels)]

    @asynccontextmanager
    async def watched(self, who: str) -> AsyncIterator[None]:
        """A change of people or teams by `who`: what becomes wrong by it is noted and told when the block ends."""
        before = {_place(gap) for gap in await self.gaps()}
        yield
        self._scopes.forget()
        after = {_place(gap): gap for gap in await self.gaps()}
        new = [gap for place, gap in after.items() if gap.kind in ALARMING and place not in before]
        for gap in new:
            await self._store.append_audit(self._note(who, gap))
        if before != set(after):
            await self._publish()
        if new and self.told:
            await self.told(new)

    def _note(self, who: str, gap: Gap) -> AuditRow:
        return AuditRow(
            at=self._now(),
            who=who,
            what=f"coverage.{gap.kind}",
            subject=f"channel {channel_key(gap.platform, gap.account)}",
            after={"people": gap.people, "teams": gap.teams},
        )

    async def _publish(self) -> None:
        try:
            await self._bus.publish(TOPIC, {"at": self._now()})
        except RetriableError as wrong:
            _log.info("open screens hear of the coverage of channels later", reason=str(wrong))


def reach_of(people: People, platform: str, account: str) -> Reach:
    """Who answers this channel."""
    teams = holding(people.teams, platform, account)
    names = sorted({user.name for team in teams for user in people.answerers(team)})
    if not teams:
        names = [user.name for user in people.users if answers(user)]
    return Reach(platform=platform, account=account, teams=[team.name for team in teams], people=names)


def gaps_of(people: People, channels: Iterable[tuple[str, str]]) -> list[Gap]:
    """What is wrong with these channels."""
    able = [user for user in people.users if answers(user)]
    found: list[Gap] = []
    for platform, account in sorted(channels):
        teams = holding(people.teams, platform, account)
        living = [team for team in teams if people.answerers(team)]
        reach = {user.name for team in living for user in people.answerers(team)}
        kind: Kind | None = None
        if not people.teams:
            kind = None if able else "nobody"
        elif not teams:
            kind = "no_team" if able else "nobody"
        elif not living:
            kind = "nobody"
        elif len(living) > 1:
            kind = "several"
        if kind is not None:
            count = len(able) if kind == "no_team" else len(reach)
            names = [team.name for team in (living if kind == "several" else teams)]
            found.append(Gap(platform=platform, account=account, kind=kind, people=count, teams=names))
    order: dict[Kind, int] = {"nobody": 0, "several": 1, "no_team": 2}
    return sorted(found, key=lambda gap: (order[gap.kind], gap.platform, gap.account))


def _place(gap: Gap) -> tuple[str, Kind]:
    return channel_key(gap.platform, gap.account), gap.kind


def holding(teams: Sequence[Team], platform: str, account: str) -> list[Team]:
    """The teams that hold a channel: those that name it, else those that hold its whole platform."""
    named = [team for team in teams if (platform, account) in _named(team)]
    return named or [team for team in teams if channel_key(platform, WHOLE) in team.channels]


def _named(team: Team) -> list[tuple[str, ...]]:
    places = [split_key(channel) for channel in team.channels]
    return [place for place in places if place[1] != WHOLE]


__all__ = ["TOPIC", "Coverage", "Gap", "Reach", "gaps_of", "holding", "reach_of"]
