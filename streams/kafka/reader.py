# pyright: basic
# aiokafka has no stubs: strict mode would report its code, not ours.
"""Reads the topic back, beside the group that processes it: positions, the age of what waits, records of old times.

Every method raises LogUnreachableError when no broker answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.ports import LogRecord, LogUnreachableError, PartitionPosition

if TYPE_CHECKING:
    from streams.kafka.log import KafkaLog

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaAdminClient)

ANSWER_S = 10.0
PAGE_RECORDS = 500
PAGE_WAIT_MS = 250
READING: dict[str, Any] = {"enable_auto_commit": False, "auto_offset_reset": "earliest", "fetch_max_wait_ms": 10}
SKEW_MS = 600_000
"""By how much the clocks of two gateways may differ: records of one partition are not quite in order of time."""


class KafkaReader:
    """Clients are made when they are needed and kept for the next call."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self._consumers: list[AIOKafkaConsumer] = []
        self._admins: list[AIOKafkaAdminClient] = []
        self._tps = [TopicPartition(log.topic, number) for number in range(log.partitions)]

    async def close(self) -> None:
        """Disconnect."""
        while self._consumers:
            await self._consumers.pop().stop()
        while self._admins:
            await self._admins.pop().close()

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        async with self._consumer() as consumer:
            starts: dict[Any, int] = await consumer.beginning_offsets(self._tps)
            ends: dict[Any, int] = await consumer.end_offsets(self._tps)
        async with self._admin() as admin:
            found = await admin.list_consumer_group_offsets(self._log.group, partitions=list(self._tps))
        committed = {tp: place.offset for tp, place in found.items()}
        return [
            PartitionPosition(
                partition=tp.partition,
                start=starts[tp],
                end=ends[tp],
                committed=max(starts[tp], committed.get(tp, 0)),
            )
            for tp in self._tps
        ]

    async def last_wall(self) -> int:
        """About the latest acceptance time in the log (ms): of each partition's last record; 0 when it is empty."""
        latest = 0
        for place in await self.positions():
            if place.start < place.end:
                async for record in self.records(place.partition, place.end - 1):
                    latest = max(latest, record.wall)
        return latest

    async def waiting_since(self) -> int | None:
        """When the oldest record not committed was accepted (ms); None when all are."""
        walls: list[int] = []
        for place in await self.positions():
            if place.committed < place.end:
                async for record in self.records(place.partition, place.committed):
                    walls.append(record.wall)
                    break
        return min(walls, default=None)

    async def records(
        self, partition: int, offset: int = 0, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Records of a partition in order, from `offset` up to the end of now, accepted in [since, until)."""
        tp = self._tps[partition]
        async with self._consumer() as consumer:
            at, end = await self._bounds(consumer, tp, offset, since, until)
            if at >= end:
                return
            async for record in _from(consumer, tp, at, end):
                if (since is None or record.timestamp >= since) and (until is None or record.timestamp < until):
                    yield LogRecord(partition, record.offset, max(0, record.timestamp), record.value or b"")

    async def _bounds(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, since: int | None, until: int | None
    ) -> tuple[int, int]:
        start: int = (await consumer.beginning_offsets([tp]))[tp]
        end: int = (await consumer.end_offsets([tp]))[tp]
        at = max(start, offset)
        if since is not None:
            found = (await consumer.offsets_for_times({tp: max(0, since)}))[tp]
            at = end if found is None else max(at, found.offset)
        if until is not None:
            found = (await consumer.offsets_for_times({tp: max(0, until) + SKEW_MS}))[tp]
            end = end if found is None else min(end, found.offset)
        return at, end

    @asynccontextmanager
    async def _consumer(self) -> AsyncGenerator[AIOKafkaConsumer]:
        async with self._borrowed(
            self._consumers,
            lambda: AIOKafkaConsumer(**self._log.options(), **READING),
            AIOKafkaConsumer.stop,
        ) as consumer:
            yield consumer

    @asynccontextmanager
    async def _admin(self) -> AsyncGenerator[AIOKafkaAdminClient]:
        async with self._borrowed(
            self._admins, lambda: AIOKafkaAdminClient(**self._log.options()), AIOKafkaAdminClient.close
        ) as admin:
            yield admin

    @asynccontextmanager
    async def _borrowed(
        self, idle: list[Client], make: Callable[[], Client], close: Callable[[Client], Any]
    ) -> AsyncGenerator[Client]:
        """A client of our own for this long; one that failed is not used again."""
        client: Client | None = idle.pop() if idle else None
        sound = False
        try:
            if client is None:
                client = make()
                async with asyncio.timeout(ANSWER_S):
                    await client.start()
            yield client
            sound = True
        except GeneratorExit:
            sound = True
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            raise LogUnreachableError(f"Kafka does not answer: {error!r}; check the brokers") from error
        finally:
            if client is not None:
                if sound:
                    idle.append(client)
                else:
                    await close(client)


async def _from(consumer: AIOKafkaConsumer, tp: TopicPartition, at: int, end: int) -> AsyncIterator[Any]:
    """The records of a partition with offsets of [`at`, `end`)."""
    consumer.assign([tp])
    consumer.seek(tp, at)
    try:
        while at < end:
            found = await consumer.getmany(tp, timeout_ms=PAGE_WAIT_MS, max_records=PAGE_RECORDS)
            for record in cast("Sequence[Any]", found.get(tp, ())):
                if record.offset >= end:
                    return
                yield record
            at = await consumer.position(tp)
    finally:
        consumer.unsubscribe()  # or it would go on fetching for nobody


__all__ = ["KafkaReader"]
