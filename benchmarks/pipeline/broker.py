"""Fills topics of a real Kafka, in bulk and in a given order."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from benchmarks.pipeline.records import Record

BATCH_BYTES = 900_000
RUN_RECORDS = 500
READY_S = 30.0
TOPIC_SETTINGS = {"retention.ms": "-1", "retention.bytes": "-1"}


async def create(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic with one replica and wait until it can be written."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=TOPIC_SETTINGS)])
        for _, code, *rest in answer.topic_errors:
            if code:
                raise for_code(code)(*rest)
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, records: Sequence[Record]) -> None:
    """Append the records in their order; a partition's records that follow each other share a batch."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES)
    await _patiently(producer)
    try:
        waiting: dict[int, list[asyncio.Future[object]]] = defaultdict(list)
        for partition, run in groupby(records, key=lambda record: record.partition):
            batch = producer.create_batch()
            for record in run:
                if batch.record_count() >= RUN_RECORDS or not _append(batch, record.data):
                    waiting[partition].append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    _append(batch, record.data)
            waiting[partition].append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*(future for futures in waiting.values() for future in futures))
    finally:
        await producer.stop()


def _append(batch: object, data: bytes) -> bool:
    return batch.append(key=None, value=data, timestamp=time.time_ns() // 1_000_000) is not None  # type: ignore[attr-defined]


async def _patiently(producer: AIOKafkaProducer) -> None:
    until = time.monotonic() + READY_S
    while True:
        try:
            await producer.start()
        except KafkaError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.2)
        else:
            return
