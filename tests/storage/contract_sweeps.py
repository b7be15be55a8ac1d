"""How far each channel is compared with its platform."""

from __future__ import annotations

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
        )
        await store.put_sweep(first)
        assert await store.sweep("shopee", "shop") == first
        later = replace(first, cursor={}, failing_since=None, reason=None)
        await store.put_sweep(later)
        assert await store.sweeps() == [later]
        assert await store.sweep("shopee", "other") is None

    async def test_sweeps_come_by_platform_then_account_whatever_their_names_hold(self, store):
        places = [("shopee", name) for name in ("b", "a/b", "a", "A")] + [("line", "上海/1"), ("line", "a%2Fb")]
        for platform, account in places:
            await store.put_sweep(SweepRow(platform=platform, account=account))
        assert [(row.platform, row.account) for row in await store.sweeps()] == sorted(places)
        assert (await store.sweep("shopee", "a/b")).account == "a/b"
