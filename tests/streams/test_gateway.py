from __future__ import annotations

import asyncio

import pytest

from actors.keys import partition_of
from streams.clock import SteadyClock
from streams.frames import decode_frame
from streams.gateway import EmbeddedGateway, FramingGateway
from streams.ports import LogFullError, OverloadedError
from tests.streams.machine import Machine


class SlowLog:
    """A log whose disk writes only when told."""

    def __init__(self):
        self.rows = []
        self.gate = asyncio.Event()
        self.error = None

    async def append(self, rows):
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.rows += rows


async def test_more_than_the_buffer_holds_is_turned_away_whole(message):
    slow = SlowLog()
    gateway = FramingGateway(slow, 1, clock=SteadyClock(), max_events=10)
    first = asyncio.ensure_future(gateway.submit([message(n) for n in range(8)]))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as caught:
        await gateway.submit([message(n) for n in range(8, 11)])
    assert caught.value.retry_after > 0
    fitting = asyncio.ensure_future(gateway.submit([message(8), message(9)]))
    slow.gate.set()
    await first
    await fitting
    await gateway.close()
    written = [entry.message for _, _, data in slow.rows for entry in decode_frame(data).entries]
    assert written == [f"m{n}" for n in range(10)]


async def test_the_buffer_is_bounded_in_bytes_too(message):
    slow = SlowLog()
    gateway = FramingGateway(slow, 1, clock=SteadyClock(), max_bytes=5000)
    first = asyncio.ensure_future(gateway.submit([message(1, text="x" * 4000)]))
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        await gateway.submit([message(2, text="x" * 2000)])
    slow.gate.set()
    await first
    await gateway.submit([message(3, text="x" * 9000)])
    await gateway.close()


async def test_a_log_that_cannot_write_refuses_and_later_accepts(message):
    slow = SlowLog()
    slow.gate.set()
    slow.error = LogFullError("no room")
    gateway = FramingGateway(slow, 1, clock=SteadyClock())
    with pytest.raises(LogFullError):
        await gateway.submit([message(1)])
    slow.error = None
    await gateway.submit([message(2)])
    await gateway.close()
    assert [entry.message for _, _, data in slow.rows for entry in decode_frame(data).entries] == ["m2"]


async def test_the_horizon_waits_for_what_is_not_durable_yet(message):
    machine, slow = Machine(), SlowLog()
    gateway = FramingGateway(slow, 1, clock=machine.clock())
    accepted = gateway.now()
    writing = asyncio.ensure_future(gateway.submit([message(1)]))
    await asyncio.sleep(0)
    machine.pass_time(5000)
    assert gateway.horizon() == accepted
    slow.gate.set()
    await writing
    assert gateway.horizon() == gateway.now() == accepted + 5000
    await gateway.close()


def test_the_clock_goes_on_when_the_machines_is_set_back():
    machine = Machine()
    clock = machine.clock()
    start = clock.now()
    machine.wall -= 3_600_000
    assert clock.now() == start
    machine.pass_time(1500)
    assert clock.now() == start + 1500
    assert clock.jump_ms == 3_600_000
    machine.wall += 3_600_000
    machine.pass_time(10)
    assert clock.now() == start + 1510
    assert clock.jump_ms == 0


def test_the_clock_follows_when_the_machines_is_set_forward():
    machine = Machine()
    clock = machine.clock()
    start = clock.now()
    machine.wall += 60_000
    assert clock.now() == start + 60_000
    assert clock.jump_ms == 0


async def test_the_clock_starts_no_earlier_than_the_log_ends(log, message):
    machine = Machine()
    first = EmbeddedGateway(log, clock=machine.clock())
    await first.submit([message(1)])
    await first.close()
    machine.wall -= 86_400_000
    second = EmbeddedGateway(log, clock=machine.clock(not_before=log.last_wall()))
    await second.submit([message(2)])
    await second.close()
    walls = [record.wall async for record in log.records(partition_of("ebay", "shop", 4))]
    assert walls == sorted(walls)
    assert second.clock_jump_ms == 86_400_000
