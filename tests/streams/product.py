"""Log, gateway, store and runtime together, as the product wires them, with a store that can be told to misbehave."""

from __future__ import annotations

import asyncio

from actors.thresholds import ThresholdSet
from storage.records import AnomalyFilter
from storage.sqlite import SqliteStore
from streams.app import Runtime
from streams.bus import LocalBus
from streams.embedded.log import EmbeddedLog
from streams.gateway import EmbeddedGateway


class MoodyStore(SqliteStore):
    """The real store; `errors` are raised by the next saves, `gate` holds saves back."""

    def __init__(self, path):
        super().__init__(path)
        self.errors = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.saves = 0

    async def save(self, batch):
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        await super().save(batch)
        self.saves += 1


class Product:
    """Everything on one data directory; `start` and `stop` may be called again and again."""

    def __init__(self, data_dir, *, clock=None, partitions=4, most_conversations=1000, enrich=None):
        self.data_dir = data_dir
        self.clock = clock
        self.partitions = partitions
        self.most_conversations = most_conversations
        self.enrich = enrich
        self.exits = []
        self.ended = asyncio.Event()

    async def start(self):
        self.store = MoodyStore(self.data_dir / "store.db")
        await self.store.open()
        self.log = EmbeddedLog(self.data_dir / "log.db", partitions=self.partitions)
        await self.log.open()
        self.gateway = EmbeddedGateway(self.log, clock=self.clock)
        self.bus = LocalBus()
        self.runtime = Runtime(
            store=self.store,
            gateway=self.gateway,
            reader=self.gateway,
            broker=self.log.url,
            bus=self.bus,
            thresholds=ThresholdSet(),
            partitions=self.partitions,
            most_conversations=self.most_conversations,
            enrich=self.enrich,
            end_process=self._end,
        )
        await self.runtime.start()
        await self.runtime.wait_ready()
        return self

    async def stop(self):
        await self.gateway.close()
        await self.runtime.stop()
        await self.log.close()
        await self.store.close()

    async def ledger(self):
        """Per channel: accepted, stored, duplicates, rejected."""
        return {
            row.channel: (row.accepted, row.stored, row.duplicates, row.rejected)
            for row in await self.store.ledger()
            if row.accepted
        }

    async def anomalies(self):
        return (await self.store.anomalies(AnomalyFilter(), 500)).items

    def _end(self, status):
        self.exits.append(status)
        self.ended.set()


async def until(condition):
    """Wait on a state."""
    while not condition():  # noqa: ASYNC110 # states of the runtime have no events of their own
        await asyncio.sleep(0.001)
