"""The monitor's part of the storage port, and forgetting."""

from __future__ import annotations

import msgspec
import pytest

from actors.effects import AttachmentChanged, HopReached, MessageRepeated, SlaChanged
from actors.errors import RejectedError
from actors.state import WEEK
from storage.errors import ArchiveError
from storage.records import AnomalyFilter, ConversationFilter, DeadLetter, LedgerRow, MinuteRow
from tests.storage.archives import Kept
from tests.storage.flushes import NOW, Flushes, anomaly, clock, everything, stored

KEY = "shopee/shop/c1"


class HealthContract:
    async def test_an_anomaly_comes_back_whole_and_its_last_version_counts(self, store):
        save = Flushes(store)
        first = anomaly(1, conversation="c1", message="m1", evidence={"cause": "gap", "seq": 7, "list": [1.5, None]})
        await save(first, anomaly(1, status="acknowledged"))
        await save(first)
        assert await store.anomaly(first.id) == first
        assert await store.anomaly("0" * 32) is None

    async def test_anomalies_are_filtered(self, store):
        await Flushes(store)(
            anomaly(1, conversation="c1", message="m1", evidence={"cause": "gap"}),
            anomaly(2, kind="delay", severity="info", status="resolved", resolved_at=NOW + 2),
            anomaly(3, platform="ebay", status="acknowledged", evidence={"cause": 5}),
            anomaly(4, account="other", conversation="c1", severity="warning"),
        )

        async def found(**where):
            page = await store.anomalies(AnomalyFilter(**where), 10)
            return [int(found.id, 16) for found in page.items]

        assert await found() == [4, 3, 2, 1]
        assert await found(kind="delay") == [2]
        assert await found(status="open") == [4, 1]
        assert await found(unresolved=True) == [4, 3, 1]
        assert await found(unresolved=True, status="resolved") == []
        assert await found(severity="warning") == [4]
        assert await found(platform="ebay") == [3]
        assert await found(account="other", platform="shopee") == [4]
        assert await found(conversation="c1") == [4, 1]
        assert await found(conversation="c1", message="m1") == [1]
        assert await found(cause="gap") == [1]
        assert await found(since=NOW + 2, until=NOW + 4) == [3, 2]

    async def test_pages_of_anomalies_are_newest_first_then_by_id(self, store):
        await Flushes(store)(*[anomaly(n, opened_at=NOW + n // 3) for n in range(10)])
        rows = await everything(lambda limit, cursor: store.anomalies(AnomalyFilter(), limit, cursor))
        assert [int(row.id, 16) for row in rows] == [9, 6, 7, 8, 3, 4, 5, 0, 1, 2]

    async def test_anomalies_are_counted_by_channel_kind_cause_status_and_severity(self, store):
        await Flushes(store)(
            anomaly(1, evidence={"cause": "gap"}, conversation="c1"),
            anomaly(2, evidence={"cause": "gap"}),
            anomaly(3, evidence={"cause": "outbound"}),
            anomaly(4, platform="ebay", status="resolved"),
        )
        counts = await store.anomaly_counts(AnomalyFilter(platform="shopee"))
        assert [(c.account, c.kind, c.cause, c.status, c.severity, c.count) for c in counts] == [
            ("shop", "loss", "gap", "open", "critical", 2),
            ("shop", "loss", "outbound", "open", "critical", 1),
        ]
        assert (counts[0].oldest, counts[0].latest, counts[0].channel_level) == (NOW + 1, NOW + 2, 1)
        assert sum(c.count for c in await store.anomaly_counts(AnomalyFilter())) == 4
        assert sum(c.count for c in await store.anomaly_counts(AnomalyFilter(unresolved=True))) == 3

    async def test_anomalies_are_counted_by_bucket_of_time(self, store):
        start = NOW // 60_000 * 60_000
        times = (start, start + 59_999, start + 180_000)
        await Flushes(store)(
            *[anomaly(n, opened_at=at) for n, at in enumerate(times)], anomaly(9, kind="delay", opened_at=start)
        )
        assert await store.anomaly_minutes(AnomalyFilter(), 60_000) == [
            (start, "delay", 1),
            (start, "loss", 2),
            (start + 180_000, "loss", 1),
        ]
        assert await store.anomaly_minutes(AnomalyFilter(kind="loss", since=start + 1), 60_000) == [
            (start, "loss", 1),
            (start + 180_000, "loss", 1),
        ]

    async def test_a_minute_is_replaced_whole(self, store):
        save = Flushes(store)
        rows = [MinuteRow(channel=c, minute=m, inbound=m, delays=b"\x00\xff") for m in (60, 120, 180) for c in "ba"]
        await save(minutes=rows)
        await save(minutes=[MinuteRow(channel="a", minute=120, outbound=3, duplicates=1)])
        found = await store.minutes(60, 180)
        assert [(row.minute, row.channel) for row in found] == [(60, "a"), (60, "b"), (120, "a"), (120, "b")]
        assert found[0] == MinuteRow(channel="a", minute=60, inbound=60, delays=b"\x00\xff")
        assert await store.minutes(0, 999, "a") == [
            found[0],
            MinuteRow(channel="a", minute=120, outbound=3, duplicates=1),
            MinuteRow(channel="a", minute=180, inbound=180, delays=b"\x00\xff"),
        ]

    async def test_the_ledger_is_replaced_by_channel(self, store):
        save = Flushes(store)
        await save(
            ledger=[LedgerRow(channel="a/b", accepted=1, stored=1), LedgerRow(channel="", accepted=1, rejected=1)]
        )
        await save(ledger=[LedgerRow(channel="a/b", accepted=5, stored=3, duplicates=2)])
        assert await store.ledger() == [
            LedgerRow(channel="", accepted=1, rejected=1),
            LedgerRow(channel="a/b", accepted=5, stored=3, duplicates=2),
        ]

    async def test_dead_letters_are_kept_with_their_bytes_until_dealt_with(self, store):
        save = Flushes(store)
        letters = [
            DeadLetter(partition=p, offset=o, index=0, at=NOW + o, reason="no", raw=b"\xff\x00", channel="a/b")
            for o in range(3)
            for p in range(2)
        ]
        await save(dead_letters=letters)
        await store.resolve_dead_letter(letters[0], NOW + 50)
        await save(dead_letters=letters)
        rows = await everything(store.dead_letters, 4)
        assert rows == [
            *reversed(letters[1:]),
            msgspec.structs.replace(letters[0], resolved_at=NOW + 50),
        ]

    @pytest.mark.parametrize("cursor", ["x", "W10", "WyJhbm9tYWxpZXMiLCJhIiwxXQ"])
    async def test_a_bad_cursor_of_the_monitor_is_rejected(self, store, cursor):
        for call in (
            store.anomalies(AnomalyFilter(), 5, cursor),
            store.dead_letters(5, cursor),
            store.audit(5, cursor),
        ):
            with pytest.raises(RejectedError):
                await call

    async def test_a_value_no_database_could_hold_is_rejected(self, store):
        with pytest.raises(RejectedError):
            await store.anomalies(AnomalyFilter(since=10**30), 5)
        with pytest.raises(RejectedError):
            await store.conversation("a/b/\ud800")

    async def test_what_is_old_is_forgotten_and_the_rest_stays(self, store):
        old, new = NOW, NOW + 1000
        this_minute = (NOW + 500) // 60_000
        await Flushes(store)(
            stored("m1", "gone", at=old, text="ancient 上海", order="O1"),
            stored("m1", at=old, text="ancient"),
            stored("m2", at=old, merged_into="m1"),
            stored("m3", at=new, text="fresh", order="O1"),
            HopReached("shopee/shop/gone", "m1", "edited", old, "ancient edit"),
            AttachmentChanged("shopee/shop/gone", "m1", "a1", "ok", old),
            anomaly(1, opened_at=old, status="resolved", resolved_at=old),
            anomaly(2, opened_at=old, status="resolved", resolved_at=new),
            anomaly(3, opened_at=old),
            SlaChanged(KEY, clock(0, due_at=old - 5, answered_at=old - 5)),
            SlaChanged(KEY, clock(1, "resolution", due_at=old - 5)),
            minutes=[MinuteRow(channel="a", minute=minute) for minute in (this_minute - 1, this_minute)],
        )
        assert await store.prune(NOW + 500) == 6
        assert await store.conversation("shopee/shop/gone") is None
        assert [row.message for row in (await store.messages(KEY, 5)).items] == ["m3"]
        assert (await store.conversation(KEY)).messages == 1
        for query, names in (("ancient", []), ("上海", []), ("edit", []), ("fresh", ["c1"])):
            page = await store.conversations(ConversationFilter(q=query), 5)
            assert [row.conversation for row in page.items] == names
        found = await store.conversations(ConversationFilter(order="O1"), 5)
        assert [row.conversation for row in found.items] == ["c1"]
        assert [int(row.id, 16) for row in (await store.anomalies(AnomalyFilter(), 5)).items] == [2, 3]
        assert [row.ordinal for row in await store.sla(KEY)] == [1]
        assert [row.minute for row in await store.minutes(0, this_minute + 1)] == [this_minute]
        counts = (await store.counts())["shopee/shop"]
        assert (counts["stored"], counts["merged"], counts["pruned"], counts["pruned_merged"]) == (1, 0, 2, 1)
        assert await store.prune(NOW + 500) == 0
        assert await store.check() == []

    async def test_what_is_forgotten_is_in_the_archive_whole(self, store):
        save = Flushes(store)
        await save(
            stored("m1", text="first", order="O1"),
            stored("m2", merged_into="m1"),
            stored("m1", "c2", text="上海", extra={"any": [1, None]}),
            stored("m1", "young", at=NOW + 1000),
            stored("m1", account="other"),
        )
        await save(
            HopReached(KEY, "m1", "edited", NOW + 5, "second"),
            AttachmentChanged(KEY, "m1", "a1", "ok", NOW + 6),
            MessageRepeated(KEY, "m1", NOW + 7, differs=False),
        )
        names = [(KEY, "m1"), (KEY, "m2"), ("shopee/other/c1", "m1"), ("shopee/shop/c2", "m1")]
        shown = [await store.message(*name) for name in names]
        archive = Kept()
        assert await store.prune(NOW + 500, archive) == 4
        assert sorted(archive.rows, key=lambda row: (row.key, row.message)) == sorted(
            shown, key=lambda row: (row.key, row.message)
        )
        assert [await store.message(*name) for name in names] == [None] * 4
        counts = (await store.counts())["shopee/shop"]
        assert (counts["stored"], counts["pruned"], counts["pruned_merged"]) == (1, 2, 1)
        assert await store.prune(NOW + 500, archive) == 0
        assert len(archive.rows) == 4
        assert await store.check() == []

    async def test_of_two_lives_of_a_message_each_is_archived_with_its_own_time(self, store):
        save = Flushes(store)
        await save(stored("m1", text="first"))
        later = NOW + WEEK + 1
        await save(stored("m1", at=later, text="again"))
        archive = Kept()
        assert await store.prune(NOW + 500, archive) == 1
        assert await store.prune(later + 1, archive) == 1
        assert [(row.at, row.text) for row in archive.rows] == [(NOW, "first"), (later, "again")]

    async def test_what_the_archive_refuses_is_not_forgotten(self, store):
        rows = [stored(f"m{n}", f"c{n % 9}", at=NOW + n) for n in range(1_200)]
        await Flushes(store)(*rows, minutes=[MinuteRow(channel="a", minute=1)])
        with pytest.raises(ArchiveError):
            await store.prune(NOW + 2_000, Kept(refuses_at=0))
        assert (await store.counts())["shopee/shop"]["stored"] == 1_200
        assert len(await store.minutes(0, 2)) == 1
        archive = Kept(refuses_at=2)
        with pytest.raises(ArchiveError):
            await store.prune(NOW + 2_000, archive)
        assert 0 < (await store.counts())["shopee/shop"]["stored"] == 1_200 - len(archive.rows)
        archive.refuses_at = None
        await store.prune(NOW + 2_000, archive)
        assert (await store.counts())["shopee/shop"]["stored"] == 0
        assert {row.message for row in archive.rows} == {f"m{n}" for n in range(1_200)}
        assert len(archive.rows) == 1_200

    async def test_a_sound_store_has_no_problems(self, store):
        await Flushes(store)(stored("m1"))
        assert await store.check() == []
