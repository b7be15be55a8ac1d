"""Which channels are bound to their platforms."""

from __future__ import annotations

import asyncio

import msgspec

from storage.records import AuditRow, BoundChannel
from tests.storage.flushes import NOW

AUDIT = AuditRow(at=NOW, who="ann", what="channel.bound", subject="channel shopee/shop")


def bound(account="shop", platform="shopee", **more):
    fields = {
        "url": f"https://weir.example.com/webhooks/{platform}/{account}",
        "settings": {"partner_id": "42", "地区": "新加坡"},
        "sealed": bytes(range(256)),
        "key": "0badcafe",
        "created_at": NOW,
        "created_by": "ann",
        "changed_at": NOW,
    }
    return BoundChannel(platform=platform, account=account, **(fields | more))


class BindingContract:
    async def _told(self, store):
        return [row.what for row in reversed((await store.audit(20)).items)]

    async def test_a_binding_comes_back_whole(self, store):
        assert (await store.bindings(), await store.binding("shopee", "shop")) == ([], None)
        assert await store.save_binding(bound(), AUDIT)
        assert await store.binding("shopee", "shop") == bound()
        assert await store.bindings() == [bound()]
        assert await store.binding("shopee", "other") is None
        assert await store.binding("lazada", "shop") is None
        assert await self._told(store) == ["channel.bound"]

    async def test_a_binding_tells_when_its_authorisation_runs_out_and_what_it_permits(self, store):
        granted = bound(expires_at=NOW + 5, refresh_by=NOW + 9, scopes=["read", "发送"])
        assert await store.save_binding(granted, AUDIT)
        assert await store.binding("shopee", "shop") == granted
        silent = bound(changed_at=NOW + 1)
        assert await store.save_binding(silent, AUDIT, replaces=NOW)
        assert (silent.expires_at, silent.refresh_by, silent.scopes) == (None, None, None)
        assert await store.binding("shopee", "shop") == silent

    async def test_bindings_come_by_platform_then_account_whatever_their_names_hold(self, store):
        places = [("shopee", name) for name in ("b", "a/b", "a", "A")] + [("line", "上海/1"), ("line", "a%2Fb")]
        for platform, account in places:
            assert await store.save_binding(bound(account, platform), AUDIT)
        assert [(row.platform, row.account) for row in await store.bindings()] == sorted(places)
        assert (await store.binding("shopee", "a/b")).account == "a/b"

    async def test_a_binding_is_changed_only_from_the_state_its_changer_saw(self, store):
        second = bound(url="https://second", changed_at=NOW + 5, key="00000002")
        change = msgspec.structs.replace(AUDIT, what="channel.changed")
        assert not await store.save_binding(second, change, replaces=NOW)
        assert await store.save_binding(bound(), AUDIT)
        assert not await store.save_binding(second, AUDIT)
        assert not await store.save_binding(second, change, replaces=NOW - 1)
        assert await store.binding("shopee", "shop") == bound()
        assert await store.save_binding(second, change, replaces=NOW)
        assert not await store.save_binding(bound(changed_at=NOW + 6), change, replaces=NOW)
        assert await store.bindings() == [second]
        assert await self._told(store) == ["channel.bound", "channel.changed"]

    async def test_of_many_who_bind_one_channel_at_once_one_is_first(self, store):
        tries = [bound(url=f"https://{n}") for n in range(6)]
        won = await asyncio.gather(*(store.save_binding(one, AUDIT) for one in tries))
        assert sum(won) == 1
        assert await self._told(store) == ["channel.bound"]
        assert await store.bindings() == [tries[won.index(True)]]

    async def test_a_binding_is_forgotten_once_and_may_be_made_again(self, store):
        gone = msgspec.structs.replace(AUDIT, what="channel.unbound")
        assert not await store.delete_binding("shopee", "shop", gone)
        for _ in range(2):
            assert await store.save_binding(bound(), AUDIT)
            await store.save_binding(bound("other"), AUDIT)
            assert await store.delete_binding("shopee", "shop", gone)
            assert not await store.delete_binding("shopee", "shop", gone)
            assert await store.binding("shopee", "shop") is None
            assert [row.account for row in await store.bindings()] == ["other"]
            assert not await store.save_binding(bound(), AUDIT, replaces=NOW)
        told = await self._told(store)
        assert told.count("channel.unbound") == 2
        assert told.count("channel.bound") == 3
