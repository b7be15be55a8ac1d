"""Lenient reading of what platforms send: any JSON gives a value or the one documented error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.intake import EARLIEST, LATEST
from connectors.contract import reading
from connectors.contract.connector import Refused, UnreadableError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff{}", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_object_is_unreadable(body):
    with pytest.raises(UnreadableError):
        reading.document(body)


def test_half_a_surrogate_pair_costs_no_message():
    body = reading.document(rb'{"id":"a\ud83db","text":"hi \ude00"}')
    assert reading.text(body, "text") == "hi \ufffd"
    assert reading.identity(body, "id") == "a\ufffdb"


@pytest.mark.parametrize(
    ("value", "unit_ms", "expected"),
    [
        (1_700_000_000, 1000, 1_700_000_000_000),
        ("1700000000", 1000, 1_700_000_000_000),
        (1_700_000_000_123, 1, 1_700_000_000_123),
        (1_700_000_000_123_456_789, 1e-6, 1_700_000_000_123),
        (1_700_000_000.5, 1000, 1_700_000_000_500),
        (946_684_800, 1000, EARLIEST),
        (4_102_444_800, 1000, LATEST),
    ],
)
def test_times_come_in_several_units_and_as_strings(value, unit_ms, expected):
    assert reading.milliseconds({"t": value}, "t", unit_ms=unit_ms) == expected


@pytest.mark.parametrize(
    "value",
    [None, True, "soon", "", -1, 0, 946_684_799, 4_102_444_801, 10**30, float("nan"), float("inf"), [1], "9" * 400],
)
def test_what_is_no_time_is_unreadable(value):
    with pytest.raises(UnreadableError, match="'t' is missing or no time"):
        reading.milliseconds({"t": value}, "t", unit_ms=1000)


@pytest.mark.parametrize(("value", "expected"), [(35.68, 35.68), (-23, -23.0), (0, 0.0)])
def test_a_number_may_be_whole(value, expected):
    assert reading.number({"n": value}, "n") == expected


@pytest.mark.parametrize("value", [None, True, False, "35.68", [], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_finite_number_is_none(value):
    assert reading.number({"n": value}, "n") is None
    assert reading.number({}, "n") is None


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (2**63 - 1, 2**63 - 1), ("1048576", 1_048_576), (str(2**63 - 1), 2**63 - 1)]
)
def test_a_size_is_bytes_up_to_what_the_store_can_hold(value, expected):
    assert reading.size({"s": value}, "s") == expected


@pytest.mark.parametrize("value", [None, True, -1, 2**63, str(2**63), 1.0, "", "-1", "1.5", "٣", "²", "9" * 5_000])
def test_what_is_no_size_is_none(value):
    assert reading.size({"s": value}, "s") is None
    assert reading.size({}, "s") is None


def test_ids_are_strings_however_they_are_sent():
    assert reading.identity({"id": 709122092476686867}, "id") == "709122092476686867"
    for wrong in ("", None, True, 1.5, [], "x" * 1025):
        with pytest.raises(UnreadableError):
            reading.identity({"id": wrong}, "id")


@given(st.lists(VALUES))
def test_an_item_that_cannot_be_read_harms_no_other(found):
    genuine = {"id": "m1"}

    def read(item):
        reading.identity(item, "id")
        return [item]

    parsed = reading.each([genuine, *found, genuine], read)
    assert parsed[0] is genuine
    assert parsed[-1] is genuine
    assert len(parsed) == len(found) + 2
    assert all(isinstance(one, Refused) and json.loads(one.raw) is not Ellipsis for one in parsed[1:-1])


@pytest.mark.parametrize(
    ("told", "ms"),
    [
        ("2024-01-15T10:30:00.000Z", 1_705_314_600_000),
        ("2024-01-15T10:30:00.125-04:00", 1_705_329_000_125),
        ("2024-01-15T10:30:00", 1_705_314_600_000),
    ],
)
def test_a_time_in_words_is_read(told, ms):
    assert reading.instant({"at": told}, "at") == ms


@pytest.mark.parametrize("told", [None, "", "soon", 5, "1999-12-31T00:00:00Z", "9999-12-31T23:59:59-23:59", "\ud83d"])
def test_a_time_in_words_that_is_none_is_refused(told):
    with pytest.raises(UnreadableError):
        reading.instant({"at": told}, "at")
