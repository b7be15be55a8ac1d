"""Work that exactly one of many processes does at a time: pruning, upkeep, asking a platform.

Two may overlap for a moment when a holder was asleep past the end of its lease; where that would do harm, the work
hands the lease's token to whatever it writes to (see locks.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import Lease, Locks

logger = logging.getLogger(__name__)

TTL_S = 15.0
RENEW = 1 / 3
"""Renewed after this part of its span: two attempts may fail before it ends."""


class Duty:
    """Runs `work(lease)` while this process holds the lock `name`, and cancels it when the lock is lost."""

    def __init__(
        self, locks: Locks, name: str, work: Callable[[Lease], Awaitable[None]], *, ttl_s: float = TTL_S
    ) -> None:
        self._locks = locks
        self._name = name
        self._work = work
        self._ttl_s = ttl_s
        self.lease: Lease | None = None
        """What this process holds now."""

    async def run(self) -> None:
        """For ever; work that ends is begun again at the next turn. What the work raises ends it, and is raised."""
        while True:
            with suppress(CoordinationLostError):
                self.lease = await self._locks.acquire(self._name, self._ttl_s)
            if self.lease is not None:
                await self._hold(self.lease)
            await asyncio.sleep(self._ttl_s * RENEW)

    async def _hold(self, lease: Lease) -> None:
        logger.info("this process has the duty %s now", self._name)
        working = asyncio.ensure_future(self._work(lease))
        try:
            while not working.done() and self.lease is not None:
                await asyncio.wait([working], timeout=self._ttl_s * RENEW)
                if not working.done():
                    self.lease = await self._renewed(self.lease)
            if not working.done():
                logger.warning("the duty %s is left to another process: its lock was lost", self._name)
        finally:
            await self._let_go(working)
        if not working.cancelled():
            working.result()

    async def _renewed(self, lease: Lease) -> Lease | None:
        """The lease for longer; the same one while nobody can be asked and it is not over; None when it is lost."""
        try:
            return await self._locks.renew(lease, self._ttl_s)
        except CoordinationLostError:
            # The next try comes after another third: what would end before it has to end now.
            return lease if lease.until - monotonic() > self._ttl_s * RENEW else None

    async def _let_go(self, working: asyncio.Future[None]) -> None:
        working.cancel()
        await asyncio.wait([working])
        lease, self.lease = self.lease, None
        if lease is not None:
            with suppress(CoordinationLostError):
                await self._locks.release(lease)


__all__ = ["Duty"]
