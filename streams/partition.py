"""One partition at work: its engine, the states it needs, the runs applied and not yet acked.

Runs and ticks come one at a time (`_lock`): what was loaded for one must not be overtaken by another. Saving goes on
meanwhile (`saving`); a state leaves memory only while no save is under way, so that it is loaded again as it was left.
Of all partitions of a process one at a time applies, its whole run (`Turn`), and none that waits for the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct
from structlog.contextvars import bind_contextvars

from actors.sla import Policy
from actors.state import WEEK
from actors.thresholds import ThresholdSet
from storage.errors import FencedError
from storage.ports import EngineStore
from storage.records import Batch, PartitionMark
from streams import dead_letters
from streams.engine import Engine
from streams.patience import Patience
from streams.ports import LogRecord
from streams.reading import Portion, RecordReader

logger = logging.getLogger(__name__)

MOST_CONVERSATIONS = 50_000
SLOW_SAVE_S = 2.0
"""A save that takes longer is told of: the database is what holds messages up."""
BREATH_EVENTS = 1_000
"""Events applied before others on the loop get their turn: a few milliseconds' worth."""


class AppliedRun(Struct, frozen=True):
    """A run whose effects are not saved yet; `ack` is called when they are."""

    wall: int
    events: int
    ack: Callable[[], object]


class AbandonedError(Exception):
    """What was under way for a partition that was let go without saving; others read it again."""


class Turn:
    """When a partition may apply; `lock` is that of the process.

    There is one processor for all of them in any case. Taking turns by the run instead of at every breath keeps what
    an engine works on in the processor's caches, which is worth some percent (`python -m benchmarks.pipeline`).
    """

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._held = False

    async def take(self) -> None:
        """Wait for it, unless it is held."""
        if not self._held:
            await self._lock.acquire()
            self._held = True

    def give(self) -> None:
        """Let another go on; nothing happens when it is not held."""
        if self._held:
            self._held = False
            self._lock.release()


class Partition:
    """Feeds one engine; nothing fires before `open`. `flush` saves everything pending of this partition."""

    def __init__(
        self,
        engine: Engine,
        store: EngineStore,
        patience: Patience,
        flush: Callable[[Partition], Awaitable[None]],
        *,
        partitions: int,
        turn: Turn,
    ) -> None:
        self.engine = engine
        self.runs: list[AppliedRun] = []
        self.saving = asyncio.Lock()
        self.saving_since: int | None = None
        self.most_conversations = MOST_CONVERSATIONS
        """How many stay in memory."""
        self._store = store
        self._patience = patience
        self._flush = flush
        self._reader = RecordReader(engine.partition, partitions, engine.channels)
        self._open = False
        self._lock = asyncio.Lock()
        self._turn = turn
        self._save: asyncio.Future[None] | None = None
        self.abandoned = False
        """Whether it was let go without saving: nothing of it is saved or acked any more."""

    @property
    def number(self) -> int:
        """The partition's number."""
        return self.engine.partition

    def oldest_unsaved(self) -> int | None:
        """When the oldest entry applied but not saved was accepted (ms)."""
        if self.saving_since is not None:
            return self.saving_since
        return self.runs[0].wall if self.runs else None

    async def take(self, run: Sequence[LogRecord], ack: Callable[[], object]) -> int:
        """Apply a run that comes next in order; how many entries were new. What was applied before is skipped.

        A run may begin within what was applied: runs are cut anew after every rebalance.
        """
        async with self._lock:
            engine = self.engine
            bind_contextvars(partition=engine.partition, offset=run[0].offset)
            fresh = run if run[0].offset > engine.applied else [r for r in run if r.offset > engine.applied]
            try:
                events = await self._take(fresh)
            finally:
                self._turn.give()
            self.runs.append(AppliedRun(run[0].wall, events, ack))
            self._evict()
            return events

    async def _take(self, run: Sequence[LogRecord]) -> int:
        """Apply what is new; how many entries that were. The turn is held at the end."""
        events = breath = 0
        portions, loaded = self._reader.portions(run), deque[Portion]()
        while (portion := loaded.popleft() if loaded else next(portions, None)) is not None:
            if breath >= BREATH_EVENTS:
                breath = 0
                await asyncio.sleep(0)
            if not loaded and (missing := self.engine.absent(portion.entries)):
                loaded.extend(portions)
                missing += self.engine.absent([entry for later in loaded for entry in later.entries])
                self._turn.give()
                await self._restore(list(dict.fromkeys(missing)))
            if channels := self.engine.unindexed(portion.entries):
                self._turn.give()
                await self._index(channels)
            await self._turn.take()
            self._apply(portion)
            events += len(portion.entries)
            breath += len(portion.entries)
        return events

    async def tick(self, clock: Callable[[], int | None]) -> bool:
        """Fire the timers due at the stream's clock; True when any may have fired. `clock` is None when behind."""
        async with self._lock:
            if not self._open:
                return False
            now = clock()
            self._evict()
            if now is None or self.engine.next_due() >= now:
                return False
            await self._restore(self.engine.due_keys(now))
            await self._index(self.engine.unindexed(()))
            self.engine.tick(now)
            return True

    def open(self) -> None:
        """Let timers fire from now on."""
        self._open = True

    async def close(self) -> None:
        """Let what is under way end; nothing fires any more, and nothing is to be taken."""
        self._open = False
        async with self._lock:
            return

    async def save(self, batch: Batch) -> None:
        """Write a batch to the store, tried in place. Raises FencedError, and AbandonedError after `abandon`."""
        began = asyncio.get_running_loop().time()
        self._save = asyncio.ensure_future(self._patience("saving", lambda: self._store.save(batch)))
        try:
            await self._save
            took = asyncio.get_running_loop().time() - began
            if took > SLOW_SAVE_S:
                messages = len(batch.effects.messages)
                logger.warning("saving partition %d took %.1f s (%d messages)", self.number, took, messages)
        except (asyncio.CancelledError, FencedError) as error:
            if self.abandoned:
                raise AbandonedError from error
            raise
        finally:
            self._save = None

    def abandon(self) -> None:
        """Let go without saving. A save under way is cut off as by a crash: whoever reads the mark next finishes it."""
        self.abandoned = True
        self._open = False
        if self._save is not None:
            self._save.cancel()

    def reopen(self, mark: PartitionMark) -> bool:
        """Whether this can go on where it was closed: `mark` is the store's, and nobody has saved anything since."""
        return mark == self.engine.mark and not self.runs

    def _apply(self, portion: Portion) -> None:
        engine = self.engine
        failures = engine.apply(portion.offset, portion.wall, portion.entries)
        if portion.letters:
            engine.dead_letters += portion.letters
        if failures:
            engine.dead_letters += dead_letters.of_failures(
                engine.partition, portion.place, portion.wall, portion.entries, failures
            )

    async def _restore(self, keys: list[str]) -> None:
        if keys:
            rows = await self._patience("loading conversations", lambda: self._store.conversation_states(keys))
            self.engine.restore_conversations(keys, rows)

    async def _index(self, channels: Sequence[str]) -> None:
        """Load the index of sent times of channels, from a store that holds everything applied so far."""
        if channels:
            await self._flush(self)
        for channel in channels:
            times = await self._patience("loading sent times", lambda: self._store.sent_times(channel, 0))  # noqa: B023 # awaited before the next turn
            self.engine.restore_index(channel, times)

    def _evict(self) -> None:
        if not self.saving.locked():
            self.engine.evict(self.most_conversations)


async def recover(
    mark: PartitionMark,
    store: EngineStore,
    thresholds: ThresholdSet,
    policies: Sequence[Policy],
    patience: Patience,
) -> Engine:
    """The engine of a partition as it was last saved, at `mark`."""
    number = mark.partition
    engine = Engine(number, thresholds, mark, policies=policies)
    what = f"loading partition {number}"
    channels, keys, armed = await asyncio.gather(
        patience(what, lambda: store.channel_states(number)),
        patience(what, lambda: store.event_keys(number, mark.time - WEEK)),
        patience(what, lambda: store.armed(number)),
    )
    engine.restore_channels(channels)
    engine.restore_keys(keys)
    engine.arm(armed)
    return engine
