# pyright: basic
# aiokafka has no stubs: strict mode would report its code, not ours.
"""The log on Kafka: one topic with a fixed number of partitions, made when it is not there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, ClassVar, cast
from weakref import WeakValueDictionary

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from actors.errors import ConfigurationError
from streams import topics
from streams.kafka.connection import METADATA_MS, REQUEST_MS, KafkaSecurity, servers_of
from streams.ports import LogUnreachableError

logger = logging.getLogger(__name__)

SCHEME = "weir-kafka"
COPIES = 3
RECORD_BYTES = 4 * 2**20
"""A frame holds at least one event, however big; the wire allows events of a mebibyte."""
RETENTION_MS = 30 * 86_400_000
OPEN_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0


class KafkaLog:
    """One topic. `replication` 0: three copies, or one per broker where there are fewer; used when the topic is made.

    With several copies a write needs all but one of them (`min.insync.replicas`).
    """

    _known: ClassVar[WeakValueDictionary[str, KafkaLog]] = WeakValueDictionary()
    _numbers: ClassVar[count[int]] = count()

    def __init__(
        self,
        url: str,
        *,
        partitions: int = topics.PARTITIONS,
        replication: int = 0,
        retention_ms: int = RETENTION_MS,
        topic: str | None = None,
        group: str | None = None,
        security: KafkaSecurity | None = None,
    ) -> None:
        self.servers = servers_of(url)
        self.partitions = partitions
        self.topic = topic or topics.TOPIC
        self.group = group or topics.GROUP
        self._replication = replication
        self._retention_ms = retention_ms
        self._security = security or KafkaSecurity()
        self.url = f"{SCHEME}://{self.topic}/{self.group}/{next(self._numbers)}"
        """What Faust calls this log."""
        self._known[self.url] = self

    @classmethod
    def at(cls, url: str) -> KafkaLog:
        """The log of that `url`; raises ConfigurationError when this process has none."""
        log = cls._known.get(url)
        if log is None:
            raise ConfigurationError(f"the log {url} is not known in this process: make a KafkaLog and pass its `url`")
        return log

    def options(self) -> dict[str, Any]:
        """What every client of this log is made with."""
        return {
            "bootstrap_servers": self.servers,
            "request_timeout_ms": REQUEST_MS,
            "metadata_max_age_ms": METADATA_MS,
            **self._security.options(),
        }

    async def open(self, patience_s: float = OPEN_S) -> None:
        """Make the topic, or check that it fits.

        Raises LogUnreachableError when no broker answers in time, ConfigurationError when the topic does not fit.
        """
        try:
            async with asyncio.timeout(patience_s):
                pause = FIRST_PAUSE_S
                while not await self._ensured():
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE_S)
        except TimeoutError as late:
            raise LogUnreachableError(
                f"Kafka at {', '.join(self.servers)} did not answer within {patience_s:g} s: "
                "check that it runs and that WEIR_BROKER names it"
            ) from late

    async def close(self) -> None:
        """Nothing is held open; there for symmetry with the embedded log."""

    async def _ensured(self) -> bool:
        try:
            async with self.admin() as admin:
                found = (await admin.describe_topics([self.topic]))[0]
                if found["error_code"] == 0:
                    await self._check(admin, len(found["partitions"]))
                    return True
                await self._make(admin)
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("Kafka at %s is tried again: %r", ", ".join(self.servers), error)
        return False

    @asynccontextmanager
    async def admin(self) -> AsyncGenerator[AIOKafkaAdminClient]:
        """A client for questions about the cluster. Raises KafkaError when no broker answers."""
        admin = AIOKafkaAdminClient(**self.options())
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()

    async def _make(self, admin: AIOKafkaAdminClient) -> None:
        brokers = len((await admin.describe_cluster())["brokers"])
        copies = self._replication or min(COPIES, brokers)
        settings = {
            "min.insync.replicas": str(max(1, copies - 1)),
            "retention.ms": str(self._retention_ms),
            "max.message.bytes": str(RECORD_BYTES),
            "cleanup.policy": "delete",
            "message.timestamp.type": "CreateTime",
            # A gateway's clock goes on when its machine's was set back: no broker may refuse its records for that.
            "message.timestamp.after.max.ms": str(2**63 - 1),
        }
        topic = NewTopic(self.topic, self.partitions, copies, topic_configs=settings)
        for _, code, *rest in cast("Any", await admin.create_topics([topic])).topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                reason = (
                    f"the topic {self.topic} could not be made: {error.__name__} {rest[0] if rest else ''}".rstrip()
                )
                if error.retriable:
                    logger.warning("%s; it is tried again", reason)
                else:
                    raise ConfigurationError(f"{reason}; make it by hand, or let Weir's user do it")
            elif not code:
                logger.info("topic %s made: %d partitions, %d copies", self.topic, self.partitions, copies)

    async def _check(self, admin: AIOKafkaAdminClient, partitions: int) -> None:
        if partitions != self.partitions:
            raise ConfigurationError(
                f"the topic {self.topic} has {partitions} partitions: set that, not {self.partitions}"
                " (a topic that has records keeps its number)"
            )
        settings = await self.settings(admin)
        if "compact" in settings.get("cleanup.policy", "delete"):
            raise ConfigurationError(f"the topic {self.topic} must not be compacted: set cleanup.policy to delete")
        if int(settings.get("max.message.bytes", RECORD_BYTES)) < RECORD_BYTES:
            raise ConfigurationError(f"the topic {self.topic} needs max.message.bytes of {RECORD_BYTES} or more")

    async def settings(self, admin: AIOKafkaAdminClient) -> dict[str, str]:
        """The topic's settings by name."""
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, self.topic)])
        return {entry[0]: entry[1] for resource in cast("Any", answer).resources for entry in resource[4]}


__all__ = ["SCHEME", "KafkaLog"]
