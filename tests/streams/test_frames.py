from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import RejectedError
from actors.events import Clock, Message, Rejected
from streams.frames import (
    BadEntry,
    FrameDamagedError,
    assemble,
    decode_frame,
    decode_leniently,
    encode_entry,
    encode_frame,
)
from streams.ports import Frame

ENTRIES = [
    Message(
        platform="ebay",
        account="a",
        at=3,
        conversation="c",
        message="m",
        sent_at=1,
        direction="in",
        text="héllo",
    ),
    Clock(at=4),
    Rejected(at=5, reason="no type", raw=b"\x00{"),
]


@pytest.mark.parametrize("count", [0, 1, 15, 16, 250, 70_000])
def test_a_frame_of_any_length_comes_back_as_it_was(count):
    frame = Frame(1_700_000_000_000, [ENTRIES[n % 3] for n in range(count)])
    assert decode_frame(encode_frame(frame)) == frame


@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_noticed(position, flip):
    data = bytearray(encode_frame(Frame(7, ENTRIES)))
    data[position % len(data)] ^= flip
    with pytest.raises(FrameDamagedError):
        decode_frame(bytes(data))


@given(length=st.integers(0, 10_000))
def test_a_torn_frame_is_noticed(length):
    data = encode_frame(Frame(7, ENTRIES))
    with pytest.raises(FrameDamagedError):
        decode_frame(data[: length % len(data)])


def test_an_unknown_version_is_named():
    data = b"\x09" + encode_frame(Frame(7, ENTRIES))[1:]
    with pytest.raises(FrameDamagedError, match="version is 9"):
        decode_frame(data)


def test_an_unreadable_entry_leaves_its_neighbours_readable():
    strange = msgspec.msgpack.encode({"type": "telepathy", "at": 1})
    data = assemble(7, [encode_entry(ENTRIES[0]), strange, encode_entry(ENTRIES[1])])
    with pytest.raises(FrameDamagedError, match="cannot be read"):
        decode_frame(data)
    wall, entries = decode_leniently(data)
    assert (wall, entries[0], entries[2]) == (7, ENTRIES[0], ENTRIES[1])
    assert isinstance(entries[1], BadEntry)
    assert (entries[1].index, entries[1].raw) == (1, strange)


def test_a_number_too_big_for_the_log_is_refused_without_telling_it():
    entry = Message(
        platform="ebay",
        account="a",
        at=1,
        conversation="c",
        message="m",
        sent_at=1,
        direction="in",
        extra={"n": 10**40},
    )
    with pytest.raises(RejectedError) as caught:
        encode_entry(entry)
    assert "000" not in str(caught.value)
