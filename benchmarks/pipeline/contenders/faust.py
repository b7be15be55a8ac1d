"""Plain Faust: an agent that takes one event at a time, as its documentation shows; on uvloop, as Weir is."""

from __future__ import annotations

import asyncio
import logging

import uvloop
from faust import App
from faust.types import StreamT

from benchmarks.pipeline.job import Job
from benchmarks.pipeline.task import Task


def run(task: Task, job: Job) -> None:
    """Consume until all is applied."""
    logging.disable(logging.WARNING)
    # As `faust worker --loop uvloop` does, so that the thread that fetches has such a loop too.
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Faust is not asked to stop, which may take long: the process ends when its outcome is told.
    loop.run_until_complete(_consume(task, job, loop))


async def _consume(task: Task, job: Job, loop: asyncio.AbstractEventLoop) -> None:
    app = App(
        task.group,
        broker=f"kafka://{task.bootstrap}",
        loop=loop,
        topic_partitions=task.partitions,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_commit_interval=0.5,
        web_enabled=False,
        autodiscover=False,
        datadir=f"{task.records_file}-faust",
    )
    topic = app.topic(task.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    apply = job.frame if task.kind == "frames" else job.one
    ended = asyncio.Event()

    @app.agent(topic)
    async def events(stream: StreamT) -> None:
        async for event in stream.events():
            message = event.message
            apply(message.partition, message.offset, message.value)
            if job.done:
                ended.set()

    app.finalize()
    await app.start()
    await ended.wait()
