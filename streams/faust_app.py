# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""The Faust application: one topic, one agent, one event per run of records. The same for the embedded log and Kafka.

Faust shares out partitions, moves runs and commits offsets, nothing else: no tables, no web, no retries. The agent
never raises (`Runtime` ends the process instead), because Faust would ack the run and restart the agent.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from functools import partial
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.tables.manager import TableManager
from faust.transport.drivers import TRANSPORTS
from faust.types import TP, EventT, StreamT

from actors.errors import ConfigurationError
from streams.runs import Run, RunConsumer
from streams.topics import GROUP, TOPIC

Handler = Callable[[Run, Callable[[], object]], Awaitable[None]]
"""Takes a run and what acks it."""

RUNS_IN_MEMORY = 4096
"""Never reached: runs go on into lanes, which are bounded in bytes and stop the fetching of their partition."""
TRANSPORT_OF = {
    "embedded": "streams.embedded.transport:Transport",
    "weir-kafka": "streams.kafka.transport:Transport",
}
NEVER_S = 86_400.0


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

    @property
    def runs(self) -> RunConsumer:
        """The consumer, whatever the transport."""
        return cast("RunConsumer", self.consumer)


def build_app(broker: str, *, partitions: int, handle: Handler, commit_interval_s: float) -> StreamApp:
    """The app reading the log at `broker` (its `url`), handing every run to `handle` in order of its partition."""
    scheme = broker.partition(":")[0]
    if scheme not in TRANSPORT_OF:
        raise ConfigurationError(f"no log has the address {broker}: pass the `url` of an EmbeddedLog or a KafkaLog")
    # The same names as the package's entry points: a work tree that is not installed has none.
    TRANSPORTS.aliases.setdefault(scheme, TRANSPORT_OF[scheme])
    name, group = _names(broker)
    app = StreamApp(
        group,
        broker=broker,
        topic_partitions=partitions,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_commit_interval=commit_interval_s,
        # What Faust itself waits for; brokers are waited for by the transport.
        broker_request_timeout=NEVER_S,
        broker_session_timeout=NEVER_S,
        stream_buffer_maxsize=RUNS_IN_MEMORY,
        # Runs are acked by the persister after saving, and saved before stopping: Faust has nothing to wait for.
        stream_wait_empty=False,
        web_enabled=False,
        autodiscover=False,
        TableManager=NoTables,
    )
    topic = app.topic(name, value_type=bytes, value_serializer="raw", key_serializer="raw", partitions=partitions)

    @app.agent(topic, name="runs")
    async def runs(stream: StreamT) -> None:
        manual = cast("Stream[Any]", stream).noack()
        async for event in cast("AsyncIterable[EventT]", manual.events()):
            await handle(cast("Run", event.value), partial(app.runs.done, cast("Any", event.message)))

    return app


def topic_of(broker: str) -> str:
    """The topic of the log with this address."""
    return _names(broker)[0]


def _names(broker: str) -> tuple[str, str]:
    """(topic, group) of a log."""
    if broker.startswith("embedded:"):
        return TOPIC, GROUP
    from streams.kafka.log import KafkaLog  # noqa: PLC0415 # only a cluster pays for Kafka's client

    log = KafkaLog.at(broker)
    return log.topic, log.group


__all__ = ["TP", "StreamApp", "build_app", "topic_of"]
