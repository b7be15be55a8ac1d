# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""What the consumers of both transports share: one Faust event per run, and acks strictly in order.

A run is a stretch of consecutive records of one partition, up to RUN_RECORDS or about RUN_BYTES. Faust costs as much
for an event of one record as for one of a thousand, so that runs make it cheap.

Faust's own book of acks is not used, for three reasons: it commits past a record that was never acked when that is
the first one after the committed offset; it acks what a stream skips while a rebalance is under way, though nobody
processed it; and it forgets acks that come while partitions are handed over. Here an offset is committed when `done`
was called for its run and for every run delivered before it, and never otherwise. Holes between offsets, as
transactions and compaction leave them, need no book-keeping that way.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, cast

from faust.transport.consumer import Consumer
from faust.types import TP, ConsumerMessage

from actors.errors import RetriableError
from streams.ports import LogRecord

logger = logging.getLogger(__name__)

Run: TypeAlias = Sequence[LogRecord]
"""Consecutive records of one partition, at least one."""

RUN_RECORDS = 1_000
RUN_BYTES = 1_000_000
COMMIT_S = 5.0
CREATE_TIME = 0


class RunConsumer(Consumer):
    """Delivers runs; `_getmany` of the adapter gives a mapping of partitions to lists of LogRecord."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: set[TP] = set()
        self._delivered: dict[TP, deque[ConsumerMessage]] = {}
        self._due: dict[TP, int] = {}
        self._told: dict[TP, int] = {}
        self._committing = asyncio.Lock()

    # Delivering

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 # Faust's signature
        """Runs as they come."""
        if not self.flow_active:
            await self.wait(cast("Any", self.can_resume_flow))
        found = await self._getmany(self._fetchable(), timeout)
        generation = self.app.consumer_generation_id
        messages = [
            self._to_message(tp, run)
            for tp, records in cast("Mapping[TP, list[LogRecord]]", found).items()
            for run in cut(records)
        ]
        # All are noted before the first goes out: what is fetched and not applied must never look like no lag.
        for message in messages:
            self._delivered.setdefault(message.tp, deque()).append(message)
        for message in messages:
            # What is dropped here is read again: every rebalance starts at the committed offsets.
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            yield message.tp, message

    def _fetchable(self) -> set[TP]:
        return self._get_active_partitions() - self._held - self._buffered_partitions

    def hold(self, tp: TP) -> None:
        """Fetch nothing more of a partition that has enough waiting."""
        self._held.add(tp)

    def release(self, tp: TP) -> None:
        """Go on fetching a partition."""
        if tp in self._held:
            self._held.discard(tp)
            self._wake()

    def on_buffer_full(self, tp: TP) -> None:
        """Fetch nothing more for a partition whose stream has enough.

        Faust would take it from the active ones too, and sleep a whole second whenever none is left.
        """
        if not self.app.in_recovery:
            self._buffered_partitions.add(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        """The stream has room again: fetch at once."""
        if tp in self._buffered_partitions:
            self._buffered_partitions.discard(tp)
            self._wake()

    @abstractmethod
    def _wake(self) -> None:
        """Let `_getmany` look again at once."""

    def _to_message(self, tp: TP, record: Run) -> ConsumerMessage:
        first, last = record[0], record[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            first.wall / 1000,
            CREATE_TIME,
            None,
            None,
            cast("Any", record),
            None,
            0,
            len(record),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    # Acks

    def done(self, message: ConsumerMessage) -> None:
        """The run is processed and saved. Of one delivered before a rebalance nothing is noted."""
        message.acked = True
        waiting = self._delivered.get(message.tp)
        while waiting and waiting[0].acked:
            self._due[message.tp] = waiting.popleft().offset + 1

    def ack(self, message: ConsumerMessage) -> bool:  # noqa: ARG002 # Faust's signature
        """What Faust calls of its own accord, and sometimes for what nobody processed: see the module's docstring."""
        return False

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing to note: acks are in order of delivery, not of numbers."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 # Faust's signature
        """Commit what is due; what cannot be committed now stays due."""
        async with self._committing:
            due = {tp: offset for tp, offset in self._due.items() if self._told.get(tp) != offset}
            if not due:
                return False
            try:
                async with asyncio.timeout(COMMIT_S):
                    committed = await self._commit(due)
            except (RetriableError, TimeoutError) as error:
                logger.warning("committing offsets is tried again: %s", error or "no answer")
                return False
            if committed:
                self._told.update(due)
            return committed

    # Rebalances

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand partitions over: what Faust's signal makes the runtime save is committed before they are let go."""
        await self._on_partitions_revoked(revoked)
        await self.commit()
        for tp in revoked:
            for book in (self._delivered, self._due, self._told):
                cast("dict[TP, Any]", book).pop(tp, None)
        cast("set[TP]", self._active_partitions).difference_update(revoked)
        self._paused_partitions.difference_update(revoked)
        self._held.difference_update(revoked)
        self._read_offset.clear()

    async def perform_seek(self) -> None:
        """Start where processing ended last time."""
        self._read_offset.clear()
        self._told.update(await self.seek_to_committed())

    # What the runtime asks

    def oldest(self, tp: TP) -> int | None:
        """When the oldest record that was delivered and is not done was accepted (ms)."""
        waiting = self._delivered.get(tp)
        return round(waiting[0].timestamp * 1000) if waiting else None

    @abstractmethod
    def behind(self, tp: TP, applied: int) -> int | None:
        """How many offsets of a partition wait to be applied, `applied` being the last that was; None: not known."""

    @abstractmethod
    def silent_ms(self, tp: TP) -> int:
        """For how long (ms) the broker has told nothing of a partition."""


def cut(records: Sequence[LogRecord]) -> Iterator[Run]:
    """The records in runs of equal numbers."""
    if records:
        step = max(1, min(RUN_RECORDS, RUN_BYTES * len(records) // max(1, size_of(records))))
        for start in range(0, len(records), step):
            yield records[start : start + step]


def size_of(records: Iterable[LogRecord]) -> int:
    """The bytes of their data."""
    return sum(map(len, map(_DATA, records)))


_DATA = attrgetter("data")


def topic_partitions(topic: str, numbers: Iterable[int]) -> set[TP]:
    """Faust's names of partitions."""
    return {TP(topic, number) for number in numbers}


__all__ = ["Run", "RunConsumer", "cut", "size_of", "topic_partitions"]
