"""The link of one process to Redis: bounded, timed out, watched, and restored by itself.

A circuit-breaker: the first call that fails opens it, from then on every call fails at once, and a probe of its own
(PING, with growing pauses) closes it again. No call is retried here: who asks knows whether asking twice is harmless.
"""

# pyright: reportUnknownMemberType=false
# redis-py annotates its client in part only.

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthenticationWrongNumberOfArgsError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from actors.errors import ConfigurationError
from streams.coordination.errors import CoordinationLostError
from streams.redis.heeding import heeding

logger = logging.getLogger(__name__)
T = TypeVar("T")

TIMEOUT_S = 2.0
HEALTH_S = 1.0
"""A link that nobody uses is probed this often."""
RETRY_LEAST_S, RETRY_MOST_S = 0.05, 2.0
MOST_CONNECTIONS = 16
LASTING = 4
"""Connections for the probe and the subscriptions."""
LOST = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError)
"""What the link itself is to blame for; any other RedisError is an answer."""
REFUSED = (AuthenticationError, AuthenticationWrongNumberOfArgsError, AuthorizationError, NoPermissionError)


class RedisLink:
    """One client for all adapters of the process. `start` it before use, `close` it last.

    Args:
        url: redis://[user:password@]host[:port][/database], rediss:// for TLS; certificates by ?ssl_ca_certs=….
        prefix: what every key and channel begins with; two deployments in one database need two.
        timeout_s: the longest that connecting, waiting for a connection, or one call may take.

    Raises:
        ConfigurationError: the address is none of Redis.

    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "weir",
        timeout_s: float = TIMEOUT_S,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        options = _parsed(url)
        self.name = _name(options)
        """Where it leads, without user or password."""
        self.prefix = prefix
        self.database = int(options.get("db", 0))
        self._password = str(options.get("password") or "")
        self._timeout_s = timeout_s
        pool = BlockingConnectionPool(timeout=timeout_s, **_bounded(options, timeout_s, most_connections))
        self.client = Redis.from_pool(pool)
        # The probe and the subscriptions must not have to wait for a connection of the pool above.
        self._lasting = Redis.from_pool(ConnectionPool(**_bounded(options, timeout_s, LASTING)))
        _check_options(pool)
        self._up = asyncio.Event()
        self._doubt = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._said: str | None = None
        self.trouble: str | None = f"Redis at {self.name} is not connected yet"
        """Why it does not work now, as a sentence; None while it does."""

    @property
    def connected(self) -> bool:
        """Whether calls are worth trying."""
        return self._up.is_set()

    def key(self, *parts: str) -> str:
        """The name of a key."""
        return ":".join((self.prefix, *parts))

    def channel(self, topic: str) -> str:
        """The name of a channel: unlike keys, channels are not kept apart by database."""
        return f"{self.prefix}:{self.database}:bus:{topic}"

    async def start(self) -> None:
        """Connect once and watch the link from now on; a Redis that is not there yet is no error.

        Raises ConfigurationError when Redis refuses the user or the password.
        """
        try:
            await self._probe()
        except REFUSED as wrong:
            await self._disconnect()
            raise ConfigurationError(
                f"setting redis: Redis at {self.name} refuses the user or the password: {self.told(wrong)}"
            ) from None
        except (*LOST, RedisError) as wrong:
            self.lose(wrong)
        else:
            self._works()
        self._watching = asyncio.create_task(self._watch(), name="redis link")

    async def close(self) -> None:
        """Disconnect for good."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            self._watching = None
        self._up.clear()
        self.trouble = f"the link to Redis at {self.name} is closed"
        await self._disconnect()

    async def up(self) -> None:
        """Wait until it works."""
        await self._up.wait()

    async def call(self, ask: Callable[[Redis], Awaitable[T]], *, within_s: float | None = None) -> T:
        """What `ask(client)` answers. Raises CoordinationLostError, at once while Redis is out of reach."""
        if not self.connected:
            raise CoordinationLostError(self.trouble or f"Redis at {self.name} is out of reach")
        try:
            async with asyncio.timeout(within_s or self._timeout_s):
                return await heeding(ask(self.client))
        except LOST as wrong:
            self.lose(wrong)
            raise CoordinationLostError(self.trouble) from None
        except RedisError as wrong:
            raise CoordinationLostError(f"Redis at {self.name} refused: {self.told(wrong)}") from None

    def lose(self, wrong: BaseException) -> None:
        """Somebody found the link broken: nobody uses it until a probe has been answered."""
        reason = self.told(wrong)
        self.trouble = (
            f"Redis at {self.name} is out of reach ({reason}); it is tried again by itself:"
            " see that it runs, and check the setting redis"
        )
        self._up.clear()
        self._doubt.set()
        if self._said is None:
            self._said = reason
            logger.warning("%s", self.trouble)

    def pubsub(self) -> PubSub:
        """A new subscriber on a connection of its own; the caller closes it."""
        return self._lasting.pubsub()

    def told(self, wrong: BaseException) -> str:
        """The error in words, never with the password."""
        words = str(wrong) or type(wrong).__name__
        return words.replace(self._password, "…") if self._password else words

    async def _probe(self) -> None:
        async with asyncio.timeout(self._timeout_s):
            await heeding(self._lasting.ping())

    async def _watch(self) -> None:
        backoff = ExponentialWithJitterBackoff(cap=RETRY_MOST_S, base=RETRY_LEAST_S)
        failures = 0
        while True:
            self._doubt.clear()
            try:
                await self._probe()
            except (*LOST, RedisError) as wrong:
                failures += 1
                self.lose(wrong)
                await self._drop_idle()
                await asyncio.sleep(max(RETRY_LEAST_S, backoff.compute(failures)))
            else:
                failures = 0
                self._works()
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEALTH_S):  # wait_for of Python 3.11 can swallow a cancellation
                        await self._doubt.wait()

    def _works(self) -> None:
        self.trouble = None
        self._up.set()
        if self._said is not None:
            self._said = None
            logger.warning("Redis at %s is back", self.name)

    async def _drop_idle(self) -> None:
        """Connections that were made to the Redis of before would each fail once more."""
        for client in (self.client, self._lasting):
            with suppress(*LOST):
                await client.connection_pool.disconnect(inuse_connections=False)

    async def _disconnect(self) -> None:
        for client in (self.client, self._lasting):
            with suppress(*LOST):
                await client.connection_pool.aclose()


def _parsed(url: str) -> dict[str, Any]:
    # The reason of a failed parse may quote the password, as would a host cut out of one: neither is passed on.
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    if "@" not in url or "@" in authority:
        with suppress(ValueError):
            return dict(parse_url(url))
    raise ConfigurationError(
        "setting redis: this is no address of Redis; it must be redis://[user:password@]host[:port][/database]"
        " or rediss://…, special characters of the password percent-encoded"
    )


def _check_options(pool: ConnectionPool) -> None:
    try:
        pool.make_connection()
    except (TypeError, ValueError) as wrong:
        raise ConfigurationError(f"setting redis: an option behind the ? does not fit: {wrong}") from None


def _name(options: dict[str, Any]) -> str:
    if "path" in options:
        return str(options["path"])
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db', 0)}"


def _bounded(options: dict[str, Any], timeout_s: float, most_connections: int) -> dict[str, Any]:
    """Options of a pool. RESP2, since Redis 6 and whatever else speaks its protocol understand it."""
    bounds = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": "weir",
        "max_connections": most_connections,
    }
    return bounds | options


__all__ = ["LOST", "RedisLink"]
