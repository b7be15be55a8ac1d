"""Who is alive: every part of Weir beats, and a part that has not beaten within its limit has stopped.

Beats come from any thread. Times are those of one clock in ms that never goes back (the gateway's).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

LIMITS_MS: dict[str, int] = {
    "engine": 10_000,
    "persister": 10_000,
    "gateway": 10_000,
    "monitor": 10_000,
    "watchdog": 10_000,
}
"""The parts of one process, and after how long without a beat each counts as stopped."""


class Beat(Struct, frozen=True, kw_only=True):
    """One part: `at`, when it last beat (ms), and whether that is recent enough."""

    part: str
    at: int
    ok: bool


class Heartbeats:
    """The latest beat of each part."""

    def __init__(self, clock: Callable[[], int], limits_ms: dict[str, int] | None = None) -> None:
        self.limits_ms = dict(LIMITS_MS if limits_ms is None else limits_ms)
        self._clock = clock
        begun = clock()
        self._beats: dict[str, int] = dict.fromkeys(self.limits_ms, begun)

    def beat(self, part: str, at: int | None = None) -> None:
        """`part` is alive now, or was at `at` (ms of the same clock)."""
        self._beats[part] = self._clock() if at is None else max(at, self._beats[part])

    def read(self, now: int) -> list[Beat]:
        """Every part, in the order of the limits, as it stands at `now` (ms)."""
        return [self._judge(part, limit, now) for part, limit in self.limits_ms.items()]

    def _judge(self, part: str, limit: int, now: int) -> Beat:
        at = self._beats[part]
        return Beat(part=part, at=at, ok=now - at <= limit)
