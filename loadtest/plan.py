"""When the next trouble of each kind is due, counted in messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from loadtest.options import INCIDENT_WEIGHT, INCIDENTS

LAST_PART = 0.9
"""No trouble begins in the last tenth of a trace, so that every story is told to its end."""
FIRST_PART = 0.3
"""Every trouble that can be expected at all begins for the first time in the first part of a trace."""

FIRST_MESSAGES = 1_500
"""Without an end, it begins among so many messages."""


class Plan:
    """Chooses which message suffers what. `due` and `incidents` count by kind what waits for a site that suits it."""

    def __init__(self, rng: Random, rates: Mapping[str, float], messages: int | None) -> None:
        self.due: dict[str, int] = {}
        self.incidents: dict[str, int] = {}
        self.soonest: float = 0
        self.last: float = float("inf") if messages is None else messages * LAST_PART
        self._rng = rng
        self._rates = {k: r / INCIDENT_WEIGHT if k in INCIDENTS else r for k, r in rates.items() if r > 0}
        self._next = {k: self._first(r, messages) for k, r in self._rates.items()}
        self.soonest = min(self._next.values(), default=float("inf"))

    def advance(self, sent: int) -> None:
        """`sent` messages were sent: what is due from now on?"""
        for kind, at in self._next.items():
            if at <= sent:
                waiting = self.incidents if kind in INCIDENTS else self.due
                waiting[kind] = waiting.get(kind, 0) + 1
                self._next[kind] = at + self._rng.expovariate(self._rates[kind])
        self.soonest = min(self._next.values(), default=float("inf"))
        if sent >= self.last:
            self.due.clear()
            self.incidents.clear()
            self.soonest = float("inf")

    def take(self, suits: Callable[[str], bool]) -> str | None:
        """A waiting trouble that suits the site, no longer due; those that were taken longest ago come first."""
        for kind in self.due:
            if suits(kind):
                self.done(self.due, kind)
                return kind
        return None

    def done(self, waiting: dict[str, int], kind: str) -> None:
        """One of the waiting troubles of a kind has its site; the kind goes to the end of the queue."""
        left = waiting.pop(kind) - 1
        if left:
            waiting[kind] = left

    def _first(self, rate: float, messages: int | None) -> float:
        gap = self._rng.expovariate(rate)
        if messages is None:
            return min(gap, FIRST_MESSAGES * self._rng.random())
        if rate * messages >= INCIDENT_WEIGHT**-1:
            return min(gap, messages * FIRST_PART * (0.3 + 0.7 * self._rng.random()))
        return gap
