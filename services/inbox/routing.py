"""Giving conversations out by itself, for teams that want it: to members who are there, what is due first.

Whoever had it last gets it again if he is there; nobody who is not there gets anything. What finds nobody stays in the
list, in its order, and is looked at again at once when somebody comes. One process does this at a time; each assignment
is a compare-and-set all the same, so that a person's click is never overwritten.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import structlog
from msgspec import Struct

from actors.errors import RetriableError
from services.inbox.desk import Desk
from services.inbox.online import Online
from services.inbox.scope import People, Scopes, held, scope_of
from storage.inbox_records import DeskGroup, InboxFilter, Scope, Team
from storage.records import AuditRow, ConversationRow, Page, User

PERIOD_S = 2.0
"""How often it is looked whether somebody came or something waits."""
AT_ONCE = 100
HISTORY = 20
ASSIGNED = ("conversation.assigned", "conversation.claimed")
_log = structlog.get_logger(__name__)


class RoutingStore(Protocol):
    """The parts of a store used here."""

    async def inbox(
        self, where: InboxFilter, offset: int, limit: int, *, counted: bool = True
    ) -> tuple[list[ConversationRow], int]:
        """A window of the list."""
        ...

    async def inbox_groups(self, now: int) -> list[DeskGroup]:
        """What is open, in groups."""
        ...

    async def audit(
        self,
        limit: int,
        cursor: str | None = None,
        subject: str | None = None,
        *,
        who: str | None = None,
        what: str | None = None,
    ) -> Page[AuditRow]:
        """What was noted."""
        ...


class Room(Struct):
    """Somebody who is there, and how many more conversations he takes."""

    user: User
    free: int
    scope: Scope


class Routing:
    """Runs in one process at a time. `now` in ms."""

    def __init__(self, store: RoutingStore, desk: Desk, scopes: Scopes, online: Online, now: Callable[[], int]) -> None:
        self._store = store
        self._desk = desk
        self._scopes = scopes
        self._online = online
        self._now = now

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.once()
            except RetriableError as wrong:
                _log.info("conversations are given out later", reason=str(wrong))
            await asyncio.sleep(PERIOD_S)

    async def once(self) -> int:
        """Give out what can be given out now; how many that were.

        Raises RetriableError while nobody can tell who is there.
        """
        people = await self._scopes.people(fresh=True)
        teams = [team for team in people.living if team.routing]
        if not teams:
            return 0
        there = await self._online.who_is_online()
        rooms = self._rooms(people, there, await self._store.inbox_groups(self._now()))
        given = 0
        for team in teams:
            ready = [room for room in rooms.values() if room.user.name in team.members and room.free > 0]
            if ready:
                given += await self._give_out(people, team, ready)
        return given

    def _rooms(self, people: People, there: Collection[str], groups: Sequence[DeskGroup]) -> dict[str, Room]:
        """By name, those who are there; a conversation counts wherever it is, since it is one person who answers it."""
        busy: Counter[str] = Counter()
        for group in groups:
            if group.assignee is not None:
                busy[group.assignee] += group.awake
        able = {user.name: user for team in people.living for user in people.answerers(team)}
        return {
            name: Room(user, user.capacity - busy[name], scope_of(people, name, user.role))
            for name, user in sorted(able.items())
            if name in there
        }

    async def _give_out(self, people: People, team: Team, ready: list[Room]) -> int:
        given, offset = 0, 0
        while any(room.free > 0 for room in ready):
            where = InboxFilter(now=self._now(), tab="unassigned", scope=scope_of_team(people, team))
            rows, _ = await self._store.inbox(where, offset, AT_ONCE, counted=False)
            before = given
            for row in rows:
                if await self._give(row, [room for room in ready if room.free > 0]):
                    given += 1
            if len(rows) < AT_ONCE:
                break
            # What was given is in the list no longer; what found nobody stays before the next window.
            offset += len(rows) - (given - before)
        return given

    async def _give(self, row: ConversationRow, ready: Sequence[Room]) -> bool:
        fit = [room for room in ready if room.scope.sees(row)]
        if not fit:
            return False
        last = await self._last_one(row)
        room = next((room for room in fit if room.user.name == last), None)
        rule = "history" if room else "room"
        if room is None:
            reads = [room for room in fit if row.lang is None or row.lang in room.user.langs] or fit
            room = max(reads, key=lambda one: one.free)
        if await self._desk.automatically(row, assignee=room.user.name, rule=rule) is None:
            return False
        room.free -= 1
        return True

    async def _last_one(self, row: ConversationRow) -> str | None:
        """Who had it last."""
        page = await self._store.audit(HISTORY, None, row.key, what="conversation.")
        for note in page.items:
            if note.what in ASSIGNED and isinstance(note.after, dict) and isinstance(note.after.get("assignee"), str):
                return note.after["assignee"]
        return None


def scope_of_team(people: People, team: Team) -> Scope:
    """What a team has: given to it, or of the channels it holds and no other team names."""
    channels, platforms = held([team])
    held_channels, _ = held(people.living)
    return Scope(teams=(team.id,), channels=channels, platforms=platforms, held_channels=held_channels)


__all__ = ["Online", "Routing", "scope_of_team"]
