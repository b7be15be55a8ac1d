"""Where hits are shown: places of the text as it was written."""

# ruff: noqa: RUF001 - full-width and Cyrillic characters are what is tested

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.highlights import ranges_in
from storage.texts import folded, query_words
from storage.words import terms_of, words_of

ALPHABET = "ab1 -é上海退テスﾃﾞか゛한국ไม่ำз№ﬁＡ３ß"


def shown(text, query):
    """The parts of the text that are highlighted."""
    return [text[start:end] for start, end in ranges_in(text, terms_of(query_words(query)))]


@pytest.mark.parametrize(
    ("text", "query", "parts"),
    [
        ("我家在上海东边。", "上海", ["上海"]),
        ("我家在上海东边。", "上", ["上"]),
        ("退款一直没有到账", "没有到账", ["没有到账"]),
        ("退款一直没有到账", "到没账", []),
        ("注文番号12-3456のキャンセル", "ｷｬﾝｾﾙ", ["キャンセル"]),
        ("ｷｬﾝｾﾙ、ﾄﾞｱ", "ドア", ["ﾄﾞｱ"]),
        ("注文番号12-3456のキャンセル", "123456", ["12-3456"]),
        ("注文番号12-3456のキャンセル", "3456", ["3456"]),
        ("주문 배송이 늦어요", "늦어", ["늦어"]),
        ("สินค้าไม่ตรงปก", "ไม่ตรง", ["ไม่ตรง"]),
        ("Где мой заказ №4471?", "ЗАКАЗ 4471", ["заказ", "4471"]),
        ("say ＡＢＣ１２３ twice", "abc123", ["ＡＢＣ１２３"]),
        ("please send SKU-001 again", "sku-００１", ["SKU-001"]),
        ("please send SKU001 again", "SKU-001", ["SKU001"]),
        ("Refunds, refund, prefund", "refund", ["Refund", "refund"]),
        ("a b a", "a", ["a", "a"]),
        ("e\u0301te\u0301 João", "ete joao", ["e\u0301te\u0301", "João"]),
        ("ﬁne STRASSE", "fine straße", ["ﬁne", "STRASSE"]),
        ("😀 ok 😀😀", "😀", ["😀", "😀", "😀"]),
        ("<b>bold</b>", "b", ["b", "b"]),
        ("refund now", "nothing", []),
        ("", "x", []),
    ],
)
def test_what_was_asked_for_is_highlighted_where_it_is_written(text, query, parts):
    assert shown(text, query) == parts


@given(text=st.text(ALPHABET, max_size=30), query=st.text(ALPHABET, min_size=1, max_size=6))
def test_a_text_is_highlighted_exactly_when_its_words_have_a_term(text, query):
    terms = terms_of(query_words(query))
    words = words_of(folded(text))
    ranges = ranges_in(text, terms)
    assert all(0 <= start < end <= len(text) for start, end in ranges)
    assert all(before[1] <= after[0] for before, after in pairwise(ranges))
    if any(term.within([words]) for term in terms):
        assert ranges


@given(text=st.text(max_size=60), query=st.text(max_size=12))
def test_no_text_and_no_query_breaks_it(text, query):
    ranges_in(text, terms_of(query_words(query)))
