# pyright: basic
# Faust's and mode's annotations are partial: strict mode would report their code, not ours.
# ruff: noqa: SLF001 # the client has no public way to take what was fetched by partition, or to ask what it heard
"""Reads the topic for Faust, as a member of the group, on Faust's own loop.

On one loop no record crosses a thread. The price: a loop that is blocked for SESSION_S loses its partitions, as a
process that is stopped does; what it saves afterwards is fenced by the store.

The protocol of rebalances is the eager one: before any change every member gives up all partitions and gets its new
ones. Assignments are sticky, and a partition that comes back keeps its engine (`streams.holdings`), so that a
rebalance costs the members who go on little more than the round trip.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.consumer import RecordMap
from faust.types import TP

from streams.kafka.unpack import unpack
from streams.ports import LogRecord, LogUnreachableError
from streams.runs import RunConsumer

if TYPE_CHECKING:
    from streams.kafka.log import KafkaLog
    from streams.kafka.transport import Transport

logger = logging.getLogger(__name__)

SESSION_S = 6.0
"""After so long without a sign of life a member's partitions go to others; Kafka allows no less by default."""
HEARTBEAT_S = 0.5
REBALANCE_S = 8.0
"""How long the group waits for a member to give up its partitions."""
FETCH_WAIT_MS = 100
PARTITION_BYTES = 2 * 2**20
FETCH_BYTES = 16 * 2**20
FOR_EVER_MS = 10 * 365 * 86_400_000
"""A member that fetches nothing while the database is down stays a member: the runtime watches itself."""
REASSIGNED_S = 0.02


class KafkaConsumer(RunConsumer):
    """One member of the group."""

    consumer_stopped_errors = (ConsumerStoppedError,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._log: KafkaLog = cast("Transport", self.transport).log
        self._kafka: AIOKafkaConsumer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._assigned_at = 0.0

    async def on_start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers."""
        self._kafka = AIOKafkaConsumer(
            **self._log.options(),
            client_id=self._log.group,
            group_id=self._log.group,
            partition_assignment_strategy=[_assignor()],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(SESSION_S * 1000),
            heartbeat_interval_ms=int(HEARTBEAT_S * 1000),
            rebalance_timeout_ms=int(REBALANCE_S * 1000),
            max_poll_interval_ms=FOR_EVER_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
        )
        try:
            await self._kafka.start()
        except KafkaError:
            await self._kafka.stop()
            raise

    async def on_stop(self) -> None:
        """Commit what is due and leave the group."""
        await super().on_stop()
        if self._kafka is not None:
            await self._kafka.stop()

    @property
    def kafka(self) -> AIOKafkaConsumer:
        """The client; raises ConsumerStoppedError before the start."""
        if self._kafka is None:
            raise ConsumerStoppedError
        return self._kafka

    # Membership

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group; partitions come later."""
        if names := set(topics):
            self.kafka.subscribe(names, listener=_Listener(self))

    async def lose(self, revoked: set[TP]) -> None:
        """All partitions are given up."""
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(revoked)

    async def gain(self, assigned: set[TP]) -> None:
        """These partitions are ours until further notice."""
        generation = cast("Any", self.kafka)._coordinator.generation
        self.app.consumer_generation_id = generation
        self._assigned_at = time.time()
        await self.on_partitions_assigned(assigned, generation)

    def assignment(self) -> set[TP]:
        """The partitions that are ours."""
        return set() if self._kafka is None else {TP(tp.topic, tp.partition) for tp in self._kafka.assignment()}

    # Fetching

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> RecordMap:  # noqa: ASYNC109 # Faust's signature
        kafka = cast("Any", self.kafka)
        kafka._coordinator.check_errors()
        if kafka._subscription.reassignment_in_progress:
            await asyncio.sleep(REASSIGNED_S)
            return {}
        if found := self._drain(active_partitions or set()):
            return found
        generation = self.app.consumer_generation_id
        self._waiter = waiter = kafka._fetcher._create_fetch_waiter()
        done, _ = await asyncio.wait([waiter], timeout=timeout)
        if done:
            waiter.result()  # raises what the client has to say: not authorised, for example
        else:
            waiter.cancel()
        if kafka._subscription.reassignment_in_progress or self.app.consumer_generation_id != generation:
            return {}  # nothing is taken out for who asked before a rebalance: it would be dropped, and not read again
        return self._drain(self._fetchable())

    def _drain(self, fetchable: set[TP]) -> RecordMap:
        """Everything fetched of these partitions."""
        kafka = cast("Any", self.kafka)
        fetcher = kafka._fetcher
        found: dict[TP, list[LogRecord]] = {}
        for tp in list(fetcher._records):
            if tp not in fetchable:
                if not kafka._subscription.is_assigned(tp):
                    del fetcher._records[tp]
                continue
            result = fetcher._records.pop(tp)
            fetcher._notify(fetcher._wait_consume_future)
            if not isinstance(result, FetchResult):
                result.check_raise()
            if records := unpack(result):
                found[TP(tp.topic, tp.partition)] = records
        return cast("RecordMap", found)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Offsets

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False when the partitions have gone to others, who will read again what was not committed."""
        ours = self.assignment()
        due = {TopicPartition(tp.topic, tp.partition): offset for tp, offset in offsets.items() if tp in ours}
        if not due:
            return False
        try:
            await self.kafka.commit(due)
        except (CommitFailedError, IllegalStateError) as gone:
            logger.info("offsets are not committed, the partitions have gone to others: %s", gone)
            return False
        except KafkaError as error:
            raise LogUnreachableError(f"{type(error).__name__} {error}") from error
        return len(due) == len(offsets)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Nothing to do: the client starts every assignment at the committed offsets."""
        return {}

    async def _seek(self, partition: TP, offset: int) -> None:
        self.kafka.seek(TopicPartition(partition.topic, partition.partition), offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to these offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def position(self, tp: TP) -> int | None:
        """The next offset to be fetched."""
        return await self.kafka.position(TopicPartition(tp.topic, tp.partition))

    def highwater(self, tp: TP) -> int | None:
        """The next offset to be written, as last heard; None before anything was heard."""
        state = self._state(tp)
        return None if state is None else state.highwater

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The next offsets to be written."""
        return cast("Any", await self.kafka.end_offsets([TopicPartition(tp.topic, tp.partition) for tp in partitions]))

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """The first offsets still held."""
        tps = [TopicPartition(tp.topic, tp.partition) for tp in partitions]
        return cast("Any", await self.kafka.beginning_offsets(tps))

    def behind(self, tp: TP, applied: int) -> int | None:
        """How many offsets wait to be applied, `applied` being the last that was; None when that is not known.

        Offsets without a record, as the ends of transactions leave them, wait for nobody.
        """
        state = self._state(tp)
        if state is None or state.highwater is None or not state.has_valid_position:
            return None
        waiting = self._delivered.get(tp)
        if waiting and waiting[-1].offset > applied:
            return max(0, state.highwater - applied - 1)
        return max(0, state.highwater - max(applied + 1, state.position))

    def silent_ms(self, tp: TP) -> int:
        """How long ago (ms) the broker last told of a partition, or since when it is ours and unheard of."""
        state = self._state(tp)
        heard = self._assigned_at if state is None or not state.timestamp else state.timestamp / 1000
        return max(0, int((time.time() - heard) * 1000))

    def _state(self, tp: TP) -> Any:
        if self._kafka is None:
            return None
        subscription = cast("Any", self._kafka)._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        return None if assignment is None or tp not in assignment.tps else assignment.state_value(tp)

    # What Faust asks besides

    def topic_partitions(self, topic: str) -> int | None:
        """How many partitions the topic has; None for any other."""
        return self._log.partitions if topic == self._log.topic else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:  # noqa: ARG002 # Faust's signature
        """Only the partition said: the gateway chooses partitions."""
        return partition

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:
        """The log is there before Faust is: `KafkaLog.open` makes it."""

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)


class _Listener(ConsumerRebalanceListener):
    """Passes the client's announcements on. The client only logs what is raised here, hence the crash of the app."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Before every change."""
        try:
            await self._consumer.lose({TP(tp.topic, tp.partition) for tp in revoked})
        except Exception as error:  # noqa: BLE001 # see the class
            await self._consumer.app.crash(error)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """After every change."""
        try:
            await self._consumer.gain({TP(tp.topic, tp.partition) for tp in assigned})
        except Exception as error:  # noqa: BLE001 # see the class
            await self._consumer.app.crash(error)


def _assignor() -> type[StickyPartitionAssignor]:
    """A sticky assignor that remembers for one consumer: the client's keeps its memory in the class."""
    return type("StickyAssignor", (StickyPartitionAssignor,), {"member_assignment": None})


__all__ = ["KafkaConsumer"]
