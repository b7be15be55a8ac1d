"""Quix Streams: a streaming data frame whose `update` applies each record; offsets committed every second."""

from __future__ import annotations

from quixstreams import Application, message_context

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task


def run(task: Task, job: Job) -> None:
    """Consume until all is applied."""
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_extra_config={"fetch.queue.backoff.ms": 5, "queued.min.messages": 20_000},
        loglevel="ERROR",
        auto_create_topics=False,
        use_changelog_topics=False,
        state_dir=f"{task.records_file}-quix",
    )
    apply = job.frame if task.kind == "frames" else job.one

    def update(value: bytes) -> None:
        place = message_context()
        apply(place.partition, place.offset, value)
        if job.done:
            app.stop()

    frame = app.dataframe(app.topic(task.topic, value_deserializer="bytes", key_deserializer="bytes"))
    frame.update(update)
    app.run()
