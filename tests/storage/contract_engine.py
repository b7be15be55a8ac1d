"""The engine's part of the storage port."""

from __future__ import annotations

import asyncio

import pytest

from actors.effects import AttachmentChanged, Effects, HopReached, KeyRemembered
from actors.state import WEEK
from storage.errors import FencedError
from storage.records import AnomalyFilter, Batch, ChannelRow, PartitionMark, StateRow
from tests.storage.flushes import NOW, Flushes, anomaly, stored

KEY = "shopee/shop/c1"


class EngineContract:
    async def test_a_partition_never_saved_has_a_fresh_mark(self, store):
        assert await store.mark(3) == PartitionMark(partition=3)
        assert await store.marks() == []

    async def test_a_saved_mark_comes_back_whole(self, store):
        mark = await Flushes(store)(partition=2)
        assert await store.mark(2) == mark
        assert await store.marks() == [mark]

    async def test_states_come_back_byte_for_byte(self, store):
        odd = bytes(range(256))
        rows = [StateRow(KEY, odd, NOW), StateRow("a/b/%2F", b"", None)]
        channels = [StateRow("shopee/shop", odd, 7)]
        await Flushes(store)(conversations=rows, channels=channels)
        found = await store.conversation_states(["a/b/%2F", "no/such/key", KEY])
        assert sorted(found, key=lambda row: row.key) == sorted(rows, key=lambda row: row.key)
        assert await store.channel_states(0) == channels
        assert await store.channel_states(1) == []

    async def test_a_later_state_replaces_the_earlier(self, store):
        save = Flushes(store)
        await save(conversations=[StateRow(KEY, b"1", 5)], channels=[StateRow("shopee/shop", b"1", 5)])
        await save(conversations=[StateRow(KEY, b"2", None)], channels=[StateRow("shopee/shop", b"2", None)])
        assert await store.conversation_states([KEY]) == [StateRow(KEY, b"2", None)]
        assert await store.channel_states(0) == [StateRow("shopee/shop", b"2", None)]
        assert await store.armed(0) == []

    async def test_only_conversations_with_a_timer_are_armed(self, store):
        rows = [StateRow(f"a/b/{n}", b"s", n if n % 2 else None) for n in range(6)]
        await Flushes(store)(conversations=rows)
        await Flushes(store)(conversations=[StateRow("a/b/other", b"s", 1)], partition=1)
        assert sorted(await store.armed(0)) == [(1, "a/b/1"), (3, "a/b/3"), (5, "a/b/5")]

    async def test_many_states_are_read_at_once(self, store):
        rows = [StateRow(f"a/b/{n}", b"%d" % n, None) for n in range(4_500)]
        await Flushes(store)(conversations=rows)
        found = await store.conversation_states([row.key for row in rows])
        assert {row.key: row.state for row in found} == {row.key: row.state for row in rows}

    async def test_sent_times_of_a_channel_ascend_and_include_merged_ones(self, store):
        await Flushes(store)(
            stored("m1", sent_at=NOW - 5),
            stored("m2", sent_at=NOW - 9),
            stored("m3", sent_at=NOW - 1, merged_into="m1"),
            stored("m4", sent_at=NOW - 3, conversation="c2"),
            stored("m5", sent_at=NOW - 3, account="other"),
        )
        assert await store.sent_times("shopee/shop", NOW - 5) == [NOW - 5, NOW - 3, NOW - 1]
        assert await store.sent_times("no/channel", 0) == []

    async def test_event_keys_of_a_partition_come_back_byte_for_byte_by_time(self, store):
        rows = [
            KeyRemembered("a/b", bytes(8), NOW - 5),
            KeyRemembered("c/%2F", bytes(range(248, 256)), NOW - 4),
            KeyRemembered("a/b", b"\xff" * 8, NOW - 3),
        ]
        save = Flushes(store)
        await save(rows[1], rows[2])
        await save(rows[0])
        await save(KeyRemembered("d/e", b"\x01" * 8, NOW), partition=1)
        assert await store.event_keys(0, 0) == rows
        assert await store.event_keys(0, NOW - 4) == rows[1:]
        assert await store.event_keys(0, NOW) == []
        assert await store.event_keys(2, 0) == []

    async def test_an_event_key_saved_again_is_held_once_and_one_remembered_anew_ends_with_the_newer_time(self, store):
        save = Flushes(store)
        old, new = (KeyRemembered("a/b", b"12345678", at) for at in (NOW - WEEK - 1, NOW))
        await save(old)
        await save(old)
        assert await store.event_keys(0, 0) == [old]
        await save(new)
        assert await store.event_keys(0, NOW - WEEK) == [new]
        assert (await store.event_keys(0, 0))[-1] == new

    async def test_many_event_keys_come_back_once_each(self, store):
        # Many of one instant, so that pages are cut in the middle of it.
        rows = [KeyRemembered("a/b", n.to_bytes(8), NOW + n // 30_000) for n in range(41_000)]
        await Flushes(store)(*rows)
        assert await store.event_keys(0, NOW) == rows

    async def test_event_keys_are_pruned_a_week_after_by_the_time_of_their_partition(self, store):
        save = Flushes(store)
        rows = [KeyRemembered("a/b", (n + 600).to_bytes(8), NOW - WEEK + n) for n in range(-600, 2)]
        await save(*rows[:-1])
        await save(rows[-1])
        behind = KeyRemembered("c/d", bytes(8), NOW - WEEK - 100)
        await save(behind, partition=1, time=NOW - WEEK)
        assert await store.prune(NOW + WEEK) == 600
        assert await store.event_keys(0, 0) == rows[600:]
        assert await store.event_keys(1, 0) == [behind]

    @pytest.mark.parametrize("version", [0, 1, 3])
    async def test_a_version_that_does_not_follow_is_fenced_and_changes_nothing(self, store, version):
        await Flushes(store)(stored("m1"))
        effects = Effects()
        effects.messages.append(stored("m2"))
        effects.anomalies.append(anomaly(1))
        effects.keys.append(KeyRemembered("shopee/shop", b"12345678", NOW))
        with pytest.raises(FencedError):
            await store.save(Batch(mark=PartitionMark(partition=0, version=version), effects=effects))
        assert (await store.mark(0)).version == 1
        assert await store.message(KEY, "m2") is None
        assert await store.event_keys(0, 0) == []
        assert (await store.anomalies(AnomalyFilter(), 5)).items == []

    async def test_a_first_save_must_be_version_one(self, store):
        with pytest.raises(FencedError):
            await store.save(Batch(mark=PartitionMark(partition=0, version=2)))

    async def test_of_two_writers_of_a_version_one_is_fenced(self, store):
        batches = [Batch(mark=PartitionMark(partition=0, version=1, applied=n)) for n in range(2)]
        results = await asyncio.gather(*(store.save(batch) for batch in batches), return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [FencedError]

    async def test_after_a_fenced_save_new_conversations_are_stored_right(self, store):
        save = Flushes(store)
        effects = Effects()
        effects.messages.append(stored("m1", "lost"))
        with pytest.raises(FencedError):
            await store.save(Batch(mark=PartitionMark(partition=0, version=9), effects=effects))
        await save(stored("m1", "kept"))
        await save(stored("m1", "lost"))
        assert (await store.conversation("shopee/shop/lost")).messages == 1
        assert (await store.conversation("shopee/shop/kept")).messages == 1

    async def test_the_same_rows_saved_again_change_nothing(self, store):
        save = Flushes(store)
        rows = (
            stored("m1", text="hello", attachments=None),
            HopReached(KEY, "m1", "edited", NOW + 1, "bye"),
            HopReached(KEY, "m1", "notified", NOW + 2),
            AttachmentChanged(KEY, "m1", "a1", "ok", NOW + 3),
            anomaly(1),
        )
        await save(*rows)
        before = await store.message(KEY, "m1"), await store.conversation(KEY), await store.counts()
        await save(*rows)
        assert before == (await store.message(KEY, "m1"), await store.conversation(KEY), await store.counts())
        assert len((await store.anomalies(AnomalyFilter(), 5)).items) == 1

    async def test_channel_rows_are_replaced(self, store):
        save = Flushes(store)
        row = ChannelRow(key="shopee/shop", platform="shopee", account="shop", first_at=1, last_at=2, hourly=[0.5] * 24)
        await save(stored("m1"), channel_rows=[row])
        later = ChannelRow(
            key="shopee/shop", platform="shopee", account="shop", first_at=1, last_at=9, auth_status="ok"
        )
        await save(channel_rows=[later])
        assert await store.channels() == [later]
