"""Redis between the processes of a cluster: the live bus, presence, rate limits, locks. Nothing here keeps a message.

`link.py` is the one connection to Redis of a process, and knows whether it works; `bus.py`, `presence.py`,
`rate_limits.py` and `locks.py` are the adapters of streams/bus.py and streams/coordination. Nobody else imports redis.
Losing Redis degrades: publishing drops and counts, everything else raises CoordinationLostError at once.
"""

from streams.redis.bus import RedisBus
from streams.redis.link import RedisLink
from streams.redis.locks import RedisLocks
from streams.redis.presence import RedisPresence
from streams.redis.rate_limits import RedisRateLimits

__all__ = ["RedisBus", "RedisLink", "RedisLocks", "RedisPresence", "RedisRateLimits"]
