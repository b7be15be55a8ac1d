"""The search over messages: what is found, in which order, and where the words are."""

from __future__ import annotations

import pytest

from actors.effects import HopReached
from actors.errors import RejectedError
from storage.inbox_records import DeskChange, Scope
from storage.label_records import ConversationLabelled
from storage.records import AuditRow
from storage.search_records import MessageSearch
from tests.storage.contract_search import FOUND, TEXTS
from tests.storage.flushes import NOW, Flushes, customer, everything, stored

DAY = 86_400_000
YEAR = 365 * DAY


async def found(store, **where):
    """The messages of all pages as conversation/message."""
    hits = await everything(lambda limit, cursor: store.search_messages(MessageSearch(**where), limit, cursor))
    return [f"{hit.row.key.rpartition('/')[2]}/{hit.row.message}" for hit in hits]


async def one(store, query):
    """The only hit."""
    (hit,) = (await store.search_messages(MessageSearch(q=query), 5)).items
    return hit


def parts(hit):
    """What is highlighted."""
    return [hit.text[start:end] for start, end in hit.ranges]


class MessageSearchContract:
    @pytest.mark.parametrize(("query", "number"), FOUND)
    async def test_a_message_is_found_in_its_own_script_with_its_place(self, store, query, number):
        await Flushes(store)(*[stored("m", f"c{n}", text=text) for n, text in enumerate(TEXTS)])
        hit = await one(store, query)
        assert hit.row.key == f"shopee/shop/c{number}"
        assert hit.text == hit.row.text == TEXTS[number]
        assert parts(hit)

    @pytest.mark.parametrize("query", ["到没账", "海上", "ルセンャキ", "요늦", "lease", "上海 заказ", "ไมตรง"])
    async def test_scattered_or_scrambled_characters_of_messages_are_not_found(self, store, query):
        await Flushes(store)(*[stored("m", f"c{n}", text=text) for n, text in enumerate(TEXTS)])
        assert await found(store, q=query) == []

    async def test_hits_come_by_the_time_they_were_sent_whenever_they_were_stored(self, store):
        save = Flushes(store)
        await save(stored("new", at=NOW, text="refund"), stored("newer", at=NOW + 5, text="refund"))
        await save(stored("old", "c2", at=NOW + 6, sent_at=NOW - 2 * YEAR, text="refund", history=True))
        await save(stored("middle", "c3", at=NOW + 7, sent_at=NOW - YEAR, text="refund"), stored("x", "c3"))
        assert await found(store, q="refund") == ["c1/newer", "c1/new", "c3/middle", "c2/old"]

    async def test_many_hits_of_one_instant_come_page_by_page_once_each(self, store):
        await Flushes(store)(*[stored(f"m{n:03}", f"c{n % 7}", text="same refund") for n in range(250)])
        names = await found(store, q="refund")
        assert len(names) == len(set(names)) == 250

    async def test_pages_are_stable_while_messages_flow_in(self, store):
        save = Flushes(store)
        await save(*[stored(f"m{n}", at=NOW + n, text="refund") for n in range(6)])
        first = await store.search_messages(MessageSearch(q="refund"), 3)
        await save(stored("later", at=NOW + 9, text="refund"))
        second = await store.search_messages(MessageSearch(q="refund"), 3, first.next)
        assert [hit.row.message for hit in (*first.items, *second.items)] == ["m5", "m4", "m3", "m2", "m1", "m0"]
        assert second.next is None

    async def test_messages_are_filtered(self, store):
        lin = customer("Lin", "u7")
        await Flushes(store)(
            stored("m1", "c1", at=NOW, text="refund 1", sender=lin, order="ORD-1-2"),
            stored("m2", "c1", at=NOW + 1, text="refund 2", direction="out"),
            stored("m3", "c2", at=NOW + DAY, text="refund 3", account="other", sender=customer("Ann", "u8")),
            stored("m4", "c3", at=NOW + 2 * DAY, text="hello", platform="line"),
            stored("m5", "c4", at=NOW + 3 * DAY, text="refund 5", platform="line", account="other", sender=lin),
        )
        for where, expected in (
            ({}, ["c4/m5", "c3/m4", "c2/m3", "c1/m2", "c1/m1"]),
            ({"q": "refund", "platform": "shopee"}, ["c2/m3", "c1/m2", "c1/m1"]),
            ({"q": "refund", "account": "other"}, ["c4/m5", "c2/m3"]),
            ({"platform": "line", "account": "other"}, ["c4/m5"]),
            ({"platform": "nobody"}, []),
            ({"platform": "shopee", "account": "nobody"}, []),
            ({"direction": "out"}, ["c1/m2"]),
            ({"q": "refund", "direction": "in", "platform": "shopee"}, ["c2/m3", "c1/m1"]),
            ({"contact": "u7"}, ["c4/m5", "c1/m2", "c1/m1"]),
            ({"contact": "u7", "q": "refund", "platform": "shopee"}, ["c1/m2", "c1/m1"]),
            ({"contact": "nobody"}, []),
            ({"sender": "lin"}, ["c4/m5", "c1/m1"]),
            ({"sender": "u8", "q": "refund"}, ["c2/m3"]),
            ({"sender": "m5"}, []),
            ({"sender": "%"}, []),
            ({"order": "ord12"}, ["c1/m2", "c1/m1"]),
            ({"order": "ORD-1-2", "direction": "out"}, ["c1/m2"]),
            ({"order": "nothing"}, []),
            ({"conversation": "shopee/other/c2"}, ["c2/m3"]),
            ({"conversation": "shopee/other/none"}, []),
            ({"since": NOW + DAY}, ["c4/m5", "c3/m4", "c2/m3"]),
            ({"since": NOW + DAY, "until": NOW + 2 * DAY}, ["c2/m3"]),
            ({"q": "refund", "until": NOW + 1}, ["c1/m1"]),
            ({"since": NOW + 9 * DAY}, []),
        ):
            assert await found(store, **where) == expected, where

    async def test_a_scope_keeps_to_the_conversations_it_sees(self, store):
        await Flushes(store)(
            stored("m1", "c1", text="refund"),
            stored("m2", "c2", at=NOW + 1, text="refund", account="other"),
            stored("m3", "c3", at=NOW + 2, text="refund", platform="line"),
        )
        audit = AuditRow(at=NOW, who="ann", what="desk.assign", subject="line/shop/c3")
        await store.change_desk("line/shop/c3", DeskChange(at=NOW, replaces=0, assignee="ann", team="t9"), audit)
        held = {"held_platforms": ("shopee",), "living": ("t1",)}
        for scope, expected in (
            (Scope(everything=True), ["c3/m3", "c2/m2", "c1/m1"]),
            (Scope(channels=(("shopee", "shop"),), teams=("t1",), **held), ["c1/m1"]),
            (Scope(platforms=("shopee",), teams=("t1",), **held), ["c2/m2", "c1/m1"]),
            (Scope(me="ann", **held), ["c3/m3"]),
            (Scope(teams=("t9",), **held), ["c3/m3"]),
            (Scope(strays=True, **held), ["c3/m3"]),
            (Scope(), []),
        ):
            assert await found(store, q="refund", scope=scope) == expected, scope
            assert await found(store, scope=scope) == expected, scope

    async def test_messages_are_found_by_a_label_of_their_conversation(self, store):
        labelled = [
            ConversationLabelled("shopee/shop/c1", ("refund",)),
            ConversationLabelled("shopee/shop/c2", ("vip",)),
        ]
        await Flushes(store)(
            stored("m1", "c1", text="money back"), stored("m2", "c2", at=NOW + 1, text="money"), stored("m3", "c3"),
            labelled=labelled,
        )  # fmt: skip
        assert await found(store, label="refund") == ["c1/m1"]
        assert await found(store, label="vip", q="money") == ["c2/m2"]
        assert await found(store, label="vip", q="back") == []
        assert await found(store, label="nothing") == []
        assert await found(store, scope=Scope(labels=("refund",))) == ["c1/m1"]

    async def test_ids_orders_and_senders_are_told_apart_from_the_text(self, store):
        sender = customer("João Zhang", "buyer-5")
        await Flushes(store)(stored("MSG-77", text="about joao", order="ORD-2024-9", sender=sender))
        for query, fields, shown in (
            ("msg77", ["message"], []),
            ("ORD20249", ["order"], []),
            ("buyer-5", ["sender_id"], []),
            ("joão", ["sender_name"], ["joao"]),
        ):
            hit = await one(store, query)
            assert (hit.fields, parts(hit)) == (fields, shown), query
            assert hit.contact_name == "João Zhang"

    async def test_a_conversations_own_id_finds_no_message(self, store):
        await Flushes(store)(stored("m", "thread-8", text="hello"))
        assert await found(store, q="thread-8") == []

    async def test_every_version_of_an_edited_text_is_found_and_named(self, store):
        save = Flushes(store)
        key = "shopee/shop/c1"
        await save(stored("m", text="first 上海"), HopReached(key, "m", "edited", NOW + 1, "second 北京"))
        await save(HopReached(key, "m", "edited", NOW + 2, "third word"), stored("other", at=NOW + 3, text="word"))
        for query, version, shown in (("上海", 0, ["上海"]), ("北京", 1, ["北京"]), ("third", None, ["third"])):
            hit = await one(store, query)
            assert (hit.version, parts(hit)) == (version, shown)
        assert await found(store, q="海second") == []
        assert await found(store, q="word") == ["c1/other", "c1/m"]
        assert await found(store, q="third", direction="out") == []

    async def test_merged_duplicates_are_left_out(self, store):
        await Flushes(store)(
            stored("m1", text="refund"), stored("m2", at=NOW + 1, text="refund", merged_into="m1"), stored("m3")
        )
        assert await found(store, q="refund") == ["c1/m1"]
        assert await found(store) == ["c1/m3", "c1/m1"]

    async def test_what_was_forgotten_is_not_found(self, store):
        save = Flushes(store)
        await save(stored("old", text="refund"), HopReached("shopee/shop/c1", "old", "edited", NOW + 1, "repaid"))
        await save(stored("new", at=NOW + 10 * DAY, text="refund"))
        await store.prune(NOW + DAY)
        assert await found(store, q="refund") == ["c1/new"]
        assert await found(store, q="repaid") == []
        assert await found(store) == ["c1/new"]

    async def test_of_two_lives_of_an_id_each_is_found_by_its_own_words(self, store):
        save = Flushes(store)
        await save(stored("m", text="first life"))
        await save(HopReached("shopee/shop/c1", "m", "edited", NOW + 1, "first edited"))
        await save(stored("m", at=NOW + 8 * DAY, text="second life"))
        await save(HopReached("shopee/shop/c1", "m", "edited", NOW + 8 * DAY + 1, "second edited"))
        for query, at in (("first", NOW), ("second", NOW + 8 * DAY)):
            assert [hit.row.at for hit in (await store.search_messages(MessageSearch(q=query), 5)).items] == [at]
        assert await found(store, q="edited") == ["c1/m", "c1/m"]

    @pytest.mark.parametrize("query", ["", " ", "%", "???", '"', "*", "\x00", "。", "k1", "c1", "din", "in"])
    async def test_a_query_that_no_text_has_finds_no_message(self, store, query):
        await Flushes(store)(stored("m", "thread", text="hello"))
        assert await found(store, q=query) == []

    @pytest.mark.parametrize("cursor", ["", "x", "W10", "WyJjb252ZXJzYXRpb25zIiwxLDJd"])
    async def test_a_bad_cursor_of_the_search_is_rejected(self, store, cursor):
        with pytest.raises(RejectedError):
            await store.search_messages(MessageSearch(q="x"), 5, cursor or "?")
