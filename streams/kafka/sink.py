# pyright: basic
# aiokafka has no stubs: strict mode would report its code, not ours.
# ruff: noqa: SLF001 # what its producer keeps to itself is needed to end it while no broker answers
"""Writes frames: one batch after the other within a partition, confirmed by every replica in sync.

The producer is idempotent: what it sends again after a lost answer or to a new leader is in the log once, in order.
It tries for as long as it takes; a call waits CONFIRM_S for that, which is longer than a broker's death takes to be
noticed and a new leader to be found. A batch that is still not confirmed may be written later. Until that is known the
partition takes nothing more, so that nothing overtakes it and nothing piles up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from actors.errors import RejectedError
from streams.ports import LogUnreachableError

if TYPE_CHECKING:
    from aiokafka.structs import RecordMetadata

    from streams.kafka.log import KafkaLog

logger = logging.getLogger(__name__)

CONFIRM_S = 20.0
ANSWER_MS = 5_000
"""A broker that does not answer for so long is asked again, or its successor is."""
BATCH_BYTES = 900_000
"""Below what a broker takes by default; a single frame may be bigger, up to the topic's max.message.bytes."""
STOP_S = 5.0

Row = tuple[int, int, bytes]


class KafkaSink:
    """Opened by the first append. Appends of different partitions may run side by side, those of one may not."""

    def __init__(self, log: KafkaLog) -> None:
        self._log = log
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def append(self, rows: Sequence[Row]) -> None:
        """Append (partition, wall, data) rows in order; return when all are confirmed.

        Raises LogUnreachableError: a part may have been written, or will be. RejectedError: too big for the topic.
        """
        by_partition: dict[int, list[Row]] = {}
        for row in rows:
            by_partition.setdefault(row[0], []).append(row)
        parts = [self._append(partition, part) for partition, part in by_partition.items()]
        if len(parts) == 1:
            return await parts[0]
        for outcome in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return None

    async def close(self) -> None:
        """Stop; what is not confirmed by then may be written or not."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._let_go(producer)
        await asyncio.gather(*self._leaving)

    async def _append(self, partition: int, rows: Sequence[Row]) -> None:
        if partition in self._unconfirmed:
            raise LogUnreachableError(f"Kafka has not confirmed an earlier write to partition {partition} yet")
        producer: AIOKafkaProducer | None = None
        confirming: asyncio.Future[None] | None = None
        try:
            async with asyncio.timeout(CONFIRM_S):
                producer = await self._ready()
                confirming = asyncio.ensure_future(self._write(producer, partition, rows))
                await asyncio.shield(confirming)
        except TimeoutError as late:
            if producer is not None and confirming is not None and not confirming.done():
                self._wait_for(partition, confirming, producer)
            raise LogUnreachableError(
                f"Kafka did not confirm a write to partition {partition} within {CONFIRM_S:g} s: check the brokers"
            ) from late
        except (KafkaError, OSError) as error:
            # The producer has lost count of the partition's batches: only a new one is sure of the order.
            self._replace(producer)
            if isinstance(error, MessageSizeTooLargeError):
                raise RejectedError("an event is too big for the topic: raise its max.message.bytes") from error
            raise LogUnreachableError(f"Kafka did not take a write to partition {partition}: {error!r}") from error

    async def _write(self, producer: AIOKafkaProducer, partition: int, rows: Sequence[Row]) -> None:
        confirmations: list[asyncio.Future[RecordMetadata]] = [
            await producer.send_batch(batch, self._log.topic, partition=partition) for batch in _batches(producer, rows)
        ]
        for outcome in await asyncio.gather(*confirmations, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    def _wait_for(self, partition: int, confirming: asyncio.Future[None], producer: AIOKafkaProducer) -> None:
        logger.warning("a write to partition %d is still not confirmed; nothing more is taken for it", partition)
        self._unconfirmed[partition] = confirming

        def settled(outcome: asyncio.Future[None]) -> None:
            del self._unconfirmed[partition]
            failed = outcome.cancelled() or outcome.exception() is not None
            logger.warning("that write to partition %d has %s", partition, "failed" if failed else "been confirmed")
            if failed:
                self._replace(producer)

        confirming.add_done_callback(settled)

    async def _ready(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._started()
            return self._producer

    async def _started(self) -> AIOKafkaProducer:
        options: dict[str, Any] = self._log.options() | {"request_timeout_ms": ANSWER_MS}
        producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES)
        try:
            await producer.start()
            await producer.partitions_for(self._log.topic)
        except BaseException:
            self._let_go(producer)
            raise
        return producer

    def _replace(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None and producer is self._producer:
            self._producer = None
            self._let_go(producer)

    def _let_go(self, producer: AIOKafkaProducer) -> None:
        """Give what is under way in other partitions some time, then close."""
        task = asyncio.create_task(_stopped(producer), name="kafka-producer-stop")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _stopped(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(STOP_S):
            await producer.stop()
    except (TimeoutError, KafkaError):
        inside = cast("Any", producer)  # `stop` waits for ever for what no broker confirms
        await inside._sender.close()
        inside._message_accumulator.fail_all(KafkaConnectionError("the producer was closed"))
        await inside.client.close()


def _batches(producer: AIOKafkaProducer, rows: Sequence[Row]) -> Iterator[Any]:
    batch = producer.create_batch()
    for _, wall, data in rows:
        if batch.append(timestamp=wall, key=None, value=data) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(timestamp=wall, key=None, value=data)
    yield batch


__all__ = ["KafkaSink"]
