# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""Writes to the embedded log for Faust. Weir's own events come in by the gateway; this serves `topic.send` alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, cast

from faust.transport.producer import Producer
from faust.types import TP
from faust.types.tuples import RecordMetadata

from actors.errors import ConfigurationError
from streams.topics import TOPIC

if TYPE_CHECKING:
    from streams.embedded.log import EmbeddedLog
    from streams.embedded.transport import Transport


class EmbeddedProducer(Producer):
    """Appends raw bytes to the partition it is told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log: EmbeddedLog = cast("Transport", self.transport).log

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,  # noqa: ARG002 # Faust's signature
    ) -> Awaitable[RecordMetadata]:
        """Start appending a record; the answer ends when it is durable. The log keeps no keys and no headers."""
        return asyncio.ensure_future(self.send_and_wait(topic, key, value, partition, timestamp, headers))

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,  # noqa: ARG002 # Faust's signature
    ) -> RecordMetadata:
        """Append a record durably. Raises LogFullError, or ConfigurationError for another topic or no partition."""
        if topic != TOPIC or partition is None or key is not None or headers:
            raise ConfigurationError(
                f"the embedded log takes records of {TOPIC} with a partition, no key and no headers"
            )
        moment = time.time() if timestamp is None else timestamp
        [offset] = await self._log.append([(partition, int(moment * 1000), value or b"")])
        return RecordMetadata(topic, partition, TP(topic, partition), offset, moment, 0)

    async def flush(self) -> None:
        """Wait until what Faust buffered is sent."""
        await self.buffer.flush()

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:  # noqa: ARG002 # Faust's signature
        """The one topic is there; raises ConfigurationError for another, or for another number of partitions."""
        if topic != TOPIC or partitions != self._log.partitions:
            raise ConfigurationError(
                f"the embedded log holds {TOPIC} with {self._log.partitions} partitions, not {topic} with {partitions}"
            )

    def key_partition(self, topic: str, key: bytes) -> TP:  # noqa: ARG002 # Faust's signature
        """Not offered: the gateway chooses partitions."""
        raise ConfigurationError(f"{topic}: partitions are chosen by the gateway, not by key")

    def supports_headers(self) -> bool:
        """No."""
        return False
