# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
"""Reads the embedded log for Faust.

The order in which Faust calls: `subscribe` (its conductor) → here, as a task of its own, revoke and assign →
`seek_to_committed` (its recovery, which runs without tables too) → `_getmany` for ever (its fetcher) → `_commit` at
every commit interval.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.transport.consumer import RecordMap
from faust.types import TP

from actors.errors import ConfigurationError, RetriableError
from streams.ports import LogRecord
from streams.runs import RunConsumer, topic_partitions
from streams.topics import TOPIC

if TYPE_CHECKING:
    from streams.embedded.log import EmbeddedLog
    from streams.embedded.transport import Transport

logger = logging.getLogger(__name__)

RETRY_S = 0.5


class EmbeddedConsumer(RunConsumer):
    """The only member of its group: every partition is its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log: EmbeddedLog = cast("Transport", self.transport).log
        self._assigned: set[TP] = set()
        self._positions: dict[TP, int] = {}
        self._news = asyncio.Event()
        self._stop_listening = self._log.listen(self._news.set)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take every partition of the topic. Faust waits for this call before it assigns, so that is left to a task."""
        names = set(topics)
        if names - {TOPIC}:
            raise ConfigurationError(f"the embedded log holds the topic {TOPIC} only, not {sorted(names - {TOPIC})}")
        wanted = topic_partitions(TOPIC, range(self._log.partitions)) if names else set()
        if wanted != self._assigned:
            self.add_future(self._assign(wanted))

    async def _assign(self, wanted: set[TP]) -> None:
        """One rebalance, as a broker would announce it."""
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(set(self._assigned))
        self._assigned = wanted
        self.app.consumer_generation_id += 1
        await self.on_partitions_assigned(set(wanted), self.app.consumer_generation_id)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109 # Faust's signature
        self._news.clear()
        active = self._assigned if active_partitions is None else self._assigned & active_partitions
        if not any(self._position(tp) < self._log.end(tp.partition) for tp in active):
            try:
                await asyncio.wait_for(self._news.wait(), timeout)
            except TimeoutError:
                return {}
        wanted = {tp.partition: self._position(tp) for tp in active if self._position(tp) < self._log.end(tp.partition)}
        return await self._read(wanted) if wanted else {}

    def _wake(self) -> None:
        self._news.set()

    async def _read(self, wanted: Mapping[int, int]) -> RecordMap:
        try:
            records = await self._log.fetch(wanted)
        except RetriableError as error:
            logger.warning("reading the log is tried again: %s", error)
            await self.sleep(RETRY_S)
            return {}
        found: dict[TP, list[LogRecord]] = {}
        for record in records:
            tp = TP(TOPIC, record.partition)
            found.setdefault(tp, []).append(record)
            self._positions[tp] = record.offset + 1
        return found

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Note the offsets, durably."""
        await self._log.commit({tp.partition: offset for tp, offset in offsets.items()})
        return True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to where processing ended last time."""
        for tp in self._assigned:
            self._positions[tp] = self._beginning(tp)
        return dict(self._positions)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        """The next offset to be fetched."""
        return self._position(tp)

    def _position(self, tp: TP) -> int:
        if tp not in self._positions:
            self._positions[tp] = self._beginning(tp)
        return self._positions[tp]

    def _beginning(self, tp: TP) -> int:
        return max(self._log.committed(tp.partition) or 0, self._log.start(tp.partition))

    def assignment(self) -> set[TP]:
        """Every partition, once subscribed."""
        return set(self._assigned)

    def highwater(self, tp: TP) -> int:
        """The next offset to be written."""
        return self._log.end(tp.partition)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The next offsets to be written."""
        return {tp: self._log.end(tp.partition) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """The first offsets still held."""
        return {tp: self._log.start(tp.partition) for tp in partitions}

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions the topic has; None for any other."""
        return self._log.partitions if topic == TOPIC else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:  # noqa: ARG002 # Faust's signature
        """Only the partition said: the gateway chooses partitions, not the broker."""
        return partition

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:  # noqa: ARG002 # Faust's signature
        """The one topic is there; raises ConfigurationError for another, or for another number of partitions."""
        if topic != TOPIC or partitions != self._log.partitions:
            raise ConfigurationError(
                f"the embedded log holds {TOPIC} with {self._log.partitions} partitions, not {topic} with {partitions}"
            )

    def behind(self, tp: TP, applied: int) -> int | None:
        """How many records of a partition wait to be applied, `applied` being the last that was."""
        return max(0, self._log.end(tp.partition) - applied - 1)

    def silent_ms(self, tp: TP) -> int:  # noqa: ARG002 # a log in this process is always heard
        """Nothing happens to this log that is not known at once."""
        return 0

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def on_stop(self) -> None:
        """Commit what is acked and stop listening."""
        await super().on_stop()
        self._stop_listening()
