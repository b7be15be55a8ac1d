"""Arroyo: a stream processor that gathers batches, applies them by partition and commits once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.commit import ONCE_PER_SECOND
from arroyo.processing.processor import StreamProcessor
from arroyo.processing.strategies import BatchStep, CommitOffsets, RunTask
from arroyo.processing.strategies.abstract import ProcessingStrategy, ProcessingStrategyFactory
from arroyo.processing.strategies.batching import ValuesBatch
from arroyo.types import BrokerValue, Commit, Message, Partition, Topic

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task

BATCH = 1_000


def run(task: Task, job: Job) -> None:
    """Consume until all is applied."""
    configuration = build_kafka_consumer_configuration(
        {},
        task.group,
        auto_offset_reset="earliest",
        bootstrap_servers=[task.bootstrap],
        queued_min_messages=20_000,
        override_params={"fetch.queue.backoff.ms": 5},
        enable_auto_commit=False,
    )
    stop: list[Callable[[], None]] = []
    step = partial(_frame if task.kind == "frames" else _batch, job, stop)
    processor = StreamProcessor(
        KafkaConsumer(configuration),
        Topic(task.topic),
        _Factory(step, in_batches=task.kind == "plain"),
        ONCE_PER_SECOND,
    )
    stop.append(processor.signal_shutdown)
    processor.run()


class _Factory(ProcessingStrategyFactory[KafkaPayload]):
    """Makes the steps anew after every rebalance."""

    def __init__(self, step: Callable[..., object], *, in_batches: bool) -> None:
        self._step = step
        self._in_batches = in_batches

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        del partitions
        task = RunTask(self._step, CommitOffsets(commit))
        return BatchStep(BATCH, 0.2, task) if self._in_batches else task


def _frame(job: Job, stop: list[Callable[[], None]], message: Message[KafkaPayload]) -> None:
    value = message.value
    assert isinstance(value, BrokerValue)  # noqa: S101 # what a consumer hands out
    job.frame(value.partition.index, value.offset, value.payload.value)
    if job.done:
        stop[0]()


def _batch(job: Job, stop: list[Callable[[], None]], message: Message[ValuesBatch[KafkaPayload]]) -> None:
    runs: dict[int, list[bytes]] = {}
    lasts: dict[int, int] = {}
    for value in message.payload:
        partition = value.partition.index
        runs.setdefault(partition, []).append(value.payload.value)
        lasts[partition] = value.offset
    for partition, values in runs.items():
        job.run(partition, lasts[partition], values)
    if job.done:
        stop[0]()
