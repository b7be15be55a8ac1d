"""A bare loop over aiokafka on uvloop: `getmany`, applied by partition, offsets committed with every batch."""

from __future__ import annotations

import asyncio

import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task

BATCH = 1_000
FETCH_BYTES = 4_000_000


def run(task: Task, job: Job) -> None:
    """Consume until all is applied."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_consume(task, job))


async def _consume(task: Task, job: Job) -> None:
    consumer = AIOKafkaConsumer(
        task.topic,
        bootstrap_servers=task.bootstrap,
        group_id=task.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=FETCH_BYTES,
        check_crcs=False,
    )
    await consumer.start()
    frames = task.kind == "frames"
    while not job.done:
        due = False
        for place, messages in (await consumer.getmany(timeout_ms=100, max_records=BATCH)).items():
            if frames:
                for message in messages:
                    due |= job.frame(place.partition, message.offset, message.value)
            else:
                due |= job.run(place.partition, messages[-1].offset, [message.value for message in messages])
        if due:
            await consumer.commit()
    await consumer.stop()
