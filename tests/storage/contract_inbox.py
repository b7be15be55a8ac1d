"""The inbox's part of the storage port: conversations and messages."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import pytest
from msgspec import json

from actors.effects import AttachmentChanged, ConversationChanged, HopReached, MessageRepeated, SlaChanged
from actors.errors import RejectedError
from actors.events import Attachment, Sender
from storage.records import ConversationFilter
from tests.storage.flushes import NOW, Flushes, clock, customer, everything, stored

KEY = "shopee/shop/c1"
WEEK = 7 * 86_400_000


class InboxContract:
    async def test_a_message_comes_back_as_it_was_told(self, store):
        text = "<b>1</b>\n\U0001f600\x00 退款"
        await Flushes(store)(
            stored(
                "m1", sent_at=NOW - 9, text=text, sender=customer(), lang="zh", seq=0, reply_to="m0", order="A-1",
                via="push", vip=True, history=True, extra={"deep": [1, {"a": None}]},
            )
        )  # fmt: skip
        row = await store.message(KEY, "m1")
        assert (row.key, row.message, row.direction, row.sent_at, row.at) == (KEY, "m1", "in", NOW - 9, NOW)
        assert (row.sender_id, row.sender_name, row.sender_role) == ("u1", "Li Wei", "customer")
        assert (row.text, row.lang, row.seq, row.reply_to, row.order) == (text, "zh", 0, "m0", "A-1")
        assert (row.via, row.vip, row.history, row.extra) == ("push", True, True, {"deep": [1, {"a": None}]})
        assert (row.partition, row.copies, row.versions, row.hops) == (0, 0, [], {})
        assert row.stored_at > 0

    async def test_unknown_things_are_absent(self, store):
        assert await store.message(KEY, "m1") is None
        assert await store.conversation(KEY) is None
        assert (await store.messages(KEY, 5)).items == []
        assert (await store.channel_messages("shopee/shop", 5)).items == []

    async def test_a_message_without_text_or_sender_is_kept(self, store):
        await Flushes(store)(stored("m1"))
        row = await store.message(KEY, "m1")
        assert (row.text, row.sender_id, row.extra) == (None, None, None)

    async def test_the_latest_messages_come_last_one_first_without_merged_ones(self, store):
        await Flushes(store)(
            stored("m2", sent_at=NOW - 5),
            stored("m1", sent_at=NOW - 9),
            stored("m4", sent_at=NOW - 5),
            stored("m3", sent_at=NOW - 1, merged_into="m2"),
            stored("x1", sent_at=NOW, conversation="c2"),
        )
        assert [row.message for row in await store.latest_messages(KEY, 5)] == ["m4", "m2", "m1"]
        assert [row.message for row in await store.latest_messages(KEY, 2)] == ["m4", "m2"]
        assert await store.latest_messages("shopee/shop/nobody", 5) == []
        assert [row.message for row in await store.latest_messages(KEY, 5, (NOW - 5, NOW, "m4"))] == ["m2", "m1"]
        assert [row.message for row in await store.latest_messages(KEY, 1, (NOW - 5, NOW + 1, "a"))] == ["m4"]
        assert await store.latest_messages(KEY, 5, (NOW - 9, NOW, "m1")) == []

    async def test_messages_since_a_time_come_in_the_order_in_which_they_came(self, store):
        await Flushes(store)(
            stored("m1", at=NOW),
            stored("m2", at=NOW + 1, sent_at=NOW - 9),
            stored("m3", at=NOW + 2, merged_into="m2"),
            stored("m5", at=NOW + 3),
            stored("m4", at=NOW + 3, sent_at=NOW - 20),
            stored("x1", at=NOW + 3, conversation="c2"),
        )
        assert [row.message for row in await store.messages_since(KEY, NOW + 1, 9)] == ["m2", "m4", "m5"]
        assert [row.message for row in await store.messages_since(KEY, NOW, 2)] == ["m1", "m2"]
        assert await store.messages_since(KEY, NOW + 4, 9) == []

    async def test_the_words_of_a_translation_and_the_reason_of_a_failure_are_kept(self, store):
        save = Flushes(store)
        first, other = ({"text": text, "source": "es", "target": "en"} for text in ("No", "Not at all"))
        told = [json.encode(one).decode() for one in (first, other, {"text": "不", "source": "es", "target": "zh"})]
        await save(stored("m1", text="No quiero"), HopReached(KEY, "m1", "translated", NOW + 1, told[0]))
        assert (await store.message(KEY, "m1")).translations == [{"at": NOW + 1, **first}]
        await save(
            HopReached(KEY, "m1", "translated", NOW + 2, told[2]),
            HopReached(KEY, "m1", "translated", NOW + 3, told[1]),
            HopReached(KEY, "m1", "translated", NOW + 4),
            HopReached(KEY, "m1", "failed", NOW + 5, "131047: too late"),
            HopReached(KEY, "m1", "failed", NOW + 6),
        )
        row = await store.message(KEY, "m1")
        assert [(one["target"], one["text"]) for one in row.translations] == [("zh", "不"), ("en", "Not at all")]
        assert (row.text, row.versions) == ("No quiero", [])
        assert row.failure == {"at": NOW + 5, "reason": "131047: too late"}

    async def test_hops_keep_the_first_time_each_was_reached(self, store):
        save = Flushes(store)
        await save(stored("m1"), HopReached(KEY, "m1", "notified", NOW + 1), HopReached(KEY, "m1", "notified", NOW + 5))
        await save(HopReached(KEY, "m1", "notified", NOW + 9), HopReached(KEY, "m1", "read", NOW + 10))
        assert (await store.message(KEY, "m1")).hops == {"notified": NOW + 1, "read": NOW + 10}

    async def test_a_hop_of_an_unknown_message_is_ignored(self, store):
        await Flushes(store)(HopReached(KEY, "m1", "read", NOW), HopReached(KEY, "m1", "edited", NOW, "x"))
        assert await store.message(KEY, "m1") is None
        assert await store.conversation(KEY) is None

    async def test_every_version_of_a_text_is_kept_and_the_newest_shown(self, store):
        save = Flushes(store)
        await save(stored("m1", sent_at=NOW - 1, text="one"), HopReached(KEY, "m1", "edited", NOW + 1, "two"))
        await save(HopReached(KEY, "m1", "edited", NOW + 2, "three"), HopReached(KEY, "m1", "deleted", NOW + 3))
        row = await store.message(KEY, "m1")
        assert row.text == "three"
        assert [(v["at"], v["what"], v["text"]) for v in row.versions] == [
            (NOW - 1, "sent", "one"),
            (NOW + 1, "edited", "two"),
            (NOW + 2, "edited", "three"),
            (NOW + 3, "deleted", None),
        ]
        assert row.hops == {"edited": NOW + 1, "deleted": NOW + 3}
        assert (await store.conversation(KEY)).last_text == "three"

    async def test_attachments_show_their_latest_fate(self, store):
        save = Flushes(store)
        files = [Attachment(id="a1", kind="image", size=7), Attachment(id="a2")]
        await save(stored("m1", attachments=files), AttachmentChanged(KEY, "m1", "a1", "failed", NOW + 1))
        await save(AttachmentChanged(KEY, "m1", "a1", "ok", NOW + 2), AttachmentChanged(KEY, "m1", "a9", "ok", NOW + 3))
        assert (await store.message(KEY, "m1")).attachments == [
            {"id": "a1", "kind": "image", "size": 7, "status": "ok", "status_at": NOW + 2},
            {"id": "a2"},
            {"id": "a9", "status": "ok", "status_at": NOW + 3},
        ]

    async def test_what_was_told_of_a_file_is_kept_unless_it_is_long(self, store):
        save = Flushes(store)
        detail = {"mime": "image/png", "width": 3, "name": "照片"}
        await save(stored("m1", attachments=[Attachment(id="a1"), Attachment(id="a2")]))
        await save(
            AttachmentChanged(KEY, "m1", "a1", "ok", NOW + 1, detail),
            AttachmentChanged(KEY, "m1", "a2", "ok", NOW + 1, {"long": "x" * 3_000}),
        )
        assert (await store.message(KEY, "m1")).attachments == [
            {"id": "a1", "status": "ok", "status_at": NOW + 1, "detail": detail},
            {"id": "a2", "status": "ok", "status_at": NOW + 1},
        ]

    async def test_repeats_are_counted_as_copies(self, store):
        save = Flushes(store)
        await save(stored("m1"), MessageRepeated(KEY, "m1", NOW + 1, differs=False))
        await save(*[MessageRepeated(KEY, "m1", NOW + n, differs=True) for n in (2, 3)])
        assert (await store.message(KEY, "m1")).copies == 3
        assert (await store.conversation(KEY)).messages == 1

    async def test_an_id_that_comes_again_within_a_week_keeps_its_first_body(self, store):
        save = Flushes(store)
        await save(stored("m1", text="first"))
        await save(stored("m1", at=NOW + WEEK, text="second"))
        assert (await store.message(KEY, "m1")).text == "first"
        assert (await store.conversation(KEY)).messages == 1

    async def test_an_id_that_comes_again_after_a_week_is_a_new_message(self, store):
        save = Flushes(store)
        await save(stored("m1", text="first"))
        await save(stored("m1", at=NOW + WEEK + 1, text="second"), HopReached(KEY, "m1", "read", NOW + WEEK + 2))
        first, second = (await store.messages(KEY, 5)).items
        assert (first.text, first.hops) == ("first", {})
        assert (second.text, second.hops) == ("second", {"read": NOW + WEEK + 2})
        assert (await store.message(KEY, "m1")).text == "second"
        assert (await store.counts())["shopee/shop"]["stored"] == 2

    async def test_merged_messages_are_found_by_id_but_never_shown_or_counted(self, store):
        await Flushes(store)(stored("m1", text="hi"), stored("m2", at=NOW + 1, text="copy", merged_into="m1"))
        assert [row.message for row in (await store.messages(KEY, 5)).items] == ["m1"]
        assert (await store.message(KEY, "m2")).merged_into == "m1"
        conversation = await store.conversation(KEY)
        assert (conversation.messages, conversation.last_text) == (1, "hi")
        assert [row.message for row in (await store.channel_messages("shopee/shop", 5)).items] == ["m2", "m1"]
        counts = (await store.counts())["shopee/shop"]
        assert (counts["stored"], counts["merged"], counts["conversations"]) == (1, 1, 1)

    async def test_messages_are_found_by_their_exact_id_across_conversations_the_latest_first(self, store):
        sender = customer(name="m-1", id_="m-1")
        await Flushes(store)(
            stored("m-1", "c1", at=NOW),
            stored("m-1", "c2", at=NOW + 5, platform="ebay", merged_into="m-0"),
            stored("m-1", "c3", at=NOW + 2, text="hello"),
            stored("m-10", "c4", at=NOW + 9),
            stored("M-1", "c5", at=NOW + 9),
            stored("x", "c6", at=NOW + 9, sender=sender, order="m-1", text="m-1"),
        )
        found = await store.messages_of_id("m-1", 20)
        assert [(row.key, row.message) for row in found] == [
            ("ebay/shop/c2", "m-1"),
            ("shopee/shop/c3", "m-1"),
            ("shopee/shop/c1", "m-1"),
        ]
        assert found[1] == await store.message("shopee/shop/c3", "m-1")
        assert [row.key for row in await store.messages_of_id("m-1", 2)] == ["ebay/shop/c2", "shopee/shop/c3"]
        assert await store.messages_of_id("m", 20) == []

    async def test_of_an_id_that_came_again_after_a_week_the_latest_message_is_found(self, store):
        save = Flushes(store)
        await save(stored("m1", text="first"))
        await save(stored("m1", at=NOW + 8 * 86_400_000, text="second"))
        assert [row.text for row in await store.messages_of_id("m1", 20)] == ["second"]

    @pytest.mark.parametrize(
        "name", ["消息-44", "ＡＢ１", "wamid.HBgL==", "a/b%2F c", 'say "x" OR ids:*', "é-ß", "a\x00b", "x" * 900, "№7"]
    )
    async def test_a_message_is_found_whatever_its_id_is_made_of(self, store, name):
        await Flushes(store)(stored(name, sender=customer("上海 João")), stored(f"{name}1", "c2"))
        assert [row.key for row in await store.messages_of_id(name, 20)] == [KEY]

    @pytest.mark.parametrize("name", ["", " ", "---", '"', "*", "\x00", "\ud800", "a\ud800", "unknown"])
    async def test_an_id_that_no_message_has_finds_nothing(self, store, name):
        await Flushes(store)(stored("m1", text="unknown"))
        assert await store.messages_of_id(name, 20) == []

    async def test_messages_come_in_the_order_they_were_sent(self, store):
        save = Flushes(store)
        await save(stored("b", sent_at=NOW - 1), stored("a", sent_at=NOW - 1), stored("c", sent_at=NOW - 5))
        await save(stored("d", at=NOW + 1, sent_at=NOW - 1), stored("e", at=NOW + 1, sent_at=NOW - 9))
        rows = await everything(lambda limit, cursor: store.messages(KEY, limit, cursor), 2)
        assert [row.message for row in rows] == ["e", "c", "a", "b", "d"]

    async def test_the_latest_messages_of_a_channel_come_first(self, store):
        save = Flushes(store)
        for n in range(7):
            await save(stored(f"m{n}", f"c{n % 2}", at=NOW + n), stored("x", "c", account=f"other{n}"))
        rows = await everything(lambda limit, cursor: store.channel_messages("shopee/shop", limit, cursor))
        assert [row.message for row in rows] == [f"m{n}" for n in reversed(range(7))]

    async def test_a_conversation_row_tells_its_last_message_and_its_contact(self, store):
        save = Flushes(store)
        await save(stored("m1", sender=customer(), lang="zh", text="late", order="O1"))
        await save(
            stored("m3", at=NOW + 5, direction="out", sender=Sender(id="a", name="Agent", role="agent"), text="answer"),
            stored("m2", at=NOW + 6, sent_at=NOW + 1, text="filler", vip=True, lang="en", sender=customer("Wei Li")),
        )
        row = await store.conversation(KEY)
        assert (row.platform, row.account, row.conversation, row.status) == ("shopee", "shop", "c1", "open")
        assert (row.contact_id, row.contact_name, row.order, row.lang, row.vip) == ("u1", "Wei Li", "O1", "en", True)
        assert (row.messages, row.first_at, row.last_at, row.last_sent_at) == (3, NOW, NOW + 6, NOW + 5)
        assert (row.last_direction, row.last_text) == ("out", "answer")

    async def test_an_older_message_in_a_later_flush_is_not_the_last_one(self, store):
        save = Flushes(store)
        await save(stored("m2", text="new"))
        await save(stored("m1", at=NOW + 9, sent_at=NOW - 9, text="old"))
        row = await store.conversation(KEY)
        assert (row.last_text, row.last_sent_at, row.last_at) == ("new", NOW, NOW + 9)

    async def test_keys_with_slashes_and_percents_stay_apart(self, store):
        await Flushes(store)(stored("m1", "a/b", account="x%y"), stored("m1", "a%2Fb", account="x%y"))
        first = await store.conversation("shopee/x%25y/a%2Fb")
        assert (first.account, first.conversation) == ("x%y", "a/b")
        assert (await store.conversation("shopee/x%25y/a%252Fb")).conversation == "a%2Fb"

    async def test_a_closed_conversation_opens_again_when_the_customer_writes(self, store):
        save = Flushes(store)
        await save(stored("m1"), ConversationChanged(KEY, "closed", NOW + 1, "ann"))
        assert (await store.conversation(KEY)).status == "closed"
        await save(stored("m2", at=NOW + 2, direction="out"))
        assert (await store.conversation(KEY)).status == "closed"
        await save(stored("m3", at=NOW + 3))
        assert (await store.conversation(KEY)).status == "open"

    async def test_within_one_flush_the_later_of_closing_and_message_decides(self, store):
        await Flushes(store)(
            ConversationChanged(KEY, "closed", NOW + 1),
            stored("m1", at=NOW + 2),
            stored("m1", "c2", at=NOW + 2),
            ConversationChanged("shopee/shop/c2", "closed", NOW + 3),
        )
        assert (await store.conversation(KEY)).status == "open"
        assert (await store.conversation("shopee/shop/c2")).status == "closed"

    async def test_people_close_and_reopen(self, store):
        save = Flushes(store)
        await save(stored("m1"), ConversationChanged(KEY, "closed", NOW + 1))
        await save(ConversationChanged(KEY, "reopened", NOW + 2), ConversationChanged(KEY, "opened", NOW + 3))
        assert (await store.conversation(KEY)).status == "open"

    async def test_fetched_history_does_not_open_a_closed_conversation(self, store):
        save = Flushes(store)
        await save(stored("m1"), ConversationChanged(KEY, "closed", NOW + 1))
        await save(stored("m0", at=NOW + 2, sent_at=NOW - 9, history=True))
        assert (await store.conversation(KEY)).status == "closed"

    async def test_the_running_response_clock_colours_the_conversation(self, store):
        save = Flushes(store)
        await save(stored("m1"), SlaChanged(KEY, clock()), SlaChanged(KEY, clock(1, "resolution", breached_at=NOW)))
        row = await store.conversation(KEY)
        assert (row.sla, row.sla_kind, row.sla_due_at) == ("ok", "first_response", NOW + 1000)
        await save(SlaChanged(KEY, clock(warned_at=NOW + 800)))
        assert (await store.conversation(KEY)).sla == "at_risk"
        await save(SlaChanged(KEY, clock(warned_at=NOW + 800, breached_at=NOW + 1000)))
        assert (await store.conversation(KEY)).sla == "breached"
        assert await store.sla_counts(NOW) == {"shopee": {"ok": 0, "at_risk": 0, "breached": 1}}
        await save(
            SlaChanged(KEY, clock(answered_at=NOW + 2000)), SlaChanged(KEY, clock(2, "next_response", due_at=NOW + 9))
        )
        row = await store.conversation(KEY)
        assert (row.sla, row.sla_kind, row.sla_due_at) == ("ok", "next_response", NOW + 9)
        await save(SlaChanged(KEY, clock(2, "next_response", answered_at=NOW + 5)))
        row = await store.conversation(KEY)
        assert (row.sla, row.sla_kind, row.sla_due_at) == (None, None, None)
        assert [(c.ordinal, c.kind, c.answered_at) for c in await store.sla(KEY)] == [
            (0, "first_response", NOW + 2000),
            (1, "resolution", None),
            (2, "next_response", NOW + 5),
        ]

    async def test_conversations_are_filtered(self, store):
        await Flushes(store)(
            stored("m1", "c1", sender=customer(id_="u1"), order="ORD-1"),
            stored("m1", "c2", at=NOW + 1, account="other", sender=customer(id_="u2")),
            stored("m1", "c3", at=NOW + 2, platform="ebay", order="x"),
            stored("m2", "c3", at=NOW + 3, platform="ebay", order="ord1"),
            ConversationChanged("shopee/other/c2", "closed", NOW + 9),
            SlaChanged(KEY, clock(warned_at=1)),
        )

        async def found(**where):
            return [row.conversation for row in (await store.conversations(ConversationFilter(**where), 10)).items]

        assert await found() == ["c3", "c2", "c1"]
        assert await found(platform="shopee") == ["c2", "c1"]
        assert await found(platform="shopee", account="shop") == ["c1"]
        assert await found(status="closed") == ["c2"]
        assert await found(status="open") == ["c3", "c1"]
        assert await found(contact="u2") == ["c2"]
        assert await found(order="ORD-1") == ["c3", "c1"]
        assert await found(order="\uff2f\uff32\uff241") == ["c3", "c1"]
        assert await found(sla="at_risk") == ["c1"]
        assert await found(sla="breached") == []
        assert await found(label="urgent") == []
        assert await found(assignee="ann") == []

    async def test_pages_of_conversations_are_the_whole_list_and_stay_stable_under_inserts(self, store):
        save = Flushes(store)
        for n in range(8):
            await save(stored("m1", f"c{n}", at=NOW + n // 2))
        page = await store.conversations(ConversationFilter(), 3)
        await save(stored("m1", "newcomer", at=NOW + 99))
        rest = await everything(
            lambda limit, cursor: store.conversations(ConversationFilter(), limit, cursor or page.next)
        )
        names = [row.conversation for row in [*page.items, *rest]]
        assert sorted(names) == [f"c{n}" for n in range(8)]
        assert [row.last_at for row in [*page.items, *rest]] == sorted([NOW + n // 2 for n in range(8)], reverse=True)

    @pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "W10", "bnVsbA", "\x00", "WyJhdWRpdCIsMV0", "=" * 9000])
    async def test_a_bad_cursor_is_rejected(self, store, cursor):
        for call in (
            store.conversations(ConversationFilter(), 5, cursor),
            store.messages(KEY, 5, cursor),
            store.channel_messages("shopee/shop", 5, cursor),
        ):
            with pytest.raises(RejectedError):
                await call

    async def test_a_list_never_has_more_than_five_hundred_rows(self, store):
        await Flushes(store)(*[stored(f"m{n}", sent_at=NOW + n) for n in range(510)])
        page = await store.messages(KEY, 100_000)
        assert len(page.items) == 500
        assert len((await store.messages(KEY, 500, page.next)).items) == 10
        assert len((await store.messages(KEY, -1)).items) == 1
