# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""The Faust application: one topic, one agent, one event per frame. The same for `embedded://` and `kafka://`.

Faust moves frames and commits offsets, nothing else: no tables, no web, no retries. The agent never raises (`Runtime`
ends the process instead), because Faust would ack the frame and restart the agent.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from functools import partial
from typing import cast

import faust
from faust.streams import Stream
from faust.tables.manager import TableManager
from faust.transport.drivers import TRANSPORTS
from faust.types import TP, EventT, StreamT

from streams.ports import LogRecord
from streams.topics import GROUP, TOPIC

Handler = Callable[[LogRecord, Callable[[], Awaitable[object]]], Awaitable[None]]
"""Takes a record and what acks it."""

FRAMES_IN_MEMORY = 32


class NoTables(TableManager):
    """Faust's tables, of which there are none: it need not wait a second for others to be declared."""

    async def on_start(self) -> None:
        """Let the conductor subscribe and recovery resume the streams."""
        await self._update_channels()
        await self.recovery.start()


class StreamApp(faust.App):
    """Faust without its directories: there are no tables to keep in them."""

    def _create_directories(self) -> None:
        """Nothing to create."""


def build_app(broker: str, *, partitions: int, handle: Handler, commit_interval_s: float) -> StreamApp:
    """The app reading the log at `broker`, handing every record to `handle` in order of its partition."""
    # The same name as the package's entry point: a work tree that is not installed has none.
    TRANSPORTS.aliases.setdefault("embedded", "streams.embedded.transport:Transport")
    app = StreamApp(
        GROUP,
        broker=broker,
        topic_partitions=partitions,
        topic_disable_leader=True,
        topic_allow_declare=not broker.startswith("embedded:"),
        broker_commit_interval=commit_interval_s,
        stream_buffer_maxsize=FRAMES_IN_MEMORY,
        # Frames are acked by the persister after saving, and saved before stopping: Faust has nothing to wait for.
        stream_wait_empty=False,
        web_enabled=False,
        autodiscover=False,
        TableManager=NoTables,
    )
    topic = app.topic(TOPIC, value_type=bytes, value_serializer="raw", key_serializer="raw", partitions=partitions)

    @app.agent(topic, name="frames")
    async def frames(stream: StreamT) -> None:
        manual = cast("Stream[bytes]", stream).noack()
        async for event in cast("AsyncIterable[EventT]", manual.events()):
            await handle(_record(event), partial(manual.ack, event))

    return app


def lag(app: StreamApp, number: int, applied: int) -> int:
    """How many records of a partition wait to be applied, `applied` being the last that was."""
    end = app.consumer.highwater(TP(TOPIC, number))
    return max(0, (end or 0) - applied - 1)


def _record(event: EventT) -> LogRecord:
    message = event.message
    return LogRecord(message.partition, message.offset, round(message.timestamp * 1000), event.value or b"")


__all__ = ["StreamApp", "build_app", "lag"]
