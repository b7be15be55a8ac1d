"""Work at a platform that one process at a time does: under a lock that ends by itself, renewed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import blake2b
from time import monotonic

from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import Lease, Locks

TTL_S = 30.0
RENEW = 1 / 3


def turn_of(channel: str) -> str:
    """The lock of whoever compares a channel with its platform; accounts may be addresses, which no lock shows."""
    return f"sweep {blake2b(channel.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


async def in_turn(locks: Locks, name: str, work: Callable[[], Awaitable[None]], *, ttl_s: float = TTL_S) -> bool:
    """Do the work when nobody else does it; False when somebody does, or the lock was lost meanwhile.

    Raises what the work raises; while nobody knows whose turn it is, it is nobody's.
    """
    lease: Lease | None = None
    with suppress(CoordinationLostError):
        lease = await locks.acquire(name, ttl_s)
    if lease is None:
        return False
    working = asyncio.ensure_future(work())
    try:
        while lease is not None and not working.done():
            await asyncio.wait([working], timeout=ttl_s * RENEW)
            if not working.done():
                lease = await _renewed(locks, lease, ttl_s)
    finally:
        working.cancel()
        await asyncio.wait([working])
        if lease is not None:
            with suppress(CoordinationLostError):
                await locks.release(lease)
    if working.cancelled():
        return False
    working.result()
    return True


async def _renewed(locks: Locks, lease: Lease, ttl_s: float) -> Lease | None:
    """The lease for longer; the same one while nobody can be asked and it is not over; None when it is lost."""
    try:
        return await locks.renew(lease, ttl_s)
    except CoordinationLostError:
        return lease if lease.until - monotonic() > ttl_s * RENEW else None


__all__ = ["in_turn", "turn_of"]
