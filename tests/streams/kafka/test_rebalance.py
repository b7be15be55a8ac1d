from __future__ import annotations

import asyncio
import time

import pytest

from actors.keys import partition_of
from actors.thresholds import ThresholdSet
from streams import app as runtime_module
from streams.partition import recover
from streams.patience import Patience
from tests.streams.kafka.conftest import new_log
from tests.streams.kafka.fleet import Fleet
from tests.streams.product import until

pytestmark = pytest.mark.services

SHOPS = [next(f"shop{n}" for n in range(100) if partition_of("ebay", f"shop{n}", 4) == p) for p in range(4)]


async def feed(fleet, message, stop, accepted):
    """Submit one message to every shop again and again; `accepted` has how many rounds were taken."""
    while not stop.is_set():
        number = accepted[0]
        await fleet.gateway.submit([message(number, account=shop) for shop in SHOPS])
        accepted[0] += 1


@pytest.fixture
async def load(fleet, message):
    """Messages to all partitions until told to stop; then how many each shop must have."""
    stop, accepted = asyncio.Event(), [0]
    feeding = asyncio.create_task(feed(fleet, message, stop, accepted))

    async def ended():
        stop.set()
        await feeding
        return {f"ebay/{shop}": (accepted[0], accepted[0], 0, 0) for shop in SHOPS}

    yield ended
    stop.set()
    await feeding


async def all_saved(fleet, expected):
    while await fleet.ledger() != expected:  # noqa: ASYNC110 # the store has no event for it
        await asyncio.sleep(0.02)


def shared_out(fleet):
    """Every partition is somebody's, and nobody has two more than another."""
    held = [member.held for member in fleet.members]
    return sorted(n for some in held for n in some) == [0, 1, 2, 3] and max(map(len, held)) - min(map(len, held)) < 2


async def test_members_share_the_partitions_evenly(fleet):
    for count in range(1, 4):
        await fleet.join()
        await until(lambda: shared_out(fleet))
        assert sum(len(member.held) for member in fleet.members) == 4, count
    extra = [await fleet.join() for _ in range(2)]
    await until(lambda: sum(len(member.held) for member in fleet.members) == 4)
    assert min(len(member.held) for member in fleet.members) == 0
    for member in extra:
        await fleet.leave(member)
    await until(lambda: shared_out(fleet))


async def test_joining_and_leaving_under_load_loses_nothing_and_applies_nothing_twice(fleet, load):
    first = await fleet.join()
    second = await fleet.join()
    await until(lambda: shared_out(fleet))
    third = await fleet.join()
    await until(lambda: shared_out(fleet))
    await fleet.leave(first)
    await until(lambda: shared_out(fleet))
    await fleet.leave(third)
    await until(lambda: shared_out(fleet))
    await all_saved(fleet, await load())
    assert [member.exits for member in (first, second, third)] == [[], [], []]


async def test_those_who_go_on_pause_for_less_than_ten_seconds(fleet, load):
    first = await fleet.join()
    await until(lambda: first.runtime.health().processed > 0)
    before = time.monotonic()
    second = await fleet.join()
    await until(lambda: shared_out(fleet))
    joined = time.monotonic() - before
    done = first.runtime.health().processed
    await until(lambda: first.runtime.health().processed > done)
    before = time.monotonic()
    await fleet.leave(second)
    await until(lambda: shared_out(fleet))
    left = time.monotonic() - before
    await all_saved(fleet, await load())
    assert max(joined, left) < 10, (joined, left)


async def test_a_partition_that_comes_back_keeps_its_engine(fleet, message):
    first = await fleet.join()
    await fleet.gateway.submit([message(n, account=shop) for n in range(20) for shop in SHOPS])
    await until(lambda: first.runtime.health().processed == 80)
    before = first.runtime.engines
    second = await fleet.join()
    await until(lambda: shared_out(fleet))
    kept, moved = first.held, second.held
    assert all(first.runtime.engines[number] is before[number] for number in kept)
    await fleet.gateway.submit([message(99, account=shop) for shop in SHOPS])
    await until(lambda: second.runtime.health().processed == len(moved))
    await fleet.leave(second)
    await until(lambda: len(first.held) == 4)
    assert all(first.runtime.engines[number] is before[number] for number in kept)
    assert not any(first.runtime.engines[number] is before[number] for number in moved)
    await all_saved(fleet, {f"ebay/{shop}": (21, 21, 0, 0) for shop in SHOPS})


async def test_a_partition_somebody_else_has_saved_meanwhile_is_loaded_anew(fleet, message):
    worker = await fleet.join()
    await fleet.gateway.submit([message(n, account=SHOPS[0]) for n in range(3)])
    await until(lambda: worker.runtime.health().processed == 3)
    before, holdings = worker.runtime.engines, worker.runtime._holdings
    await holdings.give_up(5.0)
    other = await recover(await fleet.store.mark(0), fleet.store, ThresholdSet(), (), Patience())
    other.apply(other.applied + 1, 1, [message(9, account=SHOPS[0], at=1)])
    await fleet.store.save(other.take(0))
    holdings.assign(range(4))
    await holdings.ready.wait()
    assert worker.runtime.engines[1] is before[1]
    assert worker.runtime.engines[0] is not before[0]
    assert worker.runtime.engines[0].applied == other.applied


async def test_memory_is_divided_by_the_partitions_one_has(fleet):
    first = await fleet.join(most_conversations=1200)
    assert [p.most_conversations for p in first.runtime._partitions.values()] == [300] * 4
    await fleet.join()
    await until(lambda: shared_out(fleet))
    assert [p.most_conversations for p in first.runtime._partitions.values()] == [600] * 2


async def test_what_cannot_be_saved_in_time_when_handing_over_is_read_again(fleet, message, monkeypatch, caplog):
    monkeypatch.setattr(runtime_module, "HAND_OVER_S", 0.2)
    worker = await fleet.join()
    before = worker.runtime.engines
    fleet.store.gate.clear()
    await fleet.gateway.submit([message(1, account=shop) for shop in SHOPS])
    await until(lambda: worker.runtime.health().unsaved == len(SHOPS))
    other = await fleet.join()
    await until(lambda: shared_out(fleet))
    assert "could not be saved within 0.2 s" in caplog.text
    fleet.store.gate.set()
    await all_saved(fleet, {f"ebay/{shop}": (1, 1, 0, 0) for shop in SHOPS})
    await until(lambda: worker.runtime.health().unsaved == other.runtime.health().unsaved == 0)
    assert not any(engine in before.values() for engine in worker.runtime.engines.values())
    assert (worker.exits, other.exits) == ([], [])


async def test_what_is_being_applied_when_time_is_up_is_read_again(fleet, message, monkeypatch):
    monkeypatch.setattr(runtime_module, "HAND_OVER_S", 0.2)
    worker = await fleet.join()
    lane = worker.runtime._holdings.lanes[0]
    lane.partition.take = lambda *_: asyncio.Event().wait()
    await fleet.gateway.submit([message(1, account=shop) for shop in SHOPS])
    await until(lambda: worker.runtime.health().processed == len(SHOPS) - 1 and lane._taking)
    await fleet.join()
    await until(lambda: shared_out(fleet))
    await all_saved(fleet, {f"ebay/{shop}": (1, 1, 0, 0) for shop in SHOPS})
    assert worker.exits == []


async def test_what_another_has_already_when_handing_over_is_left_to_it(fleet, message, caplog):
    worker = await fleet.join()
    await fleet.gateway.submit([message(1, account=SHOPS[0])])
    await until(lambda: worker.runtime.health().processed == 1)
    other = await recover(await fleet.store.mark(0), fleet.store, ThresholdSet(), (), Patience())
    other.apply(other.applied + 1, 1, [message(2, account=SHOPS[0], at=1)])
    await fleet.store.save(other.take(0))
    partition = worker.runtime._partitions[0]
    partition.engine.apply(partition.engine.applied + 1, 1, [message(3, account=SHOPS[0], at=1)])
    await worker.runtime._on_revoked(None, set())
    assert "is left to the other" in caplog.text
    assert (await fleet.ledger())[f"ebay/{SHOPS[0]}"] == (2, 2, 0, 0)
    assert worker.exits == []


async def test_two_groups_on_one_broker_do_not_meet(fleet, kafka, gateway, data_dir, message):
    del gateway
    other_log = new_log(kafka.url)
    await other_log.open()
    first = await fleet.join()
    other = Fleet(other_log, fleet.gateway, data_dir / "other")
    (data_dir / "other").mkdir()
    await other.open()
    stranger = await other.join()
    await fleet.gateway.submit([message(1)])
    await until(lambda: first.runtime.health().processed == 1)
    assert (len(first.held), len(stranger.held), stranger.runtime.health().processed) == (4, 4, 0)
    await other.close()
