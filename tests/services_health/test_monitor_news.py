"""What the live bus means to the monitor: a hint when to look, never what to show."""

from __future__ import annotations

import pytest

from services.health import monitor as module
from services.health.monitor import TOPIC
from streams.bus import LocalBus
from streams.deltas import TOPIC as DELTAS
from tests.services_health.town import START, wrote


class LiveBus(LocalBus):
    """A live bus whose trouble the test decides."""

    trouble = None


@pytest.fixture
def live():
    return LiveBus()


@pytest.fixture
def never_by_itself(monkeypatch):
    for name in ("QUIET_PERIOD_S", "POLL_PERIOD_S"):
        monkeypatch.setattr(module, name, 3600.0)


@pytest.fixture
async def shown(town, live):
    """`await shown(**options)` starts a monitor and gives the ear that hears its pushes."""
    monitors = []

    async def start(**options):
        ear = town.bus.subscribe(TOPIC)
        monitors.append(town.monitor(deltas=live, **options))
        await monitors[0].start()
        return ear

    yield start
    for monitor in monitors:
        await monitor.stop()


async def got(ear, wanted):
    """The first push that counts so many inbound messages."""
    async for push in ear:
        if sum(row["got"] for row in push.data["channels"]) == wanted:
            return push.data
    return None


@pytest.mark.usefixtures("never_by_itself")
async def test_a_flush_is_on_the_screen_when_it_is_told(town, live, shown):
    ear = await shown()
    await anext(ear)
    await town.tell(wrote(1, START))
    await live.publish(DELTAS, b"")
    assert (await got(ear, 1))["monitor"]["polling_ms"] is None


@pytest.mark.usefixtures("never_by_itself")
async def test_a_delta_that_was_lost_is_made_up_for_by_the_next_one(town, live, shown):
    ear = await shown()
    await town.tell(wrote(1, START))
    await town.tell(wrote(2, START + 1_000, conversation="c2"))
    await live.publish(DELTAS, b"")
    await live.publish(DELTAS, b"doubled")
    await got(ear, 2)


@pytest.mark.usefixtures("never_by_itself")
async def test_having_missed_something_is_a_reason_to_look(town, live, shown):
    ear = await shown()
    await town.tell(wrote(1, START))
    live.miss(DELTAS)
    await got(ear, 1)


async def test_without_any_news_time_goes_on(town, shown):
    ear = await shown()
    await town.tell(wrote(1, START))
    await got(ear, 1)


async def test_while_the_live_bus_is_interrupted_the_store_is_polled_and_the_snapshot_says_so(town, live, shown):
    ear = await shown()
    assert (await anext(ear)).data["monitor"]["polling_ms"] is None
    live.trouble = "Redis is out of reach"
    await town.tell(wrote(1, START))
    push = await got(ear, 1)
    while push["monitor"]["polling_ms"] is None:
        push = (await anext(ear)).data
    assert push["monitor"]["polling_ms"] == 2000
    await town.tell(wrote(2, START + 1_000, conversation="c2"))
    assert (await got(ear, 2))["state"] == "live"
    live.trouble = None
    live.miss(DELTAS)
    while push["monitor"]["polling_ms"] is not None:
        push = (await anext(ear)).data


@pytest.mark.parametrize("range_", ["15m", "24h"])
async def test_every_range_says_that_the_live_bus_is_interrupted(town, live, range_):
    live.trouble = "Redis is out of reach"
    monitor = town.monitor(deltas=live)
    assert (await monitor.snapshot(range_, "shopee")).monitor.polling_ms == 2000
    assert (await monitor.snapshot(range_)).monitor.polling_ms == 2000


async def test_a_monitor_that_stops_hears_no_more(town, live):
    monitor = town.monitor(deltas=live)
    ear = town.bus.subscribe(TOPIC)
    await monitor.start()
    await anext(ear)
    await monitor.stop()
    assert live.topics == frozenset()
