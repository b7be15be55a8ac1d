from __future__ import annotations

import msgspec
import pytest

from actors.events import Clock, Message, Rejected
from actors.keys import partition_of
from streams.frames import assemble, encode_entry
from streams.ports import LogRecord
from streams.reading import MOST_AHEAD_MS, PLAIN_AT_ONCE, RecordReader

HERE = partition_of("ebay", "shop", 4)
NOW = 1_700_000_000_000


def event(number, **fields):
    return {
        "type": "message",
        "platform": "ebay",
        "account": "shop",
        "conversation": "c",
        "message": f"m{number}",
        "sent_at": NOW,
        "direction": "in",
    } | fields


def json(number, **fields):
    return msgspec.json.encode(event(number, **fields))


def frame(*numbers):
    entries = [Message(**{k: v for k, v in event(n, at=NOW).items() if k != "type"}) for n in numbers]
    return assemble(NOW, [encode_entry(entry) for entry in entries])


def run(*values, first=0):
    return [LogRecord(HERE, first + n, NOW + n, value) for n, value in enumerate(values)]


@pytest.fixture
def portions():
    reader = RecordReader(HERE, 4, {})
    return lambda *values: list(reader.portions(run(*values)))


def told(portion):
    return [entry.message for entry in portion.entries]


def test_plain_records_in_a_row_are_one_portion(portions):
    [portion] = portions(json(1), json(2), json(3))
    assert (told(portion), portion.offset, portion.wall) == (["m1", "m2", "m3"], 2, NOW + 2)
    assert [portion.place(index) for index in range(3)] == [(0, 0), (1, 0), (2, 0)]


def test_a_long_row_of_plain_records_is_cut(portions):
    sizes = [len(portion.entries) for portion in portions(*(json(n) for n in range(PLAIN_AT_ONCE + 1)))]
    assert sizes == [PLAIN_AT_ONCE, 1]


def test_an_event_may_be_messagepack_too(portions):
    [portion] = portions(
        msgspec.msgpack.encode(event(1)), msgspec.msgpack.encode(event(2, sent_at="2026-11-22T00:00:00Z"))
    )
    assert told(portion) == ["m1", "m2"]


def test_frames_and_plain_records_keep_their_order(portions):
    found = portions(json(1), frame(2, 3), frame(4), json(5), json(6), frame(7))
    assert [told(p) for p in found] == [["m1"], ["m2", "m3"], ["m4"], ["m5", "m6"], ["m7"]]
    assert [p.offset for p in found] == [0, 1, 2, 4, 5]
    assert found[1].place(1) == (1, 1)


def test_the_records_time_stands_in_for_a_missing_observed_time(portions):
    [portion] = portions(json(1), json(2, at=NOW + 500))
    assert [entry.at for entry in portion.entries] == [NOW, NOW + 500]


def test_the_portions_wall_is_that_of_the_newest_event(portions):
    [portion] = portions(json(1), json(2, at=NOW + 5000), json(3))
    assert portion.wall == NOW + 1


def test_what_is_no_event_stands_as_rejected_and_is_kept(portions, caplog):
    broken = json(2)[:-1]
    [portion] = portions(json(1), broken, b'{"type":"telepathy","platform":"ebay","account":"shop"}', json(4))
    assert [type(entry) for entry in portion.entries] == [Message, Rejected, Rejected, Message]
    assert (portion.entries[2].platform, portion.entries[2].account) == ("ebay", "shop")
    assert [(letter.offset, letter.index) for letter in portion.letters] == [(1, 0), (2, 0)]
    assert portion.letters[0].raw == broken
    assert "telepathy" not in caplog.text


@pytest.mark.parametrize("value", [b"\x81\xa4type", b'{"a":1}{"b":2}', b'\xef\xbb\xbf{"type":1}', b" \n{", b"\x80"])
def test_damaged_plain_records_are_rejected_one_by_one(portions, value):
    [portion] = portions(json(1), value, json(3))
    assert [type(entry) for entry in portion.entries] == [Message, Rejected, Message]


@pytest.mark.parametrize("value", [b"", b"\x00\x01", b"not a frame at all", b"[1]", b"\x01short"])
def test_what_is_neither_frame_nor_event_is_a_dead_letter(portions, value):
    [portion] = portions(value)
    assert portion.entries == []
    assert (portion.letters[0].index, portion.letters[0].raw) == (-1, value)


def test_a_byte_order_mark_and_white_space_are_no_harm(portions):
    [portion] = portions(b"\xef\xbb\xbf" + json(1), b" \r\n" + json(2) + b"\n")
    assert told(portion) == ["m1", "m2"]


def test_an_event_in_the_wrong_partition_is_rejected(portions):
    elsewhere = next(n for n in range(100) if partition_of("ebay", f"x{n}", 4) != HERE)
    [portion] = portions(json(1, account=f"x{elsewhere}"), json(2))
    assert [type(entry) for entry in portion.entries] == [Rejected, Message]
    assert "belongs into partition" in portion.entries[0].reason


def test_time_alone_has_no_partition_of_its_own(portions):
    [portion] = portions(b'{"type":"clock"}')
    assert portion.entries == [Clock(at=NOW)]


def test_an_event_from_far_ahead_is_rejected(portions):
    [portion] = portions(json(1, at=NOW + MOST_AHEAD_MS), json(2, at=NOW + MOST_AHEAD_MS + 2))
    assert [type(entry) for entry in portion.entries] == [Message, Rejected]


def test_unknown_fields_and_lone_surrogates_survive_as_over_http(portions):
    [portion] = portions(json(1, colour="red"), json(2, text="ok")[:-1] + b',"lang":"\\ud800"}')
    assert portion.entries[0].extra == {"colour": "red"}
    assert portion.entries[1].lang == "�"
