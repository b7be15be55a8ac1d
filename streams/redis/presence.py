"""Presence in Redis: one hash per room, a field per session; every call forgets those whose time is over."""

from __future__ import annotations

from streams.coordination.presence import MOST_IN_A_ROOM, TYPING_MS, VIEWING_MS, Present, in_order
from streams.redis.link import RedisLink
from streams.redis.names import digest

ALIVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stays, count, oldest, least = {}, 0, nil, math.huge
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local till, typing, who = string.match(fields[i + 1], '^(%d+) (%d+) (.*)$')
  if tonumber(till) <= now then
    redis.call('HDEL', KEYS[1], fields[i])
  else
    count = count + 1
    stays[fields[i]] = {typing = tonumber(typing) > now, who = who}
    if tonumber(till) < least and fields[i] ~= ARGV[1] then
      oldest, least = fields[i], tonumber(till)
    end
  end
end
"""
SEEN = (
    ALIVE
    + """
if not stays[ARGV[1]] and count >= tonumber(ARGV[5]) then
  redis.call('HDEL', KEYS[1], oldest)
end
local typing = tonumber(ARGV[4]) > 0 and now + ARGV[4] or 0
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f ', now + ARGV[3], typing) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
)
"""ARGV: session, who, how long (ms) it is there, how long it types (0: not), the most in a room."""
PRESENT = (
    ALIVE
    + """
local found = {}
for session, stay in pairs(stays) do
  found[#found + 1] = session
  found[#found + 1] = stay.who
  found[#found + 1] = stay.typing and 1 or 0
end
return found
"""
)
LONGEST = 200


class RedisPresence:
    """The presence in all processes. Its calls raise CoordinationLostError while Redis is out of reach."""

    def __init__(
        self,
        link: RedisLink,
        *,
        viewing_ms: int = VIEWING_MS,
        typing_ms: int = TYPING_MS,
        most: int = MOST_IN_A_ROOM,
    ) -> None:
        self._link = link
        self._viewing_ms = viewing_ms
        self._typing_ms = typing_ms
        self._most = most
        self._seen = link.client.register_script(SEEN)
        self._present = link.client.register_script(PRESENT)

    async def seen(self, room: str, session: str, who: str, *, typing: bool = False) -> None:
        """The session has the room open."""
        typing_ms = self._typing_ms if typing else 0
        arguments = [session[:LONGEST], who[:LONGEST], self._viewing_ms, typing_ms, self._most]
        await self._link.call(lambda _: self._seen(keys=[self._key(room)], args=arguments))

    async def left(self, room: str, session: str) -> None:
        """The session has left the room."""
        await self._link.call(lambda client: client.hdel(self._key(room), session[:LONGEST]))

    async def present(self, room: str) -> list[Present]:
        """Who is there."""
        found = await self._link.call(lambda _: self._present(keys=[self._key(room)], args=[""]))
        return in_order(
            [
                Present(session=session.decode(), who=who.decode(), typing=bool(typing))
                for session, who, typing in zip(found[::3], found[1::3], found[2::3], strict=True)
            ]
        )

    def _key(self, room: str) -> str:
        return self._link.key("presence", digest(room))


__all__ = ["RedisPresence"]
