"""A bare loop over confluent-kafka (librdkafka): batches, applied by partition, offsets committed per batch."""

from __future__ import annotations

from confluent_kafka import Consumer

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task

BATCH = 1_000
WAIT_S = 0.02
"""`consume` waits this long for a full batch, hence not longer than a fetch takes."""


def run(task: Task, job: Job) -> None:
    """Consume until all is applied."""
    consumer = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": task.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 20_000,
        }
    )
    consumer.subscribe([task.topic])
    frames = task.kind == "frames"
    while not job.done:
        messages = consumer.consume(BATCH, WAIT_S)
        if frames:
            for message in messages:
                handed_out = job.frame(message.partition(), message.offset(), message.value())
                if handed_out:
                    consumer.commit(asynchronous=True)
            continue
        runs: dict[int, list[bytes]] = {}
        lasts: dict[int, int] = {}
        for message in messages:
            partition = message.partition()
            runs.setdefault(partition, []).append(message.value())
            lasts[partition] = message.offset()
        due = False
        for partition, values in runs.items():
            due |= job.run(partition, lasts[partition], values)
        if due:
            consumer.commit(asynchronous=True)
