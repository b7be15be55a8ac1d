"""What is understood of a typed line, and what part of a text is shown."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.excerpts import LENGTH, excerpt
from services.search.query import Asked, narrowed, parse
from storage.inbox_records import Scope


def ms(*day, zone=UTC):
    return round(datetime(*day, tzinfo=zone).timestamp() * 1000)


@pytest.mark.parametrize(
    ("line", "understood"),
    [
        ("", {}),
        ("  refund  please ", {"words": "refund please"}),
        ("from:lin refund", {"sender": "lin", "words": "refund"}),
        ('from:"Li Wei" 退款', {"sender": "Li Wei", "words": "退款"}),
        ("from：lin", {"sender": "lin"}),
        ("platform:LINE account:shop-1", {"platform": "line", "account": "shop-1"}),
        ("order:ORD-2024-9", {"order": "ORD-2024-9"}),
        ("label:refund contact:u7", {"label": "refund", "contact": "u7"}),
        ("in:shopee/shop/c1 hello", {"conversation": "shopee/shop/c1", "words": "hello"}),
        ("in:nowhere hello", {"words": "in:nowhere hello"}),
        ("after:2026-01-31", {"since": ms(2026, 1, 31)}),
        ("before:2026-01", {"until": ms(2026, 1, 1)}),
        ("on:2026-02", {"since": ms(2026, 2, 1), "until": ms(2026, 3, 1)}),
        ("on:2025-12", {"since": ms(2025, 12, 1), "until": ms(2026, 1, 1)}),
        ("on:2025", {"since": ms(2025, 1, 1), "until": ms(2026, 1, 1)}),
        ("after:2026-01 after:2025-01", {"since": ms(2026, 1, 1)}),
        ("before:tomorrow", {"words": "before:tomorrow"}),
        ("on:2026-13-40", {"words": "on:2026-13-40"}),
        ("size:42 https://example.com/x", {"words": "size:42 https://example.com/x"}),
        ("from: lin", {"words": "from: lin"}),
        ('from:""', {"words": "from:"}),
        ('"exact words"', {"words": "exact words"}),
        ("tracking:1Z999AA10123456784", {"tracking": "1Z999AA10123456784"}),
        ('tracking:"1Z 999 AA1 0123456784"', {"tracking": "1Z-999-AA1-0123456784"}),
        ("where is 1Z 999 AA1 01 2345 6784", {"words": "where is 1Z-999-AA1-01-2345-6784"}),
    ],
)  # fmt: skip
def test_a_line_is_understood(line, understood):
    assert parse(line, UTC) == Asked(**understood)


def test_days_are_those_of_the_readers_zone():
    zone = ZoneInfo("Asia/Shanghai")
    assert parse("on:2026-01-31", zone).since == ms(2026, 1, 31, zone=zone) == ms(2026, 1, 30, 16)


def test_what_was_chosen_beside_the_line_narrows_it():
    asked = narrowed(parse("refund platform:line after:2026-01", UTC), platform="ebay", since=5, until=9, label=None)
    assert asked == Asked(words="refund", platform="ebay", since=ms(2026, 1, 1), until=9)


def test_a_tracking_number_is_among_the_words_the_store_is_asked_for():
    assert parse("late tracking:AB12", UTC).search(Scope(everything=True)).q == "late AB12"


@given(line=st.text(max_size=80))
def test_no_line_breaks_it(line):
    parse(line, UTC).search(Scope(everything=True))


@given(text=st.text("ab \n字", max_size=900), places=st.lists(st.tuples(st.integers(0, 899), st.integers(1, 9))))
def test_an_excerpt_is_part_of_the_text_and_holds_the_first_place(text, places):
    ranges = sorted({(a, min(len(text), a + n)) for a, n in places if a < len(text)})
    part = excerpt(text, ranges)
    assert part.text == text[part.start : part.start + len(part.text)]
    assert len(part.text) <= LENGTH
    assert (part.cut_before, part.cut_behind) == (part.start > 0, part.start + len(part.text) < len(text))
    shown = [part.text[a:b] for a, b in part.ranges]
    assert all(shown)
    if ranges:
        start, end = ranges[0]
        assert shown[0] == text[start:end]
