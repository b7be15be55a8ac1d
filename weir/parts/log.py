"""The log the settings name: the built-in one in the data folder, or Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from actors.events import Entry
from streams.ports import LogReader
from weir.config import EMBEDDED, Config

if TYPE_CHECKING:  # Kafka's client takes long to import: only who uses it pays
    from streams.kafka.log import KafkaLog

LOG_FILE = "log.db"
DAY_MS = 86_400_000


class Log(Protocol):
    """The log as the roles need it; `streams.embedded.log.EmbeddedLog` and `streams.kafka.log.KafkaLog` fit."""

    @property
    def url(self) -> str:
        """What Faust calls it."""
        ...


class LogGateway(LogReader, Protocol):
    """The way in and the way to read it back; `EmbeddedGateway` and `KafkaGateway` fit."""

    @property
    def clock_jump_ms(self) -> int:
        """By how much the machine's clock was set back while Weir went on (ms)."""
        ...

    @property
    def waiting_events(self) -> int:
        """How many entries are accepted but not yet durable."""
        ...

    def now(self) -> int:
        """The gateway's clock in ms."""
        ...

    def horizon(self) -> int:
        """The time (ms) before which every entry this process accepted is in the log."""
        ...

    async def submit(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable."""
        ...

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        ...


@asynccontextmanager
async def opened_log(
    config: Config, *, before_commit: Callable[[], Awaitable[object]] | None = None
) -> AsyncIterator[tuple[Log, LogGateway]]:
    """The log, open, and its gateway, closed by the role that uses it. Raises ConfigurationError.

    `before_commit` makes the saves durable that the built-in log is about to count as done.
    """
    if config.broker != EMBEDDED:
        async with opened_kafka(config) as log:
            from streams.kafka.gateway import KafkaGateway  # noqa: PLC0415 # see the package's docstring

            yield log, KafkaGateway(log)
        return
    from streams.embedded.log import EmbeddedLog  # noqa: PLC0415 # as above
    from streams.gateway import EmbeddedGateway  # noqa: PLC0415 # as above

    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = EmbeddedLog(config.data / LOG_FILE, partitions=config.partitions, before_commit=before_commit)
    await log.open()
    try:
        yield log, EmbeddedGateway(log)
    finally:
        await log.close()


@asynccontextmanager
async def opened_kafka(config: Config) -> AsyncIterator[KafkaLog]:
    """Kafka's side of it, the topic made when absent. Raises ConfigurationError, or LogUnreachableError."""
    log = kafka_log(config)
    await log.open()
    try:
        yield log
    finally:
        await log.close()


def kafka_log(config: Config) -> KafkaLog:
    """The topic as the settings name it, not looked at yet."""
    from streams.kafka.connection import KafkaSecurity  # noqa: PLC0415 # see the package's docstring
    from streams.kafka.log import KafkaLog  # noqa: PLC0415 # as above

    return KafkaLog(
        config.broker,
        partitions=config.partitions,
        topic=config.kafka_topic,
        group=config.kafka_group,
        replication=config.kafka_replication,
        retention_ms=config.kafka_retention_days * DAY_MS,
        security=KafkaSecurity(
            protocol=config.kafka_security,
            mechanism=config.kafka_mechanism,
            user=config.kafka_user,
            password=config.kafka_password,
            ca=config.kafka_ca,
            cert=config.kafka_cert,
            key=config.kafka_key,
        ),
    )
