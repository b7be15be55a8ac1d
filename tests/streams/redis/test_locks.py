"""Locks within one process, and through Redis, which may forget them."""

from __future__ import annotations

import asyncio

import pytest

from streams.coordination.duty import Duty
from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import LocalLocks
from streams.redis import RedisLocks
from tests.streams.redis.conftest import until
from tests.streams.redis.locks_contract import LONG_S, LocksContract

DAY_US = 86_400_000_000


class TestLocalLocks(LocksContract):
    @pytest.fixture
    def pair(self):
        locks = LocalLocks()
        return locks, locks


@pytest.mark.services
class TestRedisLocks(LocksContract):
    @pytest.fixture
    async def pair(self, linked):
        return RedisLocks(await linked()), RedisLocks(await linked())


async def test_tokens_rise_even_when_the_clock_is_set_back():
    clock = [1_800_000_000_000_000]
    locks = LocalLocks(wall=lambda: clock[0])
    first = await locks.acquire("upkeep", LONG_S)
    await locks.release(first)
    clock[0] -= DAY_US
    assert (await locks.acquire("upkeep", LONG_S)).token == first.token + 1


@pytest.mark.services
async def test_tokens_rise_even_when_redis_has_forgotten_everything(linked):
    link = await linked()
    locks = RedisLocks(link)
    asleep = await locks.acquire("upkeep", LONG_S)
    await link.client.delete(link.key("lock", "upkeep"))
    successor = await locks.acquire("upkeep", LONG_S)
    assert successor.token > asleep.token
    assert await locks.renew(asleep, LONG_S) is None
    assert not await locks.release(asleep)


@pytest.mark.services
async def test_tokens_in_redis_are_exact_and_rise_past_a_clock_that_was_set_back(linked):
    link = await linked()
    locks = RedisLocks(link)
    seconds, _ = await link.client.time()
    ahead = (seconds + 86_400) * 1_000_000 + 1
    await link.client.hset(link.key("lock", "upkeep"), mapping={"token": ahead, "until": 0})
    assert (await locks.acquire("upkeep", LONG_S)).token == ahead + 1


@pytest.mark.services
async def test_a_lock_outlives_a_restart_of_redis_and_a_lost_redis_is_told(linked, server):
    link = await linked()
    locks = RedisLocks(link)
    lease = await locks.acquire("upkeep", LONG_S)
    await server.kill()
    for call in (locks.acquire("upkeep", LONG_S), locks.renew(lease, LONG_S), locks.release(lease)):
        with pytest.raises(CoordinationLostError):
            await call
    assert lease.valid()
    await server.start()
    await until(lambda: link.connected)
    fresh = await locks.acquire("upkeep", LONG_S)
    assert fresh is None or fresh.token > lease.token


class Worker:
    """Work that notes when it is on and off."""

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.active = False

    async def __call__(self, lease):
        self.active = True
        self.log.append((self.name, lease.token))
        try:
            await asyncio.Event().wait()
        finally:
            self.active = False


@pytest.fixture
def on_duty():
    """`on_duty(locks, worker, ttl_s)` runs a duty; all end with the test."""
    tasks = []

    def start(locks, worker, ttl_s=1.0):
        task = asyncio.create_task(Duty(locks, "upkeep", worker, ttl_s=ttl_s).run())
        tasks.append(task)
        return task

    yield start
    for task in tasks:
        task.cancel()


async def stopped(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_duty_is_done_by_one_and_taken_over_when_that_one_ends(on_duty):
    locks, log = LocalLocks(), []
    workers = [Worker(name, log) for name in ("a", "b")]
    first, second = [on_duty(locks, worker) for worker in workers]
    await until(lambda: any(w.active for w in workers))
    assert workers[0].active
    assert not workers[1].active
    await stopped(first)
    await until(lambda: workers[1].active)
    assert not workers[0].active
    await stopped(second)
    assert [name for name, _ in log] == ["a", "b"]
    assert log[0][1] < log[1][1]


@pytest.mark.services
async def test_who_loses_redis_ends_its_duty_before_its_lock_does(linked, server):
    log = []
    worker = Worker("a", log)
    duty = Duty(RedisLocks(await linked()), "upkeep", worker, ttl_s=1.0)
    running = asyncio.create_task(duty.run())
    await until(lambda: worker.active)
    await server.kill()
    held = duty.lease
    await until(lambda: not worker.active)
    assert duty.lease is None
    assert held.token == log[0][1]
    await server.start()
    await until(lambda: worker.active)
    assert log[1][1] >= log[0][1]
    await stopped(running)


async def test_a_duty_whose_work_fails_says_so_and_lets_the_lock_go(on_duty):
    locks = LocalLocks()

    async def fail(_lease):
        raise ValueError("broken work")

    task = on_duty(locks, fail)
    with pytest.raises(ValueError, match="broken work"):
        await task
    assert await locks.acquire("upkeep", LONG_S)
