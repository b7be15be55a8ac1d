"""Thresholds changed in one process hold in the others."""

import asyncio

import pytest

from services.tuning import following
from services.tuning.following import Following
from services.tuning.thresholds import Assignment, Thresholds
from streams.bus import LocalBus

DELAY = "delay.threshold_s"


@pytest.fixture
async def process(store, clock):
    """Makes a process that follows; all share the store."""
    running = []

    async def made(bus):
        thresholds = Thresholds(store, clock)
        await thresholds.load()
        running.append(asyncio.create_task(Following(thresholds, bus).run()))
        await asyncio.sleep(0)
        return thresholds

    yield made
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def holds(thresholds, value):
    async with asyncio.timeout(30):
        while thresholds.current().value(DELAY) != value:  # noqa: ASYNC110 # what is waited for has no event
            await asyncio.sleep(0.005)


async def test_a_change_reaches_the_others_by_the_bus(process, monkeypatch):
    monkeypatch.setattr(following, "PERIOD_S", 3600)
    bus = LocalBus()
    here, there = await process(bus), await process(bus)
    heard = []
    there.on_change(heard.append)
    await here.assign([Assignment(DELAY, 7)], who="ann")
    await holds(there, 7)
    assert [thresholds.version for thresholds in heard] == [1]


async def test_without_the_bus_a_change_is_found_in_the_store(process):
    here, there = await process(LocalBus()), await process(LocalBus())
    await here.assign([Assignment(DELAY, 7)], who="ann")
    await holds(there, 7)


async def test_a_change_builds_on_what_another_process_has_changed(store, clock):
    here, there = Thresholds(store, clock), Thresholds(store, clock)
    await here.assign([Assignment(DELAY, 7)], who="ann")
    await there.assign([Assignment("loss.grace_s", 45)], who="bob")
    assert there.current().value(DELAY) == 7
    assert there.current().version == 2


async def test_an_older_version_read_late_takes_nothing_back(store, clock, monkeypatch):
    here = Thresholds(store, clock)
    await here.assign([Assignment(DELAY, 7)], who="ann")
    old = await store.thresholds()
    await here.assign([Assignment(DELAY, 9)], who="ann")

    async def late():
        return old

    monkeypatch.setattr(store, "thresholds", late)
    assert not await here.refresh()
    assert here.current().value(DELAY) == 9
