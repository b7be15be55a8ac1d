"""Locks in Redis: one hash per name that never expires, so that its token can only rise; the clock is Redis' own.

One Redis decides. Should it forget (a restart without its data, a fail-over to a replica that lagged), a lock may be
handed out a second time; the new holder's token is larger all the same, being the time: that is what tokens are for.
"""

from __future__ import annotations

from time import monotonic

from streams.coordination.locks import Lease
from streams.redis.link import RedisLink

CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
local token, till = unpack(redis.call('HMGET', KEYS[1], 'token', 'until'))
"""
ACQUIRE = (
    CLOCK
    + """
if till and tonumber(till) > now then
  return false
end
local fresh = whole(math.max(now, (tonumber(token) or 0) + 1))
redis.call('HSET', KEYS[1], 'token', fresh, 'until', whole(now + ARGV[1] * 1000))
return fresh
"""
)
RENEW = (
    CLOCK
    + """
if token ~= ARGV[1] or till == '0' then
  return 0
end
redis.call('HSET', KEYS[1], 'until', whole(now + ARGV[2] * 1000))
return 1
"""
)
RELEASE = (
    CLOCK
    + """
if token ~= ARGV[1] or till == '0' then
  return 0
end
redis.call('HSET', KEYS[1], 'until', '0')
return 1
"""
)


class RedisLocks:
    """The locks of all processes. Its calls raise CoordinationLostError while Redis is out of reach."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._acquire = link.client.register_script(ACQUIRE)
        self._renew = link.client.register_script(RENEW)
        self._release = link.client.register_script(RELEASE)

    async def acquire(self, name: str, ttl_s: float) -> Lease | None:
        """The lock, or None while it is held. Should the answer be lost, nobody has it until its span is over."""
        asked = monotonic()
        token = await self._link.call(lambda _: self._acquire(keys=[self._key(name)], args=[_ms(ttl_s)]))
        return None if token is None else Lease(name=name, token=int(token), until=asked + ttl_s)

    async def renew(self, lease: Lease, ttl_s: float) -> Lease | None:
        """The same lock for longer."""
        asked = monotonic()
        arguments = [lease.token, _ms(ttl_s)]
        renewed = await self._link.call(lambda _: self._renew(keys=[self._key(lease.name)], args=arguments))
        return Lease(name=lease.name, token=lease.token, until=asked + ttl_s) if renewed else None

    async def release(self, lease: Lease) -> bool:
        """Let go of it."""
        released = await self._link.call(lambda _: self._release(keys=[self._key(lease.name)], args=[lease.token]))
        return bool(released)

    def _key(self, name: str) -> str:
        return self._link.key("lock", name)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


__all__ = ["RedisLocks"]
