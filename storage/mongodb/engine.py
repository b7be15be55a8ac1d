"""What the engine reads at start and on the way, and its one save."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from actors.effects import KeyRemembered
from storage.mongodb.compose import Known, compose
from storage.mongodb.compose_figures import unpacked_keys
from storage.mongodb.connection import ROWS_A_FETCH, Database, Row
from storage.mongodb.flushes import Flush, Holding, take_over, write_flush
from storage.records import Batch, PartitionMark, StateRow

LOWEST = -(1 << 63)


class Begun(Struct):
    """A save that has not ended well, with the batch it is of."""

    batch: Batch
    flush: Flush


class MongoEngine:
    """`storage.ports.EngineStore`."""

    _db: Database

    def __init__(self) -> None:
        self._known = Known()
        self._holdings: dict[int, Holding] = {}
        self._begun: dict[int, Begun] = {}
        self._building = asyncio.Lock()
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def mark(self, partition: int) -> PartitionMark:
        """How far a partition is processed. Takes it over: an earlier writer's next save raises FencedError."""
        async with self._turns[partition]:
            return await self._take(partition)

    async def channel_states(self, partition: int) -> list[StateRow]:
        """Every channel state of a partition."""
        where = {"partition": partition, "state": {"$exists": True}}
        with self._db.talk() as db:
            rows = db.channels.find(where, {"state": 1, "due": 1}, batch_size=ROWS_A_FETCH)
            return [_state(row) async for row in rows]

    async def conversation_states(self, keys: Sequence[str]) -> list[StateRow]:
        """The states of these conversations; unknown keys are absent."""
        rows = await self._db.by_ids("conversations", keys, {"state": 1, "due": 1})
        found = [_state(row) for row in rows if "state" in row]
        self._known.learn({row.key for row in found})
        return found

    async def armed(self, partition: int) -> list[tuple[int, str]]:
        """(due, key) of every conversation of a partition with a timer, in no order."""
        where = {"partition": partition, "due": {"$gte": LOWEST}}
        with self._db.talk() as db:
            rows = db.conversations.find(where, {"due": 1}, batch_size=ROWS_A_FETCH)
            return [(row["due"], row["_id"]) async for row in rows]

    async def sent_times(self, channel: str, since: int) -> list[int]:
        """`sent_at` of every message held of a channel (merged ones too) from `since` on, ascending."""
        where = {"channel": channel, "sent_at": {"$gte": since}}
        with self._db.talk() as db:
            rows = db.messages.find(where, {"_id": 0, "sent_at": 1}, batch_size=ROWS_A_FETCH)
            return sorted([row["sent_at"] async for row in rows])

    async def event_keys(self, partition: int, since: int) -> list[KeyRemembered]:
        """The idempotency keys remembered by the channels of a partition with at >= since, by `at` ascending."""
        where = {"partition": partition, "last_at": {"$gte": since}}
        with self._db.talk() as db:
            documents = [row["keys"] async for row in db.event_keys.find(where, {"keys": 1})]
        # A week's keys of a busy partition are millions.
        return await asyncio.to_thread(_keys_of, documents, since)

    async def save(self, batch: Batch) -> None:
        """Write everything of a batch, whole or not at all; raises FencedError when the version does not fit.

        After any other error the same batch may be saved again: it ends once, even if it had been written already.
        """
        partition = batch.mark.partition
        async with self._turns[partition]:
            holding = self._holdings.get(partition)
            if holding is None:
                await self._take(partition)
                holding = self._holdings[partition]
            begun = self._begun.get(partition)
            if begun is None or begun.batch is not batch:
                begun = Begun(batch, await compose(self._db, self._known, batch, holding, self._building))
                self._begun[partition] = begun
            await write_flush(self._db, begun.flush, holding)
            del self._begun[partition]
            self._known.learn(begun.flush.conversations)

    async def _take(self, partition: int) -> PartitionMark:
        self._begun.pop(partition, None)
        mark, self._holdings[partition] = await take_over(self._db, partition)
        return mark


def _state(row: Row) -> StateRow:
    return StateRow(row["_id"], row["state"], row.get("due"))


def _keys_of(documents: Sequence[bytes], since: int) -> list[KeyRemembered]:
    held = {(row.at, row.key, row.label): row for data in documents for row in unpacked_keys(data) if row.at >= since}
    return [held[place] for place in sorted(held)]
