from __future__ import annotations

import asyncio

import pytest
from faust.contrib.asgi import bind_to_running_loop
from faust.types import TP

from actors.errors import ConfigurationError
from streams.embedded.log import EmbeddedLog
from streams.faust_app import build_app
from streams.frames import assemble
from streams.ports import LogFullError
from streams.topics import TOPIC
from tests.streams.product import until

FRAME = assemble(5, [])


class Reading:
    """A Faust app on the log that notes what it is handed and acks when told."""

    def __init__(self, log):
        self.log = log
        self.heard = []
        self.acks = []
        self.app = build_app(log.url, partitions=log.partitions, handle=self.hear, commit_interval_s=0.05)

    async def hear(self, run, ack):
        self.heard += [(record.partition, record.offset, record.data) for record in run]
        self.acks.append(ack)

    async def __aenter__(self):
        bind_to_running_loop(self.app)
        self.app.finalize()
        await self.app.maybe_start()
        return self

    async def __aexit__(self, *_):
        await self.app.stop()

    async def ack_all(self):
        for ack in self.acks:
            ack()
        self.acks.clear()


async def test_records_come_in_order_per_partition_the_old_ones_and_the_new(log):
    await log.append([(n % 2, n, assemble(n, [])) for n in range(100)])
    async with Reading(log) as reading:
        await until(lambda: len(reading.heard) == 100)
        await log.append([(3, 200, FRAME)])
        await until(lambda: len(reading.heard) == 101)
    for partition in range(2):
        offsets = [offset for number, offset, _ in reading.heard if number == partition]
        assert offsets == list(range(50))
    assert reading.heard[-1] == (3, 0, FRAME)


async def test_only_acked_offsets_are_committed_and_reading_resumes_there(log, monkeypatch):
    monkeypatch.setattr("streams.runs.RUN_RECORDS", 1)
    await log.append([(1, n, FRAME) for n in range(10)])
    async with Reading(log) as reading:
        await until(lambda: len(reading.heard) == 10)
        for ack in reading.acks[:4]:
            ack()
        await until(lambda: log.committed(1) == 4)
        assert reading.app.runs.behind(TP(TOPIC, 1), 3) == 6
    async with Reading(log) as again:
        await until(lambda: len(again.heard) == 6)
        assert [offset for _, offset, _ in again.heard] == [4, 5, 6, 7, 8, 9]


async def test_what_is_acked_is_committed_when_the_app_stops(log):
    await log.append([(1, n, FRAME) for n in range(10)])
    async with Reading(log) as reading:
        await until(lambda: len(reading.heard) == 10)
        await reading.ack_all()
    assert log.committed(1) == 10


async def test_a_commit_that_failed_is_owed_and_made_up_for(log, monkeypatch):
    monkeypatch.setattr("streams.embedded.consumer.RETRY_S", 0.01)
    commit, refusals = EmbeddedLog.commit, [LogFullError("no room"), LogFullError("no room")]

    async def moody(self, offsets, consumer=None):
        if refusals:
            raise refusals.pop()
        await commit(self, offsets, consumer)

    monkeypatch.setattr(EmbeddedLog, "commit", moody)
    await log.append([(1, 1, FRAME), (2, 1, FRAME)])
    async with Reading(log) as reading:
        await until(lambda: len(reading.heard) == 2)
        await reading.ack_all()
        await until(lambda: (log.committed(1), log.committed(2)) == (1, 1))


async def test_a_partition_trimmed_away_is_read_from_where_it_starts(log):
    await log.append([(1, n, FRAME) for n in range(10)])
    await log.commit({1: 8}, consumer="audit")
    await log.commit({1: 8})
    await log.trim(8)
    async with Reading(log) as reading:
        await until(lambda: len(reading.heard) == 2)
        assert await reading.app.consumer.earliest_offsets(TP(TOPIC, 1)) == {TP(TOPIC, 1): 8}
        assert await reading.app.consumer.highwaters(TP(TOPIC, 1)) == {TP(TOPIC, 1): 10}


async def test_faust_can_send_to_a_partition(log):
    async with Reading(log) as reading:
        topic = reading.app.topic(TOPIC, value_type=bytes, value_serializer="raw", key_serializer="raw")
        sent = await (await topic.send(value=FRAME, partition=2))
        assert (sent.partition, sent.offset) == (2, 0)
        await until(lambda: reading.heard == [(2, 0, FRAME)])
        with pytest.raises(ConfigurationError, match="with a partition"):
            await reading.app.producer.send_and_wait(TOPIC, b"key", FRAME, 1, None, None)


async def test_another_topic_is_a_wrong_setting(log):
    async with Reading(log) as reading:
        with pytest.raises(ConfigurationError, match="holds the topic weir-events only"):
            await reading.app.consumer.subscribe(["orders"])
        with pytest.raises(ConfigurationError, match="not weir-events with 9"):
            await reading.app.consumer.create_topic(TOPIC, 9, 1)


async def test_a_log_that_is_not_open_is_named(data_dir):
    app = build_app("embedded://local/nowhere/log.db", partitions=4, handle=asyncio.sleep, commit_interval_s=1)
    bind_to_running_loop(app)
    app.finalize()
    with pytest.raises(ConfigurationError, match=r"/nowhere/log\.db is not open"):
        await app.maybe_start()
    del data_dir
