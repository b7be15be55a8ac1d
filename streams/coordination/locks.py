"""Whose turn it is: locks that end by themselves, each with a fencing token.

A lock alone protects nothing: its holder may sleep past its end and wake up believing it still holds it. So every
acquisition gets a token larger than all before it, and whoever is written to keeps the largest token it has seen and
refuses smaller ones. Tokens are microseconds of the clock that hands them out, raised by one where two would be equal:
they go on rising when everything shared is lost and made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, time_ns
from typing import Protocol

from msgspec import Struct


class Lease(Struct, frozen=True, kw_only=True):
    """A lock held. `until`: when it ends unless renewed, in seconds of the monotonic clock, rather too early."""

    name: str
    token: int
    until: float

    def valid(self, now: float | None = None) -> bool:
        """Whether it can still be relied on, as far as this process knows."""
        return (monotonic() if now is None else now) < self.until


class Locks(Protocol):
    """Every call may raise CoordinationLostError; then a lease goes on being valid until its end, no longer."""

    async def acquire(self, name: str, ttl_s: float) -> Lease | None:
        """The lock for `ttl_s` seconds, or None while somebody else holds it."""
        ...

    async def renew(self, lease: Lease, ttl_s: float) -> Lease | None:
        """The same lock and token for `ttl_s` from now; None when it was released or somebody else had it since."""
        ...

    async def release(self, lease: Lease) -> bool:
        """Let go of it; False when it was not held any more. Somebody else's lock is never touched."""
        ...


class _Held(Struct):
    token: int
    until: float


class LocalLocks:
    """Locks within one process; `steady` in seconds, `wall` in microseconds since the epoch."""

    def __init__(
        self, *, steady: Callable[[], float] = monotonic, wall: Callable[[], int] = lambda: time_ns() // 1000
    ) -> None:
        self._steady = steady
        self._wall = wall
        self._held: dict[str, _Held] = {}
        """A lock let go of stays here with an end of 0: its token must not be handed out again."""

    async def acquire(self, name: str, ttl_s: float) -> Lease | None:
        """The lock, or None while it is held."""
        now = self._steady()
        held = self._held.get(name)
        if held is not None and held.until > now:
            return None
        token = max(self._wall(), held.token + 1 if held else 0)
        self._held[name] = _Held(token, now + ttl_s)
        return Lease(name=name, token=token, until=now + ttl_s)

    async def renew(self, lease: Lease, ttl_s: float) -> Lease | None:
        """The same lock for longer."""
        held = self._held.get(lease.name)
        if held is None or held.token != lease.token or not held.until:
            return None
        held.until = self._steady() + ttl_s
        return Lease(name=lease.name, token=lease.token, until=held.until)

    async def release(self, lease: Lease) -> bool:
        """Let go of it."""
        held = self._held.get(lease.name)
        if held is None or held.token != lease.token or not held.until:
            return False
        held.until = 0.0
        return True


__all__ = ["Lease", "LocalLocks", "Locks"]
