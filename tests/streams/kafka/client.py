"""A program that is not Weir: writes whatever it likes into the topic, and asks the group's offsets."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


class Client:
    """Connects when it is first used."""

    def __init__(self, log):
        self._log = log
        self._producer = None
        self._consumer = None

    async def produce(self, partition, *values, timestamp_ms=None, transaction=None):
        """Write records, in one batch where they fit."""
        if transaction is not None:
            return await self._in_transaction(transaction, partition, values)
        if self._producer is None:
            self._producer = AIOKafkaProducer(**self._log.options(), acks="all", linger_ms=5)
            await self._producer.start()
        sent = [
            await self._producer.send(self._log.topic, value, partition=partition, timestamp_ms=timestamp_ms)
            for value in values
        ]
        return [(await one).offset for one in sent]

    async def _in_transaction(self, name, partition, values):
        producer = AIOKafkaProducer(**self._log.options(), transactional_id=name)
        await producer.start()
        async with producer.transaction():
            for value in values:
                await producer.send(self._log.topic, value, partition=partition)
        await producer.stop()

    async def commit(self, offsets):
        """Commit as the group, which must have no members."""
        consumer = await self._group()
        await consumer.commit({self._tp(partition): offset for partition, offset in offsets.items()})

    async def committed(self, partition):
        """The group's next offset of a partition; None when it never committed."""
        return await (await self._group()).committed(self._tp(partition))

    async def topics(self):
        """Every topic on the broker."""
        return await (await self._group()).topics()

    async def close(self):
        for each in (self._producer, self._consumer):
            if each is not None:
                await each.stop()

    async def _group(self):
        if self._consumer is None:
            options = self._log.options()
            self._consumer = AIOKafkaConsumer(**options, group_id=self._log.group, enable_auto_commit=False)
            self._consumer.assign([self._tp(partition) for partition in range(self._log.partitions)])
            await self._consumer.start()
        return self._consumer

    def _tp(self, partition):
        return TopicPartition(self._log.topic, partition)
