"""What a platform would refuse of a reply is said before it is sent, with what to do about it."""

from __future__ import annotations

import pytest

from connectors.contract.outgoing import Limits, Outgoing, OutgoingFile
from connectors.contract.rules import objections

NOW = 1_700_000_000_000
HOUR_MS = 3_600_000
MIB = 2**20


async def _bytes():
    yield b""


def reply(text="Thank you", **fields):
    return Outgoing(id="weir-1", conversation="c", at=NOW, text=text, **fields)


def file(name="a.jpg", mime="image/jpeg", size=MIB):
    return OutgoingFile(name=name, mime=mime, size=size, digest="0" * 64, read=_bytes)


def codes(message, limits):
    return [one.code for one in objections(message, limits, NOW)]


def test_a_plain_reply_within_all_limits_is_not_objected_to():
    limits = Limits(text=20, window_ms=HOUR_MS, files=1, forbids=frozenset({"links", "emails", "phones"}))
    assert codes(reply(last_in_at=NOW - HOUR_MS), limits) == []


@pytest.mark.parametrize("last_in_at", [None, NOW - HOUR_MS - 1])
def test_a_window_that_is_over_or_never_began_says_how_long_it_was(last_in_at):
    (found,) = objections(reply(last_in_at=last_in_at), Limits(window_ms=HOUR_MS), NOW)
    assert found.code == "window_closed"
    assert found.figures == {"hours": 1}


@pytest.mark.parametrize(("unit", "text", "length"), [("characters", "日本語", 3), ("bytes", "日本語", 9)])
def test_a_text_is_counted_in_the_platforms_unit(unit, text, length):
    (found,) = objections(reply(text), Limits(text=length - 1, unit=unit), NOW)
    assert found.figures == {"length": length, "most": length - 1, "over": 1}
    assert objections(reply(text), Limits(text=length, unit=unit), NOW) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://shop.example/returns for it", ["forbidden_links"]),
        ("see www.shop.example", ["forbidden_links"]),
        ("see shop-example.com please", ["forbidden_links"]),
        ("write to help@shop.example", ["forbidden_emails"]),
        ("call +44 20 7946 0958", ["forbidden_phones"]),
        ("call 020-7946-0958", ["forbidden_phones"]),
        ("your order 114-1234567-1234567 is on its way", []),
        ("it costs 49.90 and comes on 03.04.2026", []),
        ("It works.Please try again", []),
        ("parcel 12345", []),
    ],
)
def test_forbidden_things_are_found_and_named_and_nothing_else_is(text, expected):
    limits = Limits(forbids=frozenset({"links", "emails", "phones"}))
    found = objections(reply(text), limits, NOW)
    assert [one.code for one in found] == expected
    assert all(str(one.figures["found"]) in text for one in found)


def test_nothing_to_send_is_objected_to():
    assert codes(reply("  "), Limits()) == ["empty"]
    assert codes(reply("", files=(file(),)), Limits()) == []


def test_files_alone_are_objected_to_where_a_text_is_needed():
    assert codes(reply("", files=(file(),)), Limits(wordless=False)) == ["files_alone"]
    assert codes(reply("here", files=(file(),)), Limits(wordless=False)) == []


def test_files_too_many_too_large_and_of_another_kind_are_each_told_of():
    limits = Limits(files=1, file_bytes=MIB, mimes=frozenset({"image/*"}))
    message = reply(files=(file(size=MIB + 1), file("b.exe", "application/x-msdownload")))
    assert codes(message, limits) == ["too_many_files", "file_too_large", "file_kind"]
    assert codes(reply(files=(file(),)), Limits(files=0)) == ["too_many_files"]
