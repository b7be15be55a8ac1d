"""Search in every script, and under hostile queries."""

# ruff: noqa: RUF001 - full-width and Cyrillic characters are what is tested

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.effects import HopReached
from storage.records import ConversationFilter
from tests.storage.flushes import NOW, Flushes, customer, stored

TEXTS = (
    "我家在上海东边。",
    "退款一直没有到账",
    "注文番号12-3456のキャンセル",
    "배송이 늦어요",
    "สินค้าไม่ตรงปก",
    "Где мой заказ №4471?",
    "ＡＢＣ１２３",
    "please send SKU-001 again",
)
"""Conversation c0 has the first, and so on."""

FOUND = [
    ("上海", 0),
    ("上", 0),
    ("没有到账", 1),
    ("キャンセル", 2),
    ("ｷｬﾝｾﾙ", 2),
    ("3456", 2),
    ("12-3456", 2),
    ("123456", 2),
    ("注文番号123456", 2),
    ("늦어", 3),
    ("ไม่ตรง", 4),
    ("заказ", 5),
    ("ЗАКАЗ", 5),
    ("зак", 5),
    ("4471", 5),
    ("ABC123", 6),
    ("abc123", 6),
    ("sku-００１", 7),
    ("sku001", 7),
    ("SKU‐001", 7),
    ("plea", 7),
    ("again please", 7),
]


class SearchContract:
    @pytest.mark.parametrize(("query", "number"), FOUND)
    async def test_a_text_is_found_in_its_own_script(self, store, query, number):
        await Flushes(store)(*[stored("m", f"c{n}", text=text) for n, text in enumerate(TEXTS)])
        assert await _found(store, query) == [f"c{number}"]

    @pytest.mark.parametrize("query", ["到没账", "海上", "ルセンャキ", "요늦", "lease", "上海 заказ", "ไมตรง"])
    async def test_scattered_or_scrambled_characters_are_not_found(self, store, query):
        await Flushes(store)(*[stored("m", f"c{n}", text=text) for n, text in enumerate(TEXTS)])
        assert await _found(store, query) == []

    @pytest.mark.parametrize(
        "query",
        ["MSG-77", "msg77", "ORD-2024-9", "ord20249", "ORD2024-9", "joão", "joao", "zhang", "buyer-5", "thread.8"],
    )
    async def test_ids_orders_and_names_are_found(self, store, query):
        sender = customer("João Zhang", "buyer-5")
        await Flushes(store)(stored("MSG-77", "thread.8", order="ORD-2024-9", sender=sender), stored("m", "other"))
        assert await _found(store, query) == ["thread.8"]

    async def test_an_order_stored_without_dashes_is_found_with_them(self, store):
        await Flushes(store)(stored("m", text="about ORD20249 please"))
        assert await _found(store, "ORD-2024-9") == ["c1"]

    async def test_every_version_of_a_text_is_found(self, store):
        save = Flushes(store)
        await save(stored("m", text="first 上海"), HopReached("shopee/shop/c1", "m", "edited", NOW + 1, "second 北京"))
        await save(HopReached("shopee/shop/c1", "m", "edited", NOW + 2, "third"))
        for query in ("first", "上海", "second", "北京", "third"):
            assert await _found(store, query) == ["c1"]
        assert await _found(store, "海second") == []

    async def test_hits_come_newest_first_page_by_page_with_other_filters(self, store):
        await Flushes(store)(*[stored("m", f"c{n}", at=NOW + n, account=f"a{n % 2}", text="refund") for n in range(6)])
        where = ConversationFilter(q="refund", account="a1")
        page = await store.conversations(where, 2)
        assert [row.conversation for row in page.items] == ["c5", "c3"]
        assert [row.conversation for row in (await store.conversations(where, 2, page.next)).items] == ["c1"]

    @pytest.mark.parametrize("query", ["", " ", "%", "_", "???", '"', "*", "\x00", "。"])
    async def test_a_query_with_nothing_to_look_for_finds_nothing(self, store, query):
        await Flushes(store)(stored("m", text="hello"))
        assert await _found(store, query) == []

    @pytest.mark.parametrize(
        "query", ["NOT hello OR", "text:hello", "hello^2 NEAR(", '"hello', "hello*)", "-hello", "{ids}:x"]
    )
    async def test_the_query_language_of_the_database_means_nothing(self, store, query):
        await Flushes(store)(stored("m", text="hello"))
        assert await _found(store, query) in ([], ["c1"])

    # It is inherited by the tests of every adapter on purpose.
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(query=st.text(st.characters(), max_size=30))
    async def test_no_query_ever_raises(self, store, query):
        await _found(store, query)

    async def test_a_hostile_long_text_is_indexed(self, store):
        await Flushes(store)(stored("m", text="a" * 200_000 + "-1"), stored("m", "c2", text="a-" * 100_000 + "1"))
        assert sorted(await _found(store, "aaaaaaa")) == ["c1", "c2"]


async def _found(store, query):
    return [row.conversation for row in (await store.conversations(ConversationFilter(q=query), 50)).items]
