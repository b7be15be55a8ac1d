"""What every rate limit does; `pair` is two of them that share their counts (they may be the same one)."""

from __future__ import annotations

import asyncio

from streams.coordination.rate_limits import Limit
from tests.streams.redis.conftest import until_it

SLOW = Limit(name="slow", most=3, window_ms=60_000)
WIDE = Limit(name="wide", most=5, window_ms=60_000)
QUICK = Limit(name="quick", most=2, window_ms=600)


async def passes(limits):
    return await limits.take((QUICK, "ann")) == 0


class RateLimitsContract:
    async def test_so_many_attempts_pass_and_then_none_until_the_window_is_over(self, pair):
        here, there = pair
        assert [await one.take((SLOW, "ann")) for one in (here, there, here)] == [0, 0, 0]
        for limits in pair:
            assert 59_000 < await limits.take((SLOW, "ann")) <= 60_000

    async def test_keys_and_limits_are_counted_apart(self, pair):
        here, _ = pair
        for _ in range(3):
            assert await here.take((SLOW, "ann")) == 0
        assert await here.take((SLOW, "bob")) == 0
        assert await here.take((WIDE, "ann")) == 0

    async def test_under_several_limits_an_attempt_counts_in_all_or_in_none(self, pair):
        here, _ = pair
        for _ in range(3):
            assert await here.take((SLOW, "ann"), (WIDE, "all")) == 0
        for _ in range(5):
            assert await here.take((SLOW, "ann"), (WIDE, "all")) > 0
        assert [await here.take((WIDE, "all")) for _ in range(2)] == [0, 0]
        assert await here.take((WIDE, "all")) > 0

    async def test_the_window_slides(self, pair):
        here, _ = pair
        assert await here.take((QUICK, "ann")) == 0
        assert await here.take((QUICK, "ann")) == 0
        wait = await here.take((QUICK, "ann"))
        assert 0 < wait <= QUICK.window_ms
        await until_it(lambda: passes(here))

    async def test_attempts_at_the_same_time_never_pass_together(self, pair):
        waits = await asyncio.gather(*(pair[n % 2].take((SLOW, "ann"), (WIDE, "all")) for n in range(40)))
        assert sum(wait == 0 for wait in waits) == SLOW.most

    async def test_an_attempt_given_back_can_be_taken_again(self, pair):
        here, there = pair
        for _ in range(3):
            await here.take((SLOW, "ann"))
        await there.give_back(SLOW, "ann")
        assert await here.take((SLOW, "ann")) == 0
        assert await here.take((SLOW, "ann")) > 0
        await there.give_back(SLOW, "never tried")

    async def test_a_forgotten_key_starts_anew(self, pair):
        here, there = pair
        for _ in range(3):
            await here.take((SLOW, "ann"))
        await there.forget(SLOW, "ann")
        assert [await here.take((SLOW, "ann")) for _ in range(3)] == [0, 0, 0]

    async def test_keys_may_hold_anything(self, pair):
        here, _ = pair
        for key in ("", "a b\n", "x" * 5000, "😀", "\ud800"):
            assert await here.take((SLOW, key)) == 0

    async def test_nothing_asked_is_allowed(self, pair):
        assert await pair[0].take() == 0
