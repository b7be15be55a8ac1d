from __future__ import annotations

import asyncio

import msgspec
import pytest
from faust.contrib.asgi import bind_to_running_loop
from faust.types import TP

from actors.keys import partition_of
from storage.errors import StoreBusyError
from streams import app as runtime_module
from streams import lanes, persister
from streams.faust_app import build_app
from streams.frames import assemble, encode_entry
from tests.streams.product import until

pytestmark = pytest.mark.services

SHOP = "ebay/shop"
HERE = partition_of("ebay", "shop", 4)
JOIN_S = 20


def lines(message, *numbers):
    return [assemble(1, [encode_entry(message(number, at=number + 1))]) for number in numbers]


class Reading:
    """A Faust app on the topic that notes the runs it is handed, and acks, waits or fails as it is told."""

    def __init__(self, log, *, behave=None):
        self.heard = []
        self.acks = []
        self._behave = behave
        self.app = build_app(log.url, partitions=log.partitions, handle=self.hear, commit_interval_s=0.05)

    async def hear(self, run, ack):
        self.heard += [record.offset for record in run]
        self.acks.append(ack)
        if self._behave is not None:
            await self._behave(self)

    async def __aenter__(self):
        bind_to_running_loop(self.app)
        self.app.finalize()
        await self.app.maybe_start()
        return self

    async def __aexit__(self, *_):
        await self.app.stop()

    async def commits(self):
        """Two rounds of the commit handler."""
        await self.app.consumer.commit()
        await self.app.consumer.commit()


@pytest.fixture
def _runs_of_one(monkeypatch):
    monkeypatch.setattr("streams.runs.RUN_RECORDS", 1)


@pytest.fixture
def topic(kafka_log):
    return TP(kafka_log.topic, HERE)


async def test_what_was_submitted_is_stored_and_its_offset_committed(fleet, client, message):
    worker = await fleet.join()
    await fleet.gateway.submit([message(n) for n in range(600)])
    await until(lambda: worker.runtime.health().processed == 600)
    assert await fleet.ledger() == {SHOP: (600, 600, 0, 0)}
    assert await worker.runtime.oldest_unprocessed() is None
    await fleet.leave(worker)
    end = (await fleet.gateway.positions())[HERE].end
    assert await client.committed(HERE) == end


async def test_nothing_is_applied_twice_by_a_restart_though_offsets_were_not_committed(fleet, message):
    worker = await fleet.join(commit_interval_s=3600)
    await fleet.gateway.submit([message(n) for n in range(300)])
    await until(lambda: worker.runtime.health().processed == 300)
    worker.runtime._app.runs._due.clear()
    await fleet.leave(worker)
    again = await fleet.join()
    await fleet.gateway.submit([message(n) for n in range(300, 310)])
    await until(lambda: again.runtime.health().processed == 10)
    assert await fleet.ledger() == {SHOP: (310, 310, 0, 0)}


async def test_faust_makes_no_topics_of_its_own(fleet, client, message):
    before = await client.topics()
    worker = await fleet.join()
    await fleet.gateway.submit([message(1)])
    await until(lambda: worker.runtime.health().processed)
    assert {topic for topic in await client.topics() - before if not topic.startswith("t-")} <= {"__consumer_offsets"}


# Acks


@pytest.mark.usefixtures("_runs_of_one")
async def test_a_commit_never_passes_a_run_that_was_not_acked(kafka_log, client, message):
    await client.produce(HERE, *lines(message, *range(10)))
    async with Reading(kafka_log) as reading:
        await until(lambda: len(reading.heard) == 10)
        for number in (1, 2, 3, 9):
            reading.acks[number]()
        await reading.commits()
        assert await client.committed(HERE) is None
        reading.acks[0]()
        await reading.commits()
        assert await client.committed(HERE) == 4
    assert await client.committed(HERE) == 4
    async with Reading(kafka_log) as again:
        await until(lambda: again.heard)
        assert again.heard[0] == 4


@pytest.mark.usefixtures("_runs_of_one")
async def test_a_handler_that_fails_commits_nothing(kafka_log, client, message):
    async def fail(reading):
        if len(reading.heard) == 3:
            raise RuntimeError("the third run cannot be handled")
        reading.acks[-1]()

    await client.produce(HERE, *lines(message, *range(6)))
    async with Reading(kafka_log, behave=fail) as reading:
        await until(lambda: len(reading.heard) >= 3)
        await reading.commits()
    assert await client.committed(HERE) == 2


@pytest.mark.usefixtures("_runs_of_one")
async def test_stopping_while_a_handler_waits_loses_nothing(kafka_log, client, message):
    async def wait(reading):
        if len(reading.heard) == 3:
            await asyncio.Event().wait()
        reading.acks[-1]()

    await client.produce(HERE, *lines(message, *range(6)))
    async with Reading(kafka_log, behave=wait) as reading:
        await until(lambda: len(reading.heard) == 3)
    assert await client.committed(HERE) == 2


async def test_what_faust_skips_during_a_rebalance_is_not_taken_for_processed(kafka_log, client, message):
    async with Reading(kafka_log) as reading:
        await until(lambda: len(reading.app.consumer.assignment()) == 4)
        await until(lambda: not reading.app.rebalancing)
        reading.app.flow_control.suspend()
        await client.produce(HERE, *lines(message, *range(3)))
        await until(lambda: reading.app.runs.oldest(TP(kafka_log.topic, HERE)) is not None)
        reading.app.flow_control.resume()
        await reading.commits()
    assert await client.committed(HERE) is None


async def test_offsets_without_records_hold_up_neither_commits_nor_time(fleet, client, message):
    worker = await fleet.join()
    for number in range(3):
        await client.produce(HERE, *lines(message, number), transaction=f"{fleet.log.topic}-tx")
    await until(lambda: worker.runtime.health().processed == 3)
    await until(lambda: worker.runtime.lag().get(HERE) == 0)
    partition = worker.runtime._partitions[HERE]
    assert (await fleet.gateway.positions())[HERE].end == partition.engine.applied + 2
    assert worker.runtime._stream_clock(partition) is not None
    await fleet.leave(worker)
    assert await client.committed(HERE) == partition.engine.applied + 1
    again = await fleet.join()
    await until(lambda: again.runtime.lag().get(HERE) == 0)


# Flow


async def test_full_lanes_stop_fetching_and_go_on_at_once(fleet, client, message, monkeypatch):
    monkeypatch.setattr(lanes, "LANE_RUNS", 2)
    monkeypatch.setattr("streams.runs.RUN_RECORDS", 1)
    monkeypatch.setattr(persister, "MOST_UNSAVED", 10)
    worker = await fleet.join()
    runs, slept = worker.runtime._app.runs, []
    monkeypatch.setattr(runs, "sleep", lambda seconds, **_: _note(slept, seconds))
    fleet.store.gate.clear()
    await client.produce(HERE, *lines(message, *range(200)))
    tp = TP(fleet.log.topic, HERE)
    await until(lambda: tp in runs._held and worker.runtime.health().unsaved == 10)
    fleet.store.gate.set()
    await until(lambda: worker.runtime.health().processed == 200)
    assert tp not in runs._held
    assert max(slept, default=0) < 1


async def _note(slept, seconds):
    slept.append(seconds)
    await asyncio.sleep(seconds)


async def test_a_full_partition_holds_up_no_other(fleet, client, message, monkeypatch):
    monkeypatch.setattr(lanes, "LANE_RUNS", 1)
    monkeypatch.setattr("streams.runs.RUN_RECORDS", 1)
    worker = await fleet.join()
    gate, take = asyncio.Event(), worker.runtime._partitions[HERE].take

    async def slow(run, ack):
        await gate.wait()
        return await take(run, ack)

    monkeypatch.setattr(worker.runtime._partitions[HERE], "take", slow)
    await client.produce(HERE, *lines(message, *range(50)))
    await until(lambda: TP(fleet.log.topic, HERE) in worker.runtime._app.runs._held)
    other = next(n for n in range(100) if partition_of("ebay", f"shop{n}", 4) != HERE)
    await fleet.gateway.submit([message(1, account=f"shop{other}")])
    await until(lambda: worker.runtime.health().processed == 1)
    gate.set()
    await until(lambda: worker.runtime.health().processed == 51)


async def test_stopping_never_takes_longer_than_its_deadline(fleet, message):
    worker = await fleet.join()
    fleet.store.gate.clear()
    await fleet.gateway.submit([message(1)])
    await until(lambda: worker.runtime.health().unsaved)
    await worker.runtime.stop(deadline_s=0.05)
    assert worker.exits == [70]
    fleet.store.gate.set()


async def test_a_worker_that_stands_still_without_a_reason_is_ended(fleet, message, monkeypatch, caplog):
    monkeypatch.setattr(runtime_module, "STALL_S", 0.3)
    monkeypatch.setattr(runtime_module, "WATCH_S", 0.05)
    worker = await fleet.join()

    async def stuck(*_):
        await asyncio.sleep(0.1)
        await worker.ended.wait()
        return 0

    monkeypatch.setattr(worker.runtime._partitions[HERE], "take", stuck)
    await fleet.gateway.submit([message(1)])
    await worker.ended.wait()
    assert worker.exits[0] == 70
    assert "records wait and none was processed" in caplog.text


# Trouble


async def test_a_partition_that_cannot_be_loaded_holds_only_itself_up(fleet, message, monkeypatch):
    mark, broken = fleet.store.mark, True

    async def moody(partition):
        if broken and partition == HERE:
            raise StoreBusyError("locked")
        return await mark(partition)

    monkeypatch.setattr(fleet.store, "mark", moody)
    joining = asyncio.ensure_future(fleet.join())
    await until(lambda: fleet.members and len(fleet.members[0].held) == 3)
    [worker] = fleet.members
    other = next(n for n in range(100) if partition_of("ebay", f"shop{n}", 4) != HERE)
    await fleet.gateway.submit([message(1), message(2, account=f"shop{other}")])
    await until(lambda: worker.runtime.health().processed == 1)
    health = worker.runtime.health()
    assert (health.ready, health.loading, health.assigned) == (False, [HERE], [0, 1, 2, 3])
    assert health.trouble == f"loading the mark of partition {HERE}: locked"
    broken = False
    await joining
    await until(lambda: worker.runtime.health().processed == 2)
    assert worker.exits == []


async def test_a_database_older_than_the_commits_is_brought_up_to_date_from_the_log(fleet, message, data_dir, caplog):
    worker = await fleet.join()
    await fleet.gateway.submit([message(n) for n in range(700)])
    await until(lambda: worker.runtime.health().processed == 700)
    await fleet.leave(worker)
    await fleet.store.close()
    for file in data_dir.glob("store.db*"):
        file.unlink()
    await fleet.store.open()
    again = await fleet.join()
    await until(lambda: again.runtime.health().processed == 700)
    assert await fleet.ledger() == {SHOP: (700, 700, 0, 0)}
    assert "are read again" in caplog.text


async def test_a_log_that_is_not_the_databases_is_refused(fleet, message, caplog):
    worker = await fleet.join()
    await fleet.gateway.submit([message(n) for n in range(5)])
    await until(lambda: worker.runtime.health().processed == 5)
    await fleet.leave(worker)
    mark = fleet.store.mark

    async def of_a_longer_log(partition):
        return msgspec.structs.replace(await mark(partition), applied=1000)

    fleet.store.mark = of_a_longer_log
    other = asyncio.ensure_future(fleet.join())
    await until(lambda: fleet.members and fleet.members[0].exits)
    assert fleet.members[0].exits[0] == 70
    assert "not the log this database belongs to" in caplog.text
    other.cancel()
    fleet.store.mark = mark
