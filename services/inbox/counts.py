"""How many conversations each tab has, for many screens at once: counted once in the store, added up for each scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from storage.inbox_records import DeskGroup, InboxFilter, Scope, Tab
from storage.records import ConversationRow

TABS: tuple[Tab, ...] = ("mine", "team", "unassigned", "at_risk", "all", "snoozed")
KEEP_MS = 500
SENSITIVE = "sensitive"


class CountStore(Protocol):
    """The parts of a store used here."""

    async def inbox(
        self, where: InboxFilter, offset: int, limit: int, *, counted: bool = True
    ) -> tuple[list[ConversationRow], int]:
        """A window of the list."""
        ...

    async def inbox_groups(self, now: int) -> list[DeskGroup]:
        """Everything open, in groups."""
        ...


class Counts:
    """The groups are kept for half a second. `now` in ms."""

    def __init__(self, store: CountStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._groups: list[DeskGroup] = []
        self._until = -1

    async def of(self, scopes: Sequence[Scope], *, fresh: bool = False) -> list[dict[str, int]]:
        """For each scope: how many each tab has, and how many of `all` are sensitive."""
        now = self._now()
        if (fresh or self._until <= now) and any(not scope.labels for scope in scopes):
            self._groups = await self._store.inbox_groups(now)
            self._until = now + KEEP_MS
        known: dict[Scope, dict[str, int]] = {}
        for scope in scopes:
            if scope not in known:
                known[scope] = await self._asked(scope) if scope.labels else added_up(self._groups, scope)
        return [known[scope] for scope in scopes]

    async def _asked(self, scope: Scope) -> dict[str, int]:
        """Labels are no part of the groups: such a scope is asked for tab by tab."""
        found: dict[str, int] = {}
        for tab in TABS:
            found[tab] = await self._one(InboxFilter(now=self._now(), tab=tab, scope=scope, me=scope.me))
        found[SENSITIVE] = await self._one(InboxFilter(now=self._now(), scope=scope, me=scope.me, sensitive=True))
        return found

    async def _one(self, where: InboxFilter) -> int:
        return (await self._store.inbox(where, 0, 1))[1]


def added_up(groups: Iterable[DeskGroup], scope: Scope) -> dict[str, int]:
    """The counts of one scope."""
    found: dict[str, int] = {**dict.fromkeys(TABS, 0), SENSITIVE: 0}
    for group in groups:
        if not scope.sees(group):
            continue
        found["all"] += group.awake
        found["snoozed"] += group.snoozed
        found["at_risk"] += group.at_risk
        found[SENSITIVE] += group.sensitive
        if group.assignee is None:
            found["unassigned"] += group.awake
        elif group.assignee == scope.me:
            found["mine"] += group.awake
        if scope.ours(group):
            found["team"] += group.awake
    return found


__all__ = ["SENSITIVE", "TABS", "Counts", "added_up"]
