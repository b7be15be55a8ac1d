from __future__ import annotations

import asyncio

import pytest

from actors.keys import partition_of
from streams import app as runtime_module
from streams.frames import decode_frame
from streams.kafka import sink
from streams.kafka.gateway import KafkaGateway
from streams.kafka.log import KafkaLog
from streams.ports import LogUnreachableError
from tests.streams.kafka.conftest import new_log
from tests.streams.kafka.fleet import Fleet
from tests.streams.product import until

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

SHOP = "ebay/shop"
HERE = partition_of("ebay", "shop", 4)


async def ids(gateway, partition=HERE):
    return [e.message async for r in gateway.records(partition) for e in decode_frame(r.data).entries]


# One broker


async def test_what_is_submitted_while_the_broker_is_away_is_written_when_it_is_back(kafka, gateway, message):
    await gateway.submit([message(0)])
    await asyncio.to_thread(kafka.kill)
    waiting = asyncio.gather(*(gateway.submit([message(number)]) for number in range(1, 20)))
    await asyncio.to_thread(kafka.start)
    await waiting
    assert await ids(gateway) == [f"m{number}" for number in range(20)]


async def test_what_is_not_confirmed_in_time_is_refused_and_nothing_overtakes_it(kafka, gateway, message, monkeypatch):
    await gateway.submit([message(0)])
    await asyncio.to_thread(kafka.pause)
    monkeypatch.setattr(sink, "CONFIRM_S", 0.5)
    with pytest.raises(LogUnreachableError, match="did not confirm"):
        await gateway.submit([message(1)])
    with pytest.raises(LogUnreachableError, match="earlier write"):
        await gateway.submit([message(2)])
    assert gateway.waiting_events == 0
    await asyncio.to_thread(kafka.resume)
    monkeypatch.undo()
    await until(lambda: not gateway._sink._unconfirmed)
    await gateway.submit([message(3)])
    assert await ids(gateway) in (["m0", "m1", "m3"], ["m0", "m3"])


async def test_a_gateway_made_while_the_broker_is_away_works_when_it_is_back(kafka, kafka_log, message, monkeypatch):
    await asyncio.to_thread(kafka.kill)
    monkeypatch.setattr(sink, "CONFIRM_S", 0.5)
    gateway = KafkaGateway(kafka_log)
    with pytest.raises(LogUnreachableError):
        await gateway.submit([message(0)])
    with pytest.raises(LogUnreachableError, match="does not answer"):
        await gateway.positions()
    await asyncio.to_thread(kafka.start)
    monkeypatch.undo()
    await gateway.submit([message(1)])
    assert await ids(gateway) == ["m1"]
    await gateway.close()


async def test_opening_the_log_of_no_broker_says_what_to_check():
    log = KafkaLog("kafka://127.0.0.1:1")
    with pytest.raises(LogUnreachableError, match="check that it runs and that WEIR_BROKER names it"):
        await log.open(patience_s=0.3)


async def test_losing_the_broker_is_trouble_and_no_end(kafka, fleet, message, monkeypatch):
    monkeypatch.setattr(runtime_module, "SILENT_MS", 1_000)
    monkeypatch.setattr(runtime_module, "STALL_S", 1.0)
    worker = await fleet.join()
    await fleet.gateway.submit([message(n) for n in range(10)])
    await until(lambda: worker.runtime.health().processed == 10)
    partition = worker.runtime._partitions[HERE]
    await asyncio.to_thread(kafka.kill)
    await until(lambda: worker.runtime.health().trouble)
    assert "has told nothing of partition" in worker.runtime.health().trouble
    first, before = worker.runtime._stream_clock(partition), fleet.gateway.now()
    await until(lambda: fleet.gateway.now() > before + 3_000)
    assert worker.runtime._stream_clock(partition) <= first + 100
    await asyncio.to_thread(kafka.start)
    await fleet.gateway.submit([message(n) for n in range(10, 20)])
    await until(lambda: worker.runtime.health().processed == 20)
    await until(lambda: worker.runtime.health().trouble is None)
    assert worker.exits == []
    assert await fleet.ledger() == {SHOP: (20, 20, 0, 0)}


# Three brokers


@pytest.fixture
async def replicated(kafka_cluster, data_dir):
    """A fleet on a topic with three copies."""
    log = new_log(kafka_cluster.url)
    await log.open()
    gateway = KafkaGateway(log)
    opened = Fleet(log, gateway, data_dir)
    await opened.open()
    yield opened
    await opened.close()
    await gateway.close()


async def test_a_dead_leader_is_waited_for_and_order_is_kept(kafka_cluster, replicated, message):
    fleet = replicated
    worker = await fleet.join()
    await fleet.gateway.submit([message(0)])
    leader = await asyncio.to_thread(kafka_cluster.leader, fleet.log.topic, HERE)
    submitting = [asyncio.ensure_future(fleet.gateway.submit([message(number)])) for number in range(1, 50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(kafka_cluster.kill, leader)
    submitting += [asyncio.ensure_future(fleet.gateway.submit([message(number)])) for number in range(50, 100)]
    await asyncio.gather(*submitting)
    assert await ids(fleet.gateway) == [f"m{number}" for number in range(100)]
    await until(lambda: worker.runtime.health().processed == 100)
    assert await fleet.ledger() == {SHOP: (100, 100, 0, 0)}
    assert worker.exits == []


async def test_a_frozen_leader_holds_up_its_own_partitions_alone(kafka_cluster, replicated, message):
    gateway, log = replicated.gateway, replicated.log
    leaders = [await asyncio.to_thread(kafka_cluster.leader, log.topic, number) for number in range(4)]
    frozen = leaders[HERE]
    other = next(number for number in range(4) if leaders[number] != frozen)
    shop = next(f"shop{n}" for n in range(100) if partition_of("ebay", f"shop{n}", 4) == other)
    await gateway.submit([message(0), message(0, account=shop)])
    await asyncio.to_thread(kafka_cluster.pause, frozen)
    held_up = asyncio.ensure_future(gateway.submit([message(1)]))
    await gateway.submit([message(1, account=shop)])
    assert not held_up.done()
    await held_up
    await asyncio.to_thread(kafka_cluster.resume, frozen)
    assert await ids(gateway) == ["m0", "m1"]
