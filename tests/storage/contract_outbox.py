"""Replies on their way out, and receipts that overtook what they tell of."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from actors.errors import RejectedError
from storage.channel_records import ParkedReceipt, ReplyFile, ReplyFilter, ReplyRow
from tests.storage.flushes import NOW, everything

DAY_MS = 86_400_000


def reply(name, conversation="c1", at=NOW, platform="shopee", account="shop", **more):
    fields = {
        "key": f"{platform}/{account}/{conversation}",
        "who": "ann",
        "due_at": at,
        "idempotency_key": f"key of {name}",
        "digest": "0" * 64,
        "state": "queued",
        "text": "好的",
    }
    return ReplyRow(id=name, platform=platform, account=account, conversation=conversation, at=at, **(fields | more))


def receipt(message, name="r1", at=NOW, account="shop"):
    return ParkedReceipt(
        platform="shopee", account=account, message=message, id=name, at=at, body=b'{"type":"receipt"}'
    )


def ids(rows):
    return [row.id for row in rows]


class OutboxContract:
    async def _added(self, store, *rows):
        for row in rows:
            assert await store.add_reply(row) == row

    async def test_a_reply_comes_back_whole(self, store):
        row = reply(
            "w1",
            account="a/b%",
            state="unknown",
            recipient="u1",
            reply_to="m1",
            order="#1",
            resend_of="w0",
            files=[ReplyFile(digest="ab" * 32, name="图.png", mime="image/png", size=9)],
            attempts=3,
            claimed_at=NOW + 1,
            claimed_by="p1",
            settled_at=NOW + 2,
            platform_message="pm/1",
            code="429",
            reason="too many",
            version=4,
        )
        await self._added(store, row, reply("w2"))
        assert await store.reply("w1") == row
        assert await store.reply("w2") == reply("w2")
        assert await store.reply("w3") is None

    async def test_a_reply_added_again_is_the_first_one(self, store):
        first = reply("w1")
        await self._added(store, first)
        assert await store.add_reply(replace(first, text="another", state="new")) == first
        sent = replace(first, state="sent", version=1)
        assert await store.change_reply(sent, replaces=0)
        assert await store.add_reply(first) == sent
        assert await store.reply("w1") == sent

    async def test_of_many_who_add_one_reply_at_once_all_get_the_same(self, store, second):
        tries = [reply("w1", text=f"text {n}") for n in range(6)]
        held = await asyncio.gather(*((store, second)[n % 2].add_reply(one) for n, one in enumerate(tries)))
        assert held == [held[0]] * 6
        assert await store.reply("w1") == held[0]

    async def test_a_reply_is_changed_only_from_the_version_its_changer_saw(self, store):
        first = reply("w1")
        claimed = replace(first, state="claimed", claimed_at=NOW, version=1)
        assert not await store.change_reply(claimed, replaces=0)
        await self._added(store, first)
        assert not await store.change_reply(claimed, replaces=1)
        assert await store.reply("w1") == first
        assert await store.change_reply(claimed, replaces=0)
        assert not await store.change_reply(replace(claimed, text="late"), replaces=0)
        assert await store.reply("w1") == claimed

    async def test_of_many_who_change_one_reply_at_once_one_wins(self, store, second):
        await self._added(store, reply("w1"))
        tries = [reply("w1", state="claimed", claimed_by=f"p{n}", claimed_at=NOW, version=1) for n in range(6)]
        won = await asyncio.gather(
            *((store, second)[n % 2].change_reply(one, replaces=0) for n, one in enumerate(tries))
        )
        assert sum(won) == 1
        assert await store.reply("w1") == tries[won.index(True)]

    async def test_replies_come_newest_first_page_by_page_whatever_is_asked_for(self, store):
        rows = [
            reply(f"w{n}", f"c{n % 2}", NOW + n // 3, account=f"shop{n % 3}", state=state)
            for n, state in enumerate(("new", "queued", "claimed", "sent", "failed", "unknown") * 2)
        ]
        rows.append(reply("w90", "c0", NOW, platform="line", account="shop0", state="sent"))
        await self._added(store, *rows)
        rows.sort(key=lambda row: (-row.at, row.id))
        for where in (
            ReplyFilter(),
            ReplyFilter(states=("failed", "unknown")),
            ReplyFilter(states=()),
            ReplyFilter(platform="shopee"),
            ReplyFilter(account="shop0", states=("sent", "sent")),
            ReplyFilter(platform="shopee", account="shop0"),
            ReplyFilter(key="shopee/shop1/c1"),
            ReplyFilter(key="shopee/shop1/c1", platform="line"),
            ReplyFilter(key="shopee/shop1/c1", states=("queued", "failed")),
        ):
            wanted = [row for row in rows if _fits(row, where)]
            found = await everything(lambda size, cursor, w=where: store.replies(w, size, cursor), 2)
            assert ids(found) == ids(wanted)
        with pytest.raises(RejectedError):
            await store.replies(ReplyFilter(), 5, "nonsense")

    async def test_the_first_open_reply_of_each_conversation_is_due_and_no_other(self, store):
        await self._added(
            store,
            reply("a1", "a", NOW, state="sent"),
            reply("a2", "a", NOW, state="unknown"),
            reply("a3", "a", NOW + 1, due_at=NOW + 5),
            reply("a4", "a", NOW + 2),
            reply("b1", "b", NOW, state="claimed", claimed_at=NOW),
            reply("b2", "b", NOW + 1),
            reply("c1", "c", NOW, state="new"),
            reply("c2", "c", NOW + 1),
            reply("d1", "d", NOW, due_at=NOW + 100),
            reply("d2", "d", NOW + 1, due_at=NOW),
            reply("e2", "e", NOW, due_at=NOW + 4),
            reply("e1", "e", NOW, due_at=NOW + 4),
            reply("f1", "f", NOW + 3, due_at=NOW + 3),
            reply("g1", "g", NOW, state="failed"),
        )
        assert ids(await store.due_replies(NOW + 99, 10)) == ["f1", "e1", "a3"]
        assert ids(await store.due_replies(NOW + 99, 2)) == ["f1", "e1"]
        assert ids(await store.due_replies(NOW + 4, 10)) == ["f1", "e1"]
        assert ids(await store.due_replies(NOW - 1, 10)) == []
        assert ids(await store.due_replies(NOW + 100, 10)) == ["f1", "e1", "a3", "d1"]

    async def test_the_next_reply_is_due_once_the_one_before_is_settled(self, store):
        first = reply("w1")
        await self._added(store, first, *(reply(f"w{n}", at=NOW + n) for n in range(2, 8)))
        for version, state in enumerate(("claimed", "queued", "sent")):
            assert ids(await store.due_replies(NOW + 99, 10)) == (["w1"] if version != 1 else [])
            change = replace(first, state=state, claimed_at=NOW, version=version + 1)
            assert await store.change_reply(change, replaces=version)
        assert ids(await store.due_replies(NOW + 99, 10)) == ["w2"]

    async def test_a_long_queue_of_one_conversation_hides_nobody_elses_reply(self, store):
        await self._added(store, reply("a0", "a", state="claimed", claimed_at=NOW))
        await asyncio.gather(*(store.add_reply(reply(f"a{n}", "a", NOW + n)) for n in range(1, 30)))
        await self._added(store, reply("b1", "b", NOW + 50))
        assert ids(await store.due_replies(NOW + 99, 1)) == ["b1"]

    async def test_replies_that_hang_are_told_oldest_first(self, store):
        await self._added(
            store,
            reply("w1", at=NOW + 3, state="new"),
            reply("w2", at=NOW, state="claimed", claimed_at=NOW + 2),
            reply("w3", at=NOW, state="claimed", claimed_at=NOW + 9),
            reply("w4", at=NOW),
            reply("w5", at=NOW, state="unknown", claimed_at=NOW),
            reply("w6", at=NOW, state="sent", claimed_at=NOW),
        )
        assert ids(await store.stale_replies(NOW + 9, 10)) == ["w2", "w1"]
        assert ids(await store.stale_replies(NOW + 10, 2)) == ["w2", "w1"]
        assert ids(await store.stale_replies(NOW + 10, 10)) == ["w2", "w1", "w3"]
        assert await store.stale_replies(NOW, 10) == []

    async def test_the_unsettled_replies_of_a_conversation_come_oldest_first(self, store):
        states = ("new", "queued", "claimed", "sent", "failed", "unknown")
        await self._added(store, *(reply(f"w{n}", at=NOW - n, state=state) for n, state in enumerate(states)))
        await self._added(store, reply("w9", "c2", state="unknown"), reply("w8", at=NOW - 5, state="claimed"))
        assert ids(await store.unsettled_replies("shopee/shop/c1")) == ["w5", "w8", "w2"]
        assert await store.unsettled_replies("shopee/shop/c3") == []

    async def test_our_replies_are_known_by_the_platforms_ids_of_their_channel(self, store):
        await self._added(
            store,
            reply("w1", state="sent", platform_message="m/1"),
            reply("w2", state="sent", platform_message="m2"),
            reply("w3", state="sent", platform_message="m3", account="other"),
            reply("w4", state="sent"),
        )
        found = await store.reply_ids("shopee", "shop", ["m/1", "m2", "m3", "m4", *(f"x{n}" for n in range(700))])
        assert found == {"m/1": "w1", "m2": "w2"}
        assert await store.reply_ids("shopee", "shop", []) == {}
        assert await store.change_reply(reply("w2", state="sent", platform_message="m9", version=1), replaces=0)
        assert await store.reply_ids("shopee", "shop", ["m2", "m9"]) == {"m9": "w2"}

    async def test_a_receipt_is_parked_once_and_stays_until_it_is_dropped(self, store):
        first = receipt("m1")
        rows = [first, receipt("m1", "r0", NOW - 1), receipt("m2", "r2", NOW - 2), receipt("m1", account="other")]
        for row in [*rows, replace(first, at=NOW + 9)]:
            await store.park_receipt(row)
        assert await store.take_parked("shopee", "shop", ["m1", "m2", "m3"]) == [rows[2], rows[1], rows[0]]
        assert await store.take_parked("shopee", "shop", ["m1"]) == [rows[1], rows[0]]
        assert await store.take_parked("shopee", "shop", []) == []
        await store.drop_parked([rows[0], rows[2]])
        await store.drop_parked([rows[0]])
        await store.drop_parked([])
        assert await store.take_parked("shopee", "shop", ["m1", "m2"]) == [rows[1]]
        assert await store.take_parked("shopee", "other", ["m1"]) == [rows[3]]

    async def test_receipts_parked_for_long_are_told_oldest_first(self, store):
        rows = [receipt("m1", f"r{n}", NOW - n) for n in range(4)]
        for row in rows:
            await store.park_receipt(row)
        assert await store.parked_before(NOW, 5) == [rows[3], rows[2], rows[1]]
        assert await store.parked_before(NOW, 1) == [rows[3]]

    async def test_pruning_forgets_settled_replies_and_no_others(self, store):
        states = ("new", "queued", "claimed", "unknown", "sent", "failed")
        await self._added(store, *(reply(state, state, state=state, claimed_at=NOW) for state in states))
        await self._added(
            store,
            reply("late", state="sent", settled_at=NOW + 10),
            reply("early", at=NOW + 99, state="failed", settled_at=NOW + 1),
        )
        assert await store.prune(NOW) == 0
        assert await store.prune(NOW + 10) == 3
        rows = (await store.replies(ReplyFilter(), 20)).items
        assert set(ids(rows)) == {"new", "queued", "claimed", "unknown", "late"}

    async def test_pruning_forgets_receipts_parked_a_day_before_the_newest(self, store):
        rows = [receipt("m1", "r1", NOW - DAY_MS - 1), receipt("m1", "r2", NOW - DAY_MS), receipt("m1", "r3", NOW)]
        for row in rows[:2]:
            await store.park_receipt(row)
        assert await store.prune(NOW) == 0
        await store.park_receipt(rows[2])
        assert await store.prune(0) == 1
        assert await store.take_parked("shopee", "shop", ["m1"]) == rows[1:]


def _fits(row, where):
    return (
        (where.states is None or row.state in where.states)
        and where.platform in {None, row.platform}
        and where.account in {None, row.account}
        and where.key in {None, row.key}
    )
