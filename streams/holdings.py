"""The partitions of this process: their lanes and engines, taken over and handed on.

A partition that comes back to us after a rebalance goes on with the engine it had, when the store's mark tells that
nobody else has saved anything of it meanwhile; else everything is loaded anew. What the log was told to be processed
and the store does not have (it was restored from a backup, or lost its last writes with the machine) is applied again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from actors.errors import ConfigurationError
from actors.sla import Policy
from actors.thresholds import ThresholdSet
from storage.errors import FencedError
from storage.ports import EngineStore
from streams.lanes import Lane, Take
from streams.partition import Partition, Turn, recover
from streams.patience import Patience
from streams.persister import Persister
from streams.ports import LogReader, LogRecord, PartitionPosition

logger = logging.getLogger(__name__)

AGAIN_RECORDS = 250

Spawn = Callable[[str, Coroutine[Any, Any, None]], asyncio.Task[None]]


class Holdings:
    """`partitions` are those whose engine is loaded. `hold` stops and `release` resumes the fetching of one."""

    def __init__(
        self,
        *,
        store: EngineStore,
        reader: LogReader,
        persister: Persister,
        patience: Patience,
        partitions: dict[int, Partition],
        policies: Sequence[Policy],
        most_conversations: int,
        in_all: int,
        hold: Callable[[int], None],
        release: Callable[[int], None],
        spawn: Spawn,
    ) -> None:
        self.partitions = partitions
        self.lanes: dict[int, Lane] = {}
        self.thresholds = ThresholdSet()
        self.ready = asyncio.Event()
        self._store = store
        self._reader = reader
        self._persister = persister
        self._patience = patience
        self._policies = policies
        self._most_conversations = most_conversations
        self._in_all = in_all
        self._applying = asyncio.Lock()
        self._hold = hold
        self._release = release
        self._spawn = spawn
        self._parked: dict[int, Partition] = {}
        self._places: asyncio.Task[dict[int, PartitionPosition]] | None = None
        self._assigned_at = 0.0

    def assign(self, numbers: Iterable[int]) -> None:
        """Take these partitions over; each is loaded by itself and begins as soon as it is."""
        wanted = sorted(numbers)
        logger.info("partitions %s are ours now", wanted)
        self._assigned_at = asyncio.get_running_loop().time()
        self._parked = {number: parked for number, parked in self._parked.items() if number in wanted}
        self._places = None
        for number in wanted:
            lane = self.lanes[number] = Lane(
                number,
                load=self._load,
                catch_up=self._catch_up,
                persister=self._persister,
                hold=self._hold,
                release=self._release,
            )
            lane.start(self._spawn)
        if not wanted:
            self.ready.set()

    async def close_lanes(self) -> None:
        """Finish the runs under way; nothing more is applied, and nothing fires."""
        lanes, self.lanes = list(self.lanes.values()), {}
        self.ready.clear()
        if self._places is not None:
            self._places.cancel()
        await asyncio.gather(*(lane.close() for lane in lanes))

    async def give_up(self, within_s: float) -> None:
        """Save what is applied and let go of every partition.

        What cannot be saved within that time, or is another's already, is let go without: whoever has the partition
        next applies it again.
        """
        leaving, began = dict(self.partitions), asyncio.get_running_loop().time()
        self._parked = {}
        try:
            async with asyncio.timeout(within_s):
                await self.close_lanes()
                async with asyncio.TaskGroup() as group:
                    for partition in leaving.values():
                        group.create_task(self._park(partition))
        except TimeoutError:
            left = sorted(leaving.keys() - self._parked.keys())
            logger.warning(
                "partitions %s could not be saved within %g s (%s) and are read again by whoever has them next",
                left,
                within_s,
                self._patience.trouble or "no known trouble",
            )
        for number in leaving.keys() - self._parked.keys():
            self._persister.abandon(leaving[number])
        self.partitions.clear()
        took = asyncio.get_running_loop().time() - began
        logger.info("partitions %s are given up: saved or left in %.2f s", sorted(leaving), took)

    async def _park(self, partition: Partition) -> None:
        try:
            await self._persister.flush(partition)
        except FencedError as error:
            logger.warning("%s: what it applied since is left to the other", error)
        else:
            self._parked[partition.number] = partition

    def set_thresholds(self, thresholds: ThresholdSet) -> None:
        """Put other thresholds in force for everything observed from now on."""
        self.thresholds = thresholds
        for partition in self.partitions.values():
            partition.engine.thresholds = thresholds

    async def _load(self, number: int) -> Partition:
        mark = await self._patience(f"loading the mark of partition {number}", lambda: self._store.mark(number))
        partition = self._parked.pop(number, None)
        if partition is None or not partition.reopen(mark):
            engine = await recover(mark, self._store, self.thresholds, self._policies, self._patience)
            turn = Turn(self._applying)
            partition = Partition(
                engine, self._store, self._patience, self._persister.flush, partitions=self._in_all, turn=turn
            )
        if partition.engine.thresholds is not self.thresholds:
            partition.engine.thresholds = self.thresholds
        partition.most_conversations = max(1, self._most_conversations // max(1, len(self.lanes)))
        self.partitions[number] = partition
        if len(self.partitions) == len(self.lanes):
            self.ready.set()
            took = asyncio.get_running_loop().time() - self._assigned_at
            logger.info("partitions %s are loaded after %.2f s", sorted(self.partitions), took)
        return partition

    async def _catch_up(self, partition: Partition, take: Take) -> None:
        """Apply what the log counts as processed and the store does not have."""
        number, engine = partition.number, partition.engine
        place = (await self._asked_places()).get(number)
        if place is None:
            return
        if engine.applied >= place.end:
            raise ConfigurationError(
                f"partition {number} was processed up to record {engine.applied}, but the log ends at {place.end}:"
                " it is not the log this database belongs to. Use the log of before, or an empty database"
            )
        if place.start > engine.applied + 1:
            logger.error(
                "records %d to %d of partition %d were never saved and are no longer in the log: resync their channels",
                engine.applied + 1,
                place.start - 1,
                number,
            )
        if engine.applied + 1 < place.committed:
            logger.warning(
                "partition %d: the database is older than the log's count of what was done; %d to %d are read again",
                number,
                engine.applied + 1,
                place.committed - 1,
            )
            await self._patience(
                f"reading partition {number} again", lambda: self._again(partition, place.committed, take)
            )

    async def _again(self, partition: Partition, end: int, take: Take) -> None:
        run: list[LogRecord] = []
        async for record in self._reader.records(partition.number, partition.engine.applied + 1):
            if record.offset >= end:
                break
            run.append(record)
            if len(run) >= AGAIN_RECORDS:
                await take(run, _nothing)
                run = []
        if run:
            await take(run, _nothing)

    async def _asked_places(self) -> dict[int, PartitionPosition]:
        """Where every partition of the log stands: asked once for all that are loaded together."""
        if self._places is None:
            self._places = asyncio.create_task(self._ask_places(), name="positions")
        return await asyncio.shield(self._places)

    async def _ask_places(self) -> dict[int, PartitionPosition]:
        places = await self._patience("asking the log for its positions", self._reader.positions)
        return {place.partition: place for place in places}


def _nothing() -> None:
    """What was committed long ago needs no ack."""


__all__ = ["Holdings", "Spawn"]
