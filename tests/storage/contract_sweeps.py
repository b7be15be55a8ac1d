"""How far each channel is compared with its platform."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from storage.channel_records import SweepRow
from tests.storage.flushes import NOW


class SweepContract:
    async def test_a_sweep_comes_back_whole_and_its_last_state_counts(self, store):
        assert (await store.sweeps(), await store.sweep("shopee", "shop")) == ([], None)
        first = SweepRow(
            platform="shopee",
            account="shop",
            cursor={"a.b": {"$c": [1, None]}, "页": "2"},
            swept_to=NOW,
            began_at=NOW + 1,
            ended_at=NOW + 2,
            checked=5,
            new=1,
            duplicate=4,
            new_ever=9,
            failing_since=NOW,
            reason="busy",
            version=1,
        )
        assert await store.save_sweep(first, replaces=0)
        assert await store.sweep("shopee", "shop") == first
        later = replace(first, cursor={}, failing_since=None, reason=None, version=2)
        assert await store.save_sweep(later, replaces=1)
        assert await store.sweeps() == [later]
        assert await store.sweep("shopee", "other") is None

    async def test_sweeps_come_by_platform_then_account_whatever_their_names_hold(self, store):
        places = [("shopee", name) for name in ("b", "a/b", "a", "A")] + [("line", "上海/1"), ("line", "a%2Fb")]
        for platform, account in places:
            assert await store.save_sweep(SweepRow(platform=platform, account=account, version=1), replaces=0)
        assert [(row.platform, row.account) for row in await store.sweeps()] == sorted(places)
        assert (await store.sweep("shopee", "a/b")).account == "a/b"

    async def test_of_two_who_change_a_sweep_at_once_one_succeeds(self, store, second):
        def row(version, new):
            return SweepRow(platform="shopee", account="shop", version=version, new=new)

        done = await asyncio.gather(*(one.save_sweep(row(1, at), replaces=0) for at, one in enumerate((store, second))))
        assert sorted(done) == [False, True]
        assert done[(await second.sweep("shopee", "shop")).new]
        assert not await store.save_sweep(row(1, 7), replaces=0)
        assert not await store.save_sweep(row(3, 7), replaces=2)
        done = await asyncio.gather(*(one.save_sweep(row(2, at), replaces=1) for at, one in enumerate((store, second))))
        assert sorted(done) == [False, True]
        assert done[(await store.sweep("shopee", "shop")).new]
        assert not await store.save_sweep(SweepRow(platform="shopee", account="other", version=2), replaces=1)
        assert await store.sweep("shopee", "other") is None
