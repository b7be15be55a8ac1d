"""Accepted and not processed: the monitor says so within seconds, and all is well again afterwards (AT-02, AT-52)."""

from __future__ import annotations

import pytest

from actors.events import Message
from services.health.heartbeats import Heartbeats
from services.health.monitor import Monitor
from services.health.pulse import Pulse
from services.health.watchdog import Watchdog
from tests.streams.machine import Machine
from tests.streams.product import Product, until


class Watched(Product):
    """The product with its monitor, looked at when the test says so."""

    def __init__(self, data_dir, machine):
        super().__init__(data_dir, clock=machine.clock())
        self.machine = machine
        self.runtime_stopped = False

    async def stop_runtime(self):
        await self.gateway.close()
        await self.runtime.stop()
        self.runtime_stopped = True

    async def committed(self):
        """Wait until everything accepted is processed and its offsets are committed."""
        await self.runtime.settled()
        await until(lambda: all(self.log.end(p) == (self.log.committed(p) or 0) for p in range(self.partitions)))

    async def start(self):
        await super().start()
        now = self.gateway.now
        self.heartbeats = Heartbeats(now, steady=now)
        self.watchdog = Watchdog(self.heartbeats, now)
        self.pulse = Pulse(
            runtime=self.runtime,
            reader=self.gateway,
            horizon=self.gateway.horizon,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=now,
        )
        self.monitor = Monitor(
            store=self.store,
            bus=self.bus,
            heartbeats=self.heartbeats,
            watchdog=self.watchdog,
            clock=now,
            checks=self.pulse,
            partitions=self.partitions,
        )
        return self

    async def seconds_pass(self, seconds):
        """Every second everybody looks once."""
        for _ in range(seconds):
            self.machine.pass_time(1_000)
            await self.pulse.look()
            self.heartbeats.beat("monitor")
            self.watchdog.look()
        await self.monitor.refresh()
        self.watchdog.look()
        return await self.monitor.snapshot()


@pytest.fixture
async def product(data_dir):
    opened = await Watched(data_dir, Machine(1_795_312_800_000)).start()
    yield opened
    opened.store.gate.set()
    if not opened.runtime_stopped:
        await opened.stop()
    else:
        await opened.log.close()
        await opened.store.close()


def messages(count, start=0):
    return [
        Message(
            platform="tiktok",
            account="my-1",
            conversation=f"c{n}",
            message=f"m{n}",
            sent_at=1_795_312_800_000,
            direction="in",
            lang="en",
        )
        for n in range(start, start + count)
    ]


async def test_events_accepted_and_never_processed_are_an_alarm_with_numbers(product):
    await product.gateway.submit(messages(5))
    await product.committed()
    assert (await product.seconds_pass(3)).state == "live"
    product.store.gate.clear()
    for message in messages(50, start=5):
        await product.gateway.submit([message])
    snapshot = await product.seconds_pass(40)
    kinds = {alarm.kind: alarm for alarm in snapshot.monitor.alarms}
    assert kinds["queue"].severity == "critical"
    assert kinds["queue"].evidence["accepted"] - kinds["queue"].evidence["processed"] == 50
    assert kinds["queue"].evidence["oldest_ms"] == 40_000
    assert snapshot.state == "no_data"
    assert {row.state for row in snapshot.channels} == {"no_data"}
    assert not product.watchdog.verdict.ok

    product.store.gate.set()
    await product.committed()
    snapshot = await product.seconds_pass(2)
    while snapshot.ledger.stored < 55:
        snapshot = await product.seconds_pass(1)
    assert snapshot.state == "live"
    assert snapshot.monitor.alarms == []
    assert snapshot.ledger.stored == 55
    assert snapshot.monitor.accepted == snapshot.monitor.processed


async def test_while_a_backlog_waits_its_age_and_hop_are_on_the_screen(product):
    product.store.gate.clear()
    await product.gateway.submit(messages(3))
    await until(lambda: not any(product.runtime.lag().values()))
    snapshot = await product.seconds_pass(5)
    assert snapshot.tiles.oldest_wait.ms == 5_000
    assert snapshot.tiles.oldest_wait.hop == "store"
    assert snapshot.state == "live"


async def test_a_stopped_runtime_turns_the_screen_grey_within_a_minute(product):
    await product.gateway.submit(messages(2))
    await product.runtime.settled()
    assert (await product.seconds_pass(1)).state == "live"
    await product.stop_runtime()
    snapshot = await product.seconds_pass(12)
    assert snapshot.state == "no_data"
    assert snapshot.monitor.silent_since is not None
    assert {alarm.evidence.get("part") for alarm in snapshot.monitor.alarms} >= {"engine", "persister"}


async def test_every_channel_is_looked_after_while_the_engines_run(product):
    await product.gateway.submit(messages(2))
    await product.runtime.settled()
    await product.seconds_pass(1)
    snapshot = await product.seconds_pass(1)
    assert (snapshot.monitor.channels_bound, snapshot.monitor.channels_checked) == (1, 1)
    assert {beat.part for beat in snapshot.monitor.heartbeats if beat.ok} == set(product.heartbeats.limits_ms)
