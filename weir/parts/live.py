"""What the processes of a deployment share beside log and store: the live bus, rate limits, locks, presence.

Built in, they hold within this process; by Redis, between all of them. None of them keeps a message.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from streams.bus import Bus, LocalBus
from streams.coordination.locks import LocalLocks, Locks
from streams.coordination.presence import LocalPresence, Presence
from streams.coordination.rate_limits import FallbackRateLimits, LocalRateLimits, RateLimits
from weir.config import EMBEDDED, Config

if TYPE_CHECKING:  # Redis' client takes long to import: only who uses it pays
    from streams.redis import RedisLink


class Live(Struct, frozen=True, kw_only=True):
    """The shared parts; `link` is the connection to Redis, if there is one."""

    bus: Bus
    locks: Locks
    limits: RateLimits
    presence: Presence
    link: RedisLink | None = None

    @property
    def lost(self) -> int:
        """How many messages of the bus could not be published."""
        return getattr(self.bus, "lost", 0)


@asynccontextmanager
async def opened_live(config: Config) -> AsyncIterator[Live]:
    """The shared parts, open. An absent Redis is no error; one that refuses us raises ConfigurationError."""
    if config.redis == EMBEDDED:
        yield Live(bus=LocalBus(), locks=LocalLocks(), limits=LocalRateLimits(), presence=LocalPresence())
        return
    from streams.redis import (  # noqa: PLC0415 # see the package's docstring
        RedisBus,
        RedisLink,
        RedisLocks,
        RedisPresence,
        RedisRateLimits,
    )

    link = RedisLink(config.redis)
    await link.start()
    bus = RedisBus(link)
    await bus.start()
    try:
        yield Live(
            bus=bus,
            locks=RedisLocks(link),
            limits=FallbackRateLimits(RedisRateLimits(link), LocalRateLimits()),
            presence=RedisPresence(link),
            link=link,
        )
    finally:
        await bus.close()
        await link.close()
