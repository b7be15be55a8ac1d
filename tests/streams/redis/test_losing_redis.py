"""Losing Redis loses no message: the engine goes on saving, and who watches catches up by itself."""

from __future__ import annotations

import pytest

from actors.thresholds import ThresholdSet
from services.health.heartbeats import Heartbeats
from services.health.monitor import TOPIC as SCREENS
from services.health.monitor import Monitor
from services.health.watchdog import Watchdog
from storage.sqlite import SqliteStore
from streams.app import Runtime
from streams.bus import LocalBus
from streams.deltas import TOPIC, decode_delta
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway
from tests.streams.redis.conftest import until

pytestmark = pytest.mark.services

SHOP = "ebay/shop"


class Worker:
    """Log, store and engines whose live bus is the one given."""

    def __init__(self, data_dir, bus):
        self.store = SqliteStore(data_dir / "store.db")
        self.log = EmbeddedLog(data_dir / "log.db", partitions=4)
        self.bus = bus

    async def start(self):
        await self.store.open()
        await self.log.open()
        self.gateway = EmbeddedGateway(self.log)
        self.runtime = Runtime(
            store=self.store,
            gateway=self.gateway,
            reader=self.gateway,
            broker=self.log.url,
            bus=self.bus,
            thresholds=ThresholdSet(),
            partitions=4,
        )
        await self.runtime.start()
        await self.runtime.wait_ready()

    async def stop(self):
        await self.gateway.close()
        await self.runtime.stop()
        await self.log.close()
        await self.store.close()

    async def stored(self, channel):
        return sum(row.stored for row in await self.store.ledger() if row.channel == channel)


@pytest.fixture
async def worker(data_dir, bussed):
    worker = Worker(data_dir, await bussed())
    await worker.start()
    yield worker
    await worker.stop()


async def heard(ear, count):
    """Deltas until they hold so many messages."""
    deltas, messages = [], 0
    while messages < count:
        published = await anext(ear)
        if published.data is not None:
            deltas.append(decode_delta(published.data))
            messages += deltas[-1].messages
    return deltas


async def test_killed_in_the_middle_redis_stops_nothing_and_is_missed_by_nobody_for_long(
    worker, bussed, server, message
):
    web = await bussed()
    ear = web.subscribe(TOPIC)
    await until(lambda: web.trouble is None)
    await worker.gateway.submit([message(n) for n in range(50)])
    await heard(ear, 50)

    await server.kill()
    for start in range(50, 200, 10):
        await worker.gateway.submit([message(n) for n in range(start, start + 10)])
    await worker.runtime.settled()
    assert await worker.stored(SHOP) == 200
    assert worker.bus.lost > 0
    assert worker.runtime.health().running

    await server.start()
    told = await anext(ear)
    while not told.missed:
        told = await anext(ear)
    await until(lambda: web.trouble is None and worker.bus.trouble is None)
    await worker.gateway.submit([message(n) for n in range(200, 210)])
    (delta, *_) = await heard(ear, 10)
    marks = {mark.partition: mark for mark in await worker.store.marks()}
    assert delta.version <= marks[delta.partition].version
    await worker.runtime.settled()
    assert await worker.stored(SHOP) == 210


async def test_deltas_of_two_workers_reach_every_web_process(data_dir, bussed, message):
    webs = [await bussed(), await bussed()]
    ears = [web.subscribe(TOPIC) for web in webs]
    await until(lambda: all(web.trouble is None for web in webs))
    workers = []
    for name in ("one", "two"):
        (data_dir / name).mkdir()
        workers.append(Worker(data_dir / name, await bussed()))
        await workers[-1].start()
    for worker, accounts in zip(workers, (range(8), range(8, 16)), strict=True):
        await worker.gateway.submit([message(n, account=f"shop{n}") for n in accounts])
    for ear in ears:
        deltas = await heard(ear, 16)
        assert {row.key for delta in deltas for row in delta.channels} == {f"ebay/shop{n}" for n in range(16)}
    for worker in workers:
        await worker.stop()


async def test_the_monitor_of_a_web_process_follows_the_store_without_redis_and_with_it_again(
    worker, bussed, server, message
):
    now = worker.gateway.now
    heartbeats = Heartbeats(now)
    live, screens = await bussed(), LocalBus()
    monitor = Monitor(
        store=worker.store,
        bus=screens,
        heartbeats=heartbeats,
        watchdog=Watchdog(heartbeats, now),
        clock=now,
        partitions=4,
        deltas=live,
    )
    ear = screens.subscribe(SCREENS)
    await monitor.start()

    async def shows(stored, *, polling):
        async for push in ear:
            data = push.data
            if data["ledger"]["stored"] == stored and bool(data["monitor"]["polling_ms"]) == polling:
                return

    await worker.gateway.submit([message(n) for n in range(5)])
    await shows(5, polling=False)
    await server.kill()
    await worker.gateway.submit([message(n) for n in range(5, 12)])
    await shows(12, polling=True)
    await server.start()
    await shows(12, polling=False)
    await worker.gateway.submit([message(12)])
    await shows(13, polling=False)
    await monitor.stop()
