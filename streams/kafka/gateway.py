"""The gateway over Kafka, which reads the log back too."""

from __future__ import annotations

from collections.abc import AsyncIterator

from streams.clock import SteadyClock
from streams.framing import FramingGateway
from streams.kafka.log import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.kafka.sink import KafkaSink
from streams.ports import LogRecord, PartitionPosition


class KafkaGateway(FramingGateway):
    """The gateway of one process; others write beside it. A partition whose leader is gone holds up its own alone."""

    def __init__(
        self,
        log: KafkaLog,
        *,
        clock: SteadyClock | None = None,
        max_events: int = 50_000,
        max_bytes: int = 64_000_000,
    ) -> None:
        self._sink = KafkaSink(log)
        self._reader = KafkaReader(log)
        super().__init__(
            self._sink,
            log.partitions,
            clock=clock or SteadyClock(),
            max_events=max_events,
            max_bytes=max_bytes,
            lanes=log.partitions,
        )

    async def close(self) -> None:
        """Write what is waiting, then disconnect."""
        await super().close()
        await self._sink.close()
        await self._reader.close()

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position; `committed` is the group's. Raises LogUnreachableError."""
        return await self._reader.positions()

    async def waiting_since(self) -> int | None:
        """When the oldest unprocessed record was accepted (ms); None when all is processed."""
        return await self._reader.waiting_since()

    def records(
        self, partition: int, offset: int = 0, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Records of a partition in order, from `offset` on, accepted in [since, until)."""
        return self._reader.records(partition, offset, since, until)


__all__ = ["KafkaGateway"]
