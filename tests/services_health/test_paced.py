from __future__ import annotations

import asyncio

import pytest

from services.health import paced
from services.health.paced import Paced


class Reading:
    """Counts how often it is taken, one at a time."""

    def __init__(self):
        self.taken = 0
        self.under_way = 0
        self.broken = False

    async def __call__(self):
        self.under_way += 1
        assert self.under_way == 1
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.broken:
            raise OSError("out of reach")
        self.taken += 1
        return self.taken


async def test_those_who_ask_at_the_same_time_share_one_reading():
    read = Reading()
    values = Paced(read, 60)
    assert await asyncio.gather(*[values.get() for _ in range(5)]) == [1] * 5


async def test_a_reading_of_no_age_is_taken_every_time(monkeypatch):
    monkeypatch.setattr(paced, "SELDOMEST_S", 0)
    values = Paced(Reading(), 0)
    assert [await values.get(), await values.get()] == [1, 2]


async def test_a_reading_that_fails_is_taken_again_next_time():
    read = Reading()
    read.broken = True
    values = Paced(read, 60)
    with pytest.raises(OSError, match="out of reach"):
        await values.get()
    read.broken = False
    assert await values.get() == 1
