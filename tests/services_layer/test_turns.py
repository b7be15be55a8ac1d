"""One at a time, and only while the lock is held."""

from __future__ import annotations

import asyncio

import pytest

from services.channels.turns import in_turn, turn_of
from streams.coordination.errors import CoordinationLostError
from streams.coordination.locks import LocalLocks


async def test_who_comes_second_does_nothing():
    locks, began, go_on = LocalLocks(), asyncio.Event(), asyncio.Event()
    done = []

    async def work():
        began.set()
        await go_on.wait()
        done.append(1)

    first = asyncio.create_task(in_turn(locks, "a", work))
    await began.wait()
    assert await in_turn(locks, "a", work) is False
    go_on.set()
    assert await first is True
    assert await in_turn(locks, "a", work) is True
    assert done == [1, 1]


async def test_what_the_work_raises_is_raised_and_the_lock_let_go():
    locks = LocalLocks()

    async def work():
        raise ValueError("wrong")

    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"):
            await in_turn(locks, "a", work)


async def test_a_lock_is_renewed_while_the_work_lasts():
    locks = LocalLocks()
    renewed = asyncio.Event()

    class Counting(LocalLocks):
        async def renew(self, lease, ttl_s):
            found = await super().renew(lease, ttl_s)
            renewed.set()
            return found

    locks = Counting()
    assert await in_turn(locks, "a", renewed.wait, ttl_s=0.06) is True


async def test_work_whose_lock_is_lost_is_ended():
    ended = []

    class Losing(LocalLocks):
        async def renew(self, _lease, _ttl_s):
            return None

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    assert await in_turn(Losing(), "a", work, ttl_s=0.03) is False
    assert ended == [1]


async def test_while_nobody_knows_whose_turn_it_is_it_is_nobodys():
    class Gone(LocalLocks):
        async def acquire(self, _name, _ttl_s):
            raise CoordinationLostError("gone")

    assert await in_turn(Gone(), "a", asyncio.Event().wait) is False


async def test_who_is_cancelled_takes_the_work_along():
    locks, began, ended = LocalLocks(), asyncio.Event(), []

    async def work():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    running = asyncio.create_task(in_turn(locks, "a", work))
    await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [1]
    assert await locks.acquire("a", 1) is not None


def test_a_lock_does_not_show_whose_account_it_is():
    assert "anna" not in turn_of("email/anna@example.com")
    assert turn_of("a/b") != turn_of("a/c")
