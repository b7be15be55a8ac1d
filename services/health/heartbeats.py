"""Who is alive: every part of Weir beats, and a part that has not beaten within its limit has stopped.

Beats come from any thread. Ages are measured by a steady clock, so that a wall clock that is set forward stops nobody;
times shown are those of the gateway's clock. Both in ms.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns

from msgspec import Struct

LIMITS_MS: dict[str, int] = {
    "engine": 10_000,
    "persister": 10_000,
    "gateway": 10_000,
    "monitor": 10_000,
    "watchdog": 10_000,
}
"""The parts of a process that does everything, and after how long without a beat each counts as stopped."""


def limits_of(*parts: str) -> dict[str, int]:
    """The limits of a process that has these parts only."""
    return {part: LIMITS_MS[part] for part in parts}


def monotonic_ms() -> int:
    """The machine's steady clock."""
    return monotonic_ns() // 1_000_000


class Beat(Struct, frozen=True, kw_only=True):
    """One part: `at`, when it last beat (ms), and whether that is recent enough."""

    part: str
    at: int
    ok: bool


class Heartbeats:
    """The latest beat of each part."""

    def __init__(
        self,
        clock: Callable[[], int],
        limits_ms: dict[str, int] | None = None,
        *,
        steady: Callable[[], int] = monotonic_ms,
    ) -> None:
        self.limits_ms = dict(LIMITS_MS if limits_ms is None else limits_ms)
        self._clock = clock
        self._steady = steady
        self._beats: dict[str, int] = dict.fromkeys(self.limits_ms, steady())

    def beat(self, part: str, at: int | None = None) -> None:
        """`part` is alive now, or was at `at` (ms of the gateway's clock)."""
        age = 0 if at is None else max(0, self._clock() - at)
        self._beats[part] = max(self._steady() - age, self._beats[part])

    def read(self, now: int) -> list[Beat]:
        """Every part, in the order of the limits, as it stands at `now` (ms)."""
        return [self._judge(part, limit, now) for part, limit in self.limits_ms.items()]

    def ages(self) -> dict[str, int]:
        """For how long (ms) each part has given no sign of life."""
        return {part: self._steady() - at for part, at in self._beats.items()}

    def _judge(self, part: str, limit: int, now: int) -> Beat:
        age = self._steady() - self._beats[part]
        return Beat(part=part, at=now - age, ok=age <= limit)
