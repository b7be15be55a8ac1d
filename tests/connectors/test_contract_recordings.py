"""How long a recording is, by its boxes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract.recordings import recording_length
from tests.connectors.mutations import HOSTILE
from tests.connectors.recordings import box, header, recording


@pytest.mark.parametrize(
    ("content", "length"),
    [
        (recording(2_500), 2_500),
        (box(b"moov", header(90_000, 600)), 150_000),
        (box(b"moov", header(90_000, 600, wide=True)), 150_000),
        (box(b"mdat", bytes(30), wide=True) + box(b"moov", header(5), wide=True), 5),
        (box(b"moov", box(b"free", b"") + header(1, 48_000)), 1),
        (b"\x00\x00\x00\x00moov" + header(7), 7),
    ],
    ids=["m4a", "narrow", "wide", "wide boxes", "shorter than a millisecond", "to the end"],
)
def test_the_length_is_told_in_milliseconds(content, length):
    assert recording_length(content) == length


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3\x04 an MP3",
        header(5),
        box(b"moov", b""),
        box(b"moov", header(0)),
        box(b"moov", header(5, 0)),
        box(b"moov", header(2**32 - 1)),
        box(b"moov", header(5)[:20]),
        box(b"moov", header(5))[:30],
        b"\x00\x00\x00\x04moov" + header(7),
        box(b"free", b"") * 20_000 + box(b"moov", header(5)),
    ],
    ids=[
        "empty",
        "another kind",
        "no movie",
        "no header",
        "no length",
        "no scale",
        "not known",
        "cut header",
        "cut file",
        "wrong size",
        "endless boxes",
    ],
)
def test_what_tells_no_length_has_none(content):
    assert recording_length(content) is None


@HOSTILE
@given(st.binary(max_size=200), st.integers(0, 60))
def test_nothing_trips_the_reader_up(noise, place):
    content = recording(2_500)
    for found in (
        noise,
        content[:place] + noise + content[place:],
        content[:place] + noise + content[place + len(noise) :],
    ):
        length = recording_length(found)
        assert length is None or length >= 1
