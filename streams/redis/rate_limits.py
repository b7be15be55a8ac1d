"""Attempts counted in Redis: one sorted set per key, scored by Redis' own clock, decided by one script."""

from __future__ import annotations

import secrets

from redis.asyncio import Redis

from streams.coordination.rate_limits import Limit
from streams.redis.link import RedisLink
from streams.redis.names import digest

TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait = 0
for i, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[2 * i]), ARGV[2 * i + 1] * 1000
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  redis.call('ZREMRANGEBYSCORE', key, now + 1000000, '+inf')
  local count = redis.call('ZCARD', key)
  if count >= most then
    local last = redis.call('ZRANGE', key, count - most, count - most, 'WITHSCORES')
    wait = math.max(wait, last[2] + window - now)
  end
end
if wait > 0 then
  return math.ceil(wait / 1000)
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2 * i + 1])
end
return 0
"""
"""KEYS: one per limit. ARGV: a name for the attempt, then `most` and the window (ms) of each.

Attempts from the future are left of a clock that was set back: they would lock everybody out until then.
"""


class RedisRateLimits:
    """The rate limits of all processes. Its calls raise CoordinationLostError while Redis is out of reach."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._take = link.client.register_script(TAKE)

    async def take(self, *asked: tuple[Limit, str]) -> int:
        """Count one attempt under all, or under none."""
        if not asked:
            return 0
        keys = [self._key(limit, key) for limit, key in asked]
        arguments: list[str | int] = [secrets.token_hex(8)]
        for limit, _ in asked:
            arguments += [limit.most, limit.window_ms]
        return int(await self._link.call(lambda _: self._take(keys=keys, args=arguments)))

    async def give_back(self, limit: Limit, key: str) -> None:
        """Take back the latest attempt."""

        async def pop(client: Redis) -> None:
            await client.zpopmax(self._key(limit, key))

        await self._link.call(pop)

    async def forget(self, limit: Limit, key: str) -> None:
        """Forget every attempt."""

        async def delete(client: Redis) -> None:
            await client.delete(self._key(limit, key))

        await self._link.call(delete)

    def _key(self, limit: Limit, key: str) -> str:
        return self._link.key("limit", limit.name, digest(key))


__all__ = ["RedisRateLimits"]
