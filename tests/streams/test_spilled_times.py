"""A replay's index of sent times counts what the one in memory counts, wherever its times lie."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.sent_times import SentTimes
from storage.sqlite.scratch import Scratch
from streams import spilled_times
from streams.spilled_times import SpilledTimes

INSTANTS = st.integers(0, 60)


@given(st.lists(INSTANTS, max_size=80), st.lists(st.tuples(INSTANTS, INSTANTS), max_size=10), st.integers(1, 9))
def test_times_on_disk_are_counted_like_times_in_memory(times, windows, block):
    with closing(Scratch()) as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(spilled_times, "BLOCK", block)
        on_disk, in_memory = SpilledTimes(scratch), SentTimes()
        for at in times:
            on_disk.add(at)
            in_memory.add(at)
        for start, end in windows:
            counted = sum(start <= at < end for at in times)
            assert on_disk.count(start, end) == in_memory.count(start, end) == counted


def test_memory_holds_two_blocks_at_most():
    with closing(Scratch()) as scratch:
        times = SpilledTimes(scratch)
        for at in range(5 * spilled_times.BLOCK):
            times.add(at)
        assert len(times._times) < 2 * spilled_times.BLOCK
        assert times.count(0, 10**9) == 5 * spilled_times.BLOCK
