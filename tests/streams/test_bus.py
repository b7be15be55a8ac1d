"""The bus within one process."""

from __future__ import annotations

import pytest

from streams.bus import LocalBus, Published
from tests.streams.bus_contract import BusContract


class TestLocalBus(BusContract):
    @pytest.fixture
    def pair(self):
        bus = LocalBus(self.KEPT)
        return bus, bus


async def test_who_missed_something_is_told_even_when_nothing_follows():
    bus = LocalBus()
    ear, other = bus.subscribe("a"), bus.subscribe("b")
    bus.miss("a", 2)
    assert await anext(ear) == Published(None, 2)
    await bus.publish("b", b"1")
    assert await anext(other) == Published(b"1", 0)


async def test_what_was_missed_is_told_with_what_waits():
    bus = LocalBus()
    ear = bus.subscribe("a")
    await bus.publish("a", b"1")
    bus.miss("a")
    assert await anext(ear) == Published(b"1", 1)


async def test_a_bus_forgets_the_topics_that_nobody_hears():
    bus = LocalBus()
    ear, second = bus.subscribe("a"), bus.subscribe("a")
    assert bus.topics == {"a"}
    ear.close()
    ear.close()
    assert bus.topics == {"a"}
    second.close()
    assert bus.topics == frozenset()
