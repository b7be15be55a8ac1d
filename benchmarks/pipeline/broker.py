"""Fills topics of a real Kafka, in bulk and in a given order."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from aiokafka.producer.message_accumulator import BatchBuilder

from benchmarks.pipeline.held import RUN_RECORDS, Record

BATCH_BYTES = 900_000
READY_S = 30.0
LONG_MS = str(2**62)
TOPIC_SETTINGS = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    # The records carry the sale's times, which may lie far from today.
    "message.timestamp.before.max.ms": LONG_MS,
    "message.timestamp.after.max.ms": LONG_MS,
}


async def create(bootstrap: str, topic: str, partitions: int) -> None:
    """Create a topic with one replica and wait until it can be written."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=TOPIC_SETTINGS)])
        for _, code, *rest in answer.topic_errors:
            if code:
                raise for_code(code)(*rest)
        until = time.monotonic() + READY_S
        while any(p["error_code"] or p["leader"] < 0 for p in (await admin.describe_topics([topic]))[0]["partitions"]):
            if time.monotonic() > until:
                raise TimeoutError(f"the topic {topic} has no leaders after {READY_S:g} s")
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, records: Sequence[Record]) -> None:
    """Append the records in their order; a partition's records that follow each other share a batch."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    await producer.start()
    try:
        waiting: dict[int, list[asyncio.Future[object]]] = defaultdict(list)
        for partition, run in groupby(records, key=lambda record: record.partition):
            batch = producer.create_batch()
            for record in run:
                if batch.record_count() >= RUN_RECORDS or not _append(batch, record):
                    waiting[partition].append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    _append(batch, record)
            waiting[partition].append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*(future for futures in waiting.values() for future in futures))
    finally:
        await producer.stop()


def _append(batch: BatchBuilder, record: Record) -> bool:
    return batch.append(key=None, value=record.data, timestamp=record.wall) is not None
