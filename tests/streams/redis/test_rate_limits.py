"""Rate limits within one process, through Redis, and while Redis is lost."""

from __future__ import annotations

import pytest

from streams.coordination.errors import CoordinationLostError
from streams.coordination.rate_limits import FallbackRateLimits, LocalRateLimits
from streams.redis import RedisRateLimits
from tests.streams.redis.conftest import until
from tests.streams.redis.rate_limits_contract import SLOW, RateLimitsContract


class TestLocalRateLimits(RateLimitsContract):
    @pytest.fixture
    def pair(self):
        limits = LocalRateLimits()
        return limits, limits


@pytest.mark.services
class TestRedisRateLimits(RateLimitsContract):
    @pytest.fixture
    async def pair(self, linked):
        return RedisRateLimits(await linked()), RedisRateLimits(await linked())


@pytest.mark.services
class TestFallbackRateLimits(RateLimitsContract):
    @pytest.fixture
    async def pair(self, linked):
        return [FallbackRateLimits(RedisRateLimits(await linked()), LocalRateLimits()) for _ in range(2)]


async def test_the_memory_of_attempts_is_bounded():
    limits = LocalRateLimits(most_kept=10)
    for number in range(1000):
        await limits.take((SLOW, f"key {number}"))
    assert limits.kept == 10


@pytest.mark.services
async def test_redis_keeps_no_names_and_nothing_for_longer_than_the_window(linked, prefix):
    link = await linked()
    limits = RedisRateLimits(link)
    await limits.take((SLOW, "10.0.0.1 ann"))
    (key,) = [key async for key in link.client.scan_iter(f"{prefix}:*")]
    assert b"ann" not in key
    assert b"10.0" not in key
    assert 0 < await link.client.pttl(key) <= SLOW.window_ms


@pytest.mark.services
async def test_a_clock_of_redis_that_was_set_back_locks_nobody_out(linked):
    link = await linked()
    limits = RedisRateLimits(link)
    await limits.take((SLOW, "ann"))
    key = limits._key(SLOW, "ann")
    seconds, _ = await link.client.time()
    await link.client.zadd(key, {f"hour {n}": (seconds + 3600) * 1_000_000 for n in range(3)})
    assert await limits.take((SLOW, "ann")) == 0


@pytest.mark.services
async def test_without_redis_each_process_counts_by_itself_and_never_stops_counting(linked, server):
    link = await linked()
    limits = FallbackRateLimits(RedisRateLimits(link), LocalRateLimits())
    assert await limits.take((SLOW, "ann")) == 0
    await server.kill()
    with pytest.raises(CoordinationLostError):
        await RedisRateLimits(link).take((SLOW, "ann"))
    assert [await limits.take((SLOW, "ann")) for _ in range(2)] == [0, 0]
    assert await limits.take((SLOW, "ann")) > 0
    await limits.give_back(SLOW, "ann")
    assert await limits.take((SLOW, "ann")) == 0
    await limits.forget(SLOW, "ann")
    assert await limits.take((SLOW, "ann")) == 0


@pytest.mark.services
async def test_with_redis_back_all_processes_count_together_again(linked, server):
    first, second = [FallbackRateLimits(RedisRateLimits(await linked()), LocalRateLimits()) for _ in range(2)]
    await server.kill()
    assert await first.take((SLOW, "ann")) == 0
    await server.start()
    for limits in (first, second):
        await until(lambda limits=limits: limits._shared._link.connected)
    assert [await one.take((SLOW, "ann")) for one in (first, second, first)] == [0, 0, 0]
    assert await second.take((SLOW, "ann")) > 0
