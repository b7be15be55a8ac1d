"""Bytewax: a Kafka source in batches, one step that applies each batch by partition. It commits to no group."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main
from bytewax.testing import TestingSink

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task

BATCH = 1_000


def run(task: Task, job: Job) -> None:
    """Consume to the topic's end."""
    frames = task.kind == "frames"

    def apply(messages: list[KafkaSourceMessage[bytes, bytes]]) -> Iterable[None]:
        if frames:
            for message in messages:
                job.frame(message.partition, message.offset, message.value)
        else:
            for partition, some in groupby(messages, attrgetter("partition")):
                run = list(some)
                job.run(partition, run[-1].offset, [message.value for message in run])
        return ()

    flow = Dataflow("pipeline")
    source = KafkaSource(
        [task.bootstrap],
        [task.topic],
        tail=False,
        add_config={"fetch.queue.backoff.ms": "5", "queued.min.messages": "20000"},
        batch_size=64 if frames else BATCH,
    )
    records = op.input("records", flow, source)
    op.output("nowhere", op.flat_map_batch("apply", records, apply), TestingSink([]))
    cli_main(flow)
