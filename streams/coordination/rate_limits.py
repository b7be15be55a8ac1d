"""How often something may be tried: so many times within any window of so long, per key. Memory is bounded.

Losing what the processes share must never mean "as often as you like": then `FallbackRateLimits` counts by itself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

from msgspec import Struct

from streams.coordination.errors import CoordinationLostError

MOST_KEPT = 20_000


class Limit(Struct, frozen=True, kw_only=True):
    """At most `most` attempts within any `window_ms`. `name` keeps the keys of different limits apart."""

    name: str
    most: int
    window_ms: int


class RateLimits(Protocol):
    """Counts attempts. Every call may raise CoordinationLostError where nothing stands in for what is lost."""

    async def take(self, *asked: tuple[Limit, str]) -> int:
        """Count one attempt under every (limit, key), or under none when one of them is used up.

        Atomic: attempts at the same time never pass together. 0 when counted, otherwise the ms until the next may be.
        """
        ...

    async def give_back(self, limit: Limit, key: str) -> None:
        """Take back the latest attempt of the key, if any."""
        ...

    async def forget(self, limit: Limit, key: str) -> None:
        """Forget every attempt of the key."""
        ...


class LocalRateLimits:
    """Counts within one process. `now` in ms; the keys touched longest ago are forgotten beyond `most_kept`."""

    def __init__(
        self, now: Callable[[], int] = lambda: monotonic_ns() // 1_000_000, *, most_kept: int = MOST_KEPT
    ) -> None:
        self._now = now
        self._most_kept = most_kept
        self._attempts: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    async def take(self, *asked: tuple[Limit, str]) -> int:
        """Count one attempt under all, or under none."""
        now = self._now()
        wait = max((self._wait(limit, key, now) for limit, key in asked), default=0)
        if wait:
            return wait
        for limit, key in asked:
            times = self._attempts.setdefault((limit.name, key), deque())
            times.append(now)
            self._attempts.move_to_end((limit.name, key))
        while len(self._attempts) > self._most_kept:
            self._attempts.popitem(last=False)
        return 0

    async def give_back(self, limit: Limit, key: str) -> None:
        """Take back the latest attempt."""
        times = self._attempts.get((limit.name, key))
        if times:
            times.pop()
        if not times:
            self._attempts.pop((limit.name, key), None)

    async def forget(self, limit: Limit, key: str) -> None:
        """Forget every attempt."""
        self._attempts.pop((limit.name, key), None)

    @property
    def kept(self) -> int:
        """How many keys are remembered."""
        return len(self._attempts)

    def _wait(self, limit: Limit, key: str, now: int) -> int:
        """How long (ms) until another attempt fits; forgets those outside the window."""
        times = self._attempts.get((limit.name, key))
        if times is None:
            return 0
        while times and times[0] <= now - limit.window_ms:
            times.popleft()
        return times[-limit.most] + limit.window_ms - now if len(times) >= limit.most else 0


class FallbackRateLimits:
    """What the processes share, and while that is lost each process's own count: stricter or laxer, never unlimited.

    Everything is counted in both, so that the own count has seen this process's attempts when it must decide.
    """

    def __init__(self, shared: RateLimits, own: RateLimits) -> None:
        self._shared = shared
        self._own = own

    async def take(self, *asked: tuple[Limit, str]) -> int:
        """What the shared count says, or the own one while that is lost."""
        try:
            wait = await self._shared.take(*asked)
        except CoordinationLostError:
            return await self._own.take(*asked)
        if not wait:
            await self._own.take(*asked)
        return wait

    async def give_back(self, limit: Limit, key: str) -> None:
        """In both; while the shared count is lost its attempt stays counted until the window has passed."""
        await self._own.give_back(limit, key)
        try:
            await self._shared.give_back(limit, key)
        except CoordinationLostError:
            return

    async def forget(self, limit: Limit, key: str) -> None:
        """In both; while the shared count is lost its attempts stay counted until the window has passed."""
        await self._own.forget(limit, key)
        try:
            await self._shared.forget(limit, key)
        except CoordinationLostError:
            return


__all__ = ["FallbackRateLimits", "Limit", "LocalRateLimits", "RateLimits"]
