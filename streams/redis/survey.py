"""What Redis says of itself, for whoever checks a deployment. It changes nothing."""

from __future__ import annotations

import time
from typing import Any, cast

from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams.redis.link import RedisLink


class RedisSurvey(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, `most_memory` 0 for no bound; `policy` is None where asking is forbidden.

    `ahead_ms`: by how much its clock is ahead of this machine's, give or take half the time the question took.
    """

    version: str
    memory: int
    most_memory: int
    clients: int
    policy: str | None
    ahead_ms: int
    took_ms: int


async def survey(link: RedisLink) -> RedisSurvey:
    """Ask once, over a started link. Raises CoordinationLostError."""
    return await link.call(_asked)


async def _asked(asked: Redis) -> RedisSurvey:
    client = cast("Any", asked)  # redis-py's annotations are partial
    info: dict[str, Any] = await client.info()
    began = time.time()
    seconds, micros = await client.time()
    ended = time.time()
    return RedisSurvey(
        version=str(info.get("redis_version", "?")),
        memory=int(info.get("used_memory", 0)),
        most_memory=int(info.get("maxmemory", 0)),
        clients=int(info.get("connected_clients", 0)),
        policy=info.get("maxmemory_policy") or await _policy(client),
        ahead_ms=round((seconds + micros / 1e6 - (began + ended) / 2) * 1000),
        took_ms=round((ended - began) * 1000),
    )


async def _policy(client: Any) -> str | None:
    try:
        return (await client.config_get("maxmemory-policy")).get("maxmemory-policy")
    except RedisError:
        return None  # hosted services forbid CONFIG


__all__ = ["RedisSurvey", "survey"]
