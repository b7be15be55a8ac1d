"""One partition at work: its engine, the states it needs, the frames applied and not yet acked.

Records and ticks come one at a time (`_lock`): what was loaded for one must not be overtaken by another. Saving goes on
meanwhile (`saving`); a state leaves memory only while no save is under way, so that it is loaded again as it was left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from structlog.contextvars import bind_contextvars

from actors.events import Entry
from actors.sla import Policy
from actors.state import WEEK
from actors.thresholds import ThresholdSet
from storage.ports import EngineStore
from storage.records import DeadLetter
from streams import dead_letters
from streams.engine import Engine
from streams.frames import FrameDamagedError, decode_frame, decode_leniently
from streams.patience import Patience
from streams.ports import LogRecord


class AppliedFrame(Struct, frozen=True):
    """A frame whose effects are not saved yet; `ack` is called when they are."""

    wall: int
    events: int
    ack: Callable[[], Awaitable[object]]


class Partition:
    """Feeds one engine. `flush` saves everything pending of this partition."""

    def __init__(
        self,
        engine: Engine,
        store: EngineStore,
        patience: Patience,
        flush: Callable[[Partition], Awaitable[None]],
        most_conversations: int,
    ) -> None:
        self.engine = engine
        self.frames: list[AppliedFrame] = []
        self.saving = asyncio.Lock()
        self.saving_since: int | None = None
        self._store = store
        self._patience = patience
        self._flush = flush
        self._most_conversations = most_conversations
        self._lock = asyncio.Lock()

    @property
    def number(self) -> int:
        """The partition's number."""
        return self.engine.partition

    def oldest_unsaved(self) -> int | None:
        """When the oldest entry applied but not saved was accepted (ms)."""
        if self.saving_since is not None:
            return self.saving_since
        return self.frames[0].wall if self.frames else None

    async def take(self, record: LogRecord, ack: Callable[[], Awaitable[object]]) -> int:
        """Apply a record that comes next in order; how many entries it had. One applied before is only acked."""
        async with self._lock:
            engine = self.engine
            bind_contextvars(partition=record.partition, offset=record.offset)
            if record.offset <= engine.applied:
                events = 0
            else:
                entries, letters = _read(record)
                events = len(entries)
                await self._load(entries)
                failures = engine.apply(record.offset, record.wall, entries)
                engine.dead_letters += letters
                if failures:
                    engine.dead_letters += dead_letters.of_failures(
                        record.partition, record.offset, record.wall, entries, failures
                    )
            self.frames.append(AppliedFrame(record.wall, events, ack))
            self._evict()
            return events

    async def tick(self, clock: Callable[[], int | None]) -> bool:
        """Fire the timers due at the stream's clock; True when any may have fired. `clock` is None when behind."""
        async with self._lock:
            now = clock()
            self._evict()
            if now is None or self.engine.next_due() >= now:
                return False
            await self._restore(self.engine.due_keys(now))
            await self._index(())
            self.engine.tick(now)
            return True

    async def _load(self, entries: Sequence[Entry]) -> None:
        await self._restore(self.engine.absent(entries))
        await self._index(entries)

    async def _restore(self, keys: list[str]) -> None:
        if keys:
            rows = await self._patience("loading conversations", lambda: self._store.conversation_states(keys))
            self.engine.restore_conversations(keys, rows)

    async def _index(self, entries: Sequence[Entry]) -> None:
        """Load the index of sent times where it is needed, from a store that holds everything applied so far."""
        channels = self.engine.unindexed(entries)
        if channels:
            await self._flush(self)
        for channel in channels:
            times = await self._patience("loading sent times", lambda: self._store.sent_times(channel, 0))  # noqa: B023 # awaited before the next turn
            self.engine.restore_index(channel, times)

    def _evict(self) -> None:
        if not self.saving.locked():
            self.engine.evict(self._most_conversations)


async def recover(
    number: int,
    store: EngineStore,
    thresholds: ThresholdSet,
    policies: Sequence[Policy],
    patience: Patience,
) -> Engine:
    """The engine of a partition as it was last saved."""
    mark = await patience("loading a mark", lambda: store.mark(number))
    engine = Engine(number, thresholds, mark, policies=policies)
    engine.restore_channels(await patience("loading channels", lambda: store.channel_states(number)))
    engine.restore_keys(await patience("loading event keys", lambda: store.event_keys(number, mark.time - WEEK)))
    engine.arm(await patience("loading timers", lambda: store.armed(number)))
    return engine


def _read(record: LogRecord) -> tuple[Sequence[Entry], list[DeadLetter]]:
    """The entries of a record, and dead letters for what cannot be read."""
    try:
        return decode_frame(record.data).entries, []
    except FrameDamagedError:
        pass  # some of it may be readable: entry by entry, below
    try:
        _, parts = decode_leniently(record.data)
    except FrameDamagedError as error:
        return [], [dead_letters.of_frame(record.partition, record.offset, record.wall, record.data, error)]
    return dead_letters.of_bad_entries(record.partition, record.offset, record.wall, parts)
