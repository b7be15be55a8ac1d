"""What every lock does; `pair` is two of them that share their locks (they may be the same one)."""

from __future__ import annotations

import asyncio
from time import monotonic

from tests.streams.redis.conftest import until, until_it

LONG_S, SHORT_S = 60.0, 0.1


class LocksContract:
    async def test_only_one_has_a_lock_at_a_time(self, pair):
        here, there = pair
        lease = await here.acquire("upkeep", LONG_S)
        assert lease.name == "upkeep"
        assert lease.valid()
        assert not lease.valid(monotonic() + LONG_S)
        assert await there.acquire("upkeep", LONG_S) is None
        assert await here.acquire("upkeep", LONG_S) is None
        assert await there.acquire("another", LONG_S)

    async def test_of_many_at_the_same_time_one_gets_it(self, pair):
        leases = await asyncio.gather(*(pair[n % 2].acquire("upkeep", LONG_S) for n in range(20)))
        assert sum(lease is not None for lease in leases) == 1

    async def test_a_released_lock_is_free_and_its_next_token_is_larger(self, pair):
        here, there = pair
        tokens = []
        for locks in (here, there, here, there):
            lease = await locks.acquire("upkeep", LONG_S)
            tokens.append(lease.token)
            assert await locks.release(lease)
            assert not await locks.release(lease)
            assert await locks.renew(lease, LONG_S) is None
        assert tokens == sorted(set(tokens))

    async def test_a_lock_ends_by_itself_and_its_late_holder_has_the_smaller_token(self, pair):
        here, there = pair
        asleep = await here.acquire("upkeep", SHORT_S)
        successor = await until_it(lambda: there.acquire("upkeep", LONG_S))
        assert not asleep.valid()
        assert asleep.token < successor.token
        assert await here.renew(asleep, LONG_S) is None
        assert not await here.release(asleep)
        assert await here.acquire("upkeep", LONG_S) is None
        assert await there.renew(successor, LONG_S)

    async def test_a_renewed_lock_keeps_its_token_and_lasts_longer(self, pair):
        here, there = pair
        lease = await here.acquire("upkeep", SHORT_S)
        renewed = await here.renew(lease, LONG_S)
        assert (renewed.name, renewed.token) == (lease.name, lease.token)
        assert renewed.until > lease.until
        assert await there.acquire("upkeep", LONG_S) is None

    async def test_a_lock_that_ended_unnoticed_by_anybody_can_still_be_renewed(self, pair):
        here, _ = pair
        lease = await here.acquire("upkeep", 0.001)
        await until(lambda: not lease.valid())
        assert (await here.renew(lease, LONG_S)).token == lease.token
        assert await here.acquire("upkeep", LONG_S) is None
