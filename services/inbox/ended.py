"""Response clocks that ended in the last day and week: how many in time, how many not, and how long answers took.

A clock that was missed stays missed, whenever it was answered. One that was stopped before its deadline and without an
answer, by closing its conversation, says nothing. A clock counts when it was answered, else when it was due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from msgspec import Struct, field

from storage.workload_ports import WorkloadStore
from storage.workload_records import EndedClock

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
MOST = 20_000
"""Clocks that are looked at; of more only the latest, and the page says since when they are all there."""
AT_ONCE = 1_000
"""Clocks between which others have their turn."""


class Past(Struct, frozen=True, kw_only=True):
    """How clocks ended: answered in time, answered late, missed and never answered (the conversation was closed).

    `first_ms` and `next_ms`: the median span from the customer's message to the first answer, and to later ones;
    nights and holidays are part of it.
    """

    in_time: int = 0
    late: int = 0
    unanswered: int = 0
    first_ms: int | None = None
    next_ms: int | None = None


class Span(Struct):
    """What is counted of one period."""

    in_time: int = 0
    late: int = 0
    unanswered: int = 0
    first: list[int] = field(default_factory=list[int])
    later: list[int] = field(default_factory=list[int])

    def add(self, clock: EndedClock) -> None:
        """One more."""
        if not clock.answered:
            self.unanswered += 1
            return
        if clock.breached:
            self.late += 1
        else:
            self.in_time += 1
        took = self.first if clock.kind == "first_response" else self.later
        took.append(max(0, clock.ended_at - clock.started_at))


class Tally(Struct, kw_only=True):
    """Clocks of conversations that have these things in common; a `Placed`. `number` tells it from the others."""

    number: int
    platform: str
    account: str
    assignee: str | None
    team: str | None
    labels: tuple[str, ...] = ()
    day: Span = field(default_factory=Span)
    week: Span = field(default_factory=Span)


class Tallies:
    """What one reading found. Sums are kept: the same rows are asked for again and again."""

    def __init__(self, day_since: int, week_since: int) -> None:
        self.day_since = day_since
        self.week_since = week_since
        self._items: dict[tuple[str, str, str | None, str | None], Tally] = {}
        self._sums: dict[tuple[int, ...], tuple[Past, Past]] = {}

    @property
    def items(self) -> list[Tally]:
        """Every tally."""
        return list(self._items.values())

    def add(self, clocks: Iterable[EndedClock]) -> None:
        """Count these, too."""
        for clock in clocks:
            name = (clock.platform, clock.account, clock.assignee, clock.team)
            tally = self._items.get(name)
            if tally is None:
                tally = self._items[name] = Tally(
                    number=len(self._items), platform=name[0], account=name[1], assignee=name[2], team=name[3]
                )
            if clock.ended_at >= self.day_since:
                tally.day.add(clock)
            tally.week.add(clock)

    def sums(self, tallies: Sequence[Tally]) -> tuple[Past, Past]:
        """Day and week of these together."""
        name = tuple(one.number for one in tallies)
        if name not in self._sums:
            self._sums[name] = (_past([one.day for one in tallies]), _past([one.week for one in tallies]))
        return self._sums[name]


class Ended:
    """Reads them from the store. `now` in ms."""

    def __init__(self, store: WorkloadStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def read(self) -> Tallies:
        """The last week, as far as it is not too much."""
        now = self._now()
        clocks, whole = await self._store.ended_clocks(now - WEEK_MS, MOST)
        found = Tallies(max(now - DAY_MS, whole), whole)
        for start in range(0, len(clocks), AT_ONCE):
            found.add(clocks[start : start + AT_ONCE])
            await asyncio.sleep(0)
        return found


def _past(spans: Sequence[Span]) -> Past:
    return Past(
        in_time=sum(one.in_time for one in spans),
        late=sum(one.late for one in spans),
        unanswered=sum(one.unanswered for one in spans),
        first_ms=_median([one.first for one in spans]),
        next_ms=_median([one.later for one in spans]),
    )


def _median(lists: Sequence[list[int]]) -> int | None:
    values = sorted(chain.from_iterable(lists))
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) // 2


__all__ = ["MOST", "Ended", "Past", "Tallies", "Tally"]
