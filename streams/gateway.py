"""The one way in: entries are grouped per partition into frames and written durably before `submit` returns.

`FramingGateway` does the framing for any log that can append rows at one go; `EmbeddedGateway` is the one over
the embedded log and reads it back too. Order within a partition is the order of the `submit` calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from actors.events import Clock, Entry, Rejected
from actors.keys import partition_of
from streams.clock import SteadyClock
from streams.embedded.log import EmbeddedLog
from streams.frames import assemble, encode_entry
from streams.ports import LogRecord, OverloadedError, PartitionPosition

FRAME_EVENTS = 250
FRAME_BYTES = 128_000
APPEND_EVENTS = 20_000
SLICE_EVENTS = 1_000
LINGER_S = 0.003
RETRY_AFTER_S = 1.0


class Sink(Protocol):
    """A log as the gateway needs it."""

    async def append(self, rows: Sequence[tuple[int, int, bytes]]) -> Any:
        """Append (partition, wall, data) rows in order, all or none. Raises LogFullError."""
        ...


class _Submission:
    """One `submit` call, waiting to be written whole: stamped `since`, ready to be written at `wall` (ms)."""

    __slots__ = ("done", "parts", "since", "size", "wall")

    def __init__(
        self, parts: list[tuple[int, bytes]], size: int, since: int, wall: int, done: asyncio.Future[None]
    ) -> None:
        self.parts = parts
        self.size = size
        self.since = since
        self.wall = wall
        self.done = done


class FramingGateway:
    """Accepts entries, writes frames. `max_events` and `max_bytes` bound what may wait to be written."""

    def __init__(
        self,
        sink: Sink,
        partitions: int,
        *,
        clock: SteadyClock,
        max_events: int = 50_000,
        max_bytes: int = 64_000_000,
    ) -> None:
        self._sink = sink
        self._partitions = partitions
        self._clock = clock
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._encoding: list[_Submission] = []
        self._waiting: deque[_Submission] = deque()
        self._writing: list[_Submission] = []
        self._events = 0
        self._bytes = 0
        self._something = asyncio.Event()
        self._full_frame = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None

    @property
    def clock_jump_ms(self) -> int:
        """By how much the machine's clock was set back while Weir went on (ms); 0 when all is well."""
        return self._clock.jump_ms

    @property
    def waiting_events(self) -> int:
        """How many entries are accepted but not yet durable."""
        return self._events

    def now(self) -> int:
        """The gateway's clock in ms: wall time that never goes back."""
        return self._clock.now()

    def horizon(self) -> int:
        """The time (ms) before which every entry accepted is in the log already."""
        return min((item.since for item in (*self._encoding, *self._writing, *self._waiting)), default=self.now())

    async def submit(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable.

        Raises OverloadedError, LogFullError or RejectedError; then none was accepted.
        """
        if not entries:
            return
        if self._events and self._too_much(len(entries), 0):
            raise OverloadedError(RETRY_AFTER_S)
        submission = _Submission([], 0, self.now(), 0, asyncio.get_running_loop().create_future())
        self._encoding.append(submission)
        try:
            await self._encode(entries, submission)
        finally:
            self._encoding.remove(submission)
        if self._events and self._too_much(len(submission.parts), submission.size):
            raise OverloadedError(RETRY_AFTER_S)
        submission.wall = self.now()
        self._waiting.append(submission)
        self._events += len(submission.parts)
        self._bytes += submission.size
        self._something.set()
        if self._events >= FRAME_EVENTS:
            self._full_frame.set()
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_for_ever(), name="gateway-flusher")
        await submission.done

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        while self._waiting or self._writing:
            await asyncio.wait([item.done for item in (*self._writing, *self._waiting)])
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.wait([self._flusher])
            self._flusher = None

    async def _encode(self, entries: Sequence[Entry], submission: _Submission) -> None:
        """Encode the entries, a slice at a time: a big batch must not hold up everybody else."""
        for start in range(0, len(entries), SLICE_EVENTS):
            if start:
                await asyncio.sleep(0)
            for entry in entries[start : start + SLICE_EVENTS]:
                data = encode_entry(_stamped(entry, submission.since))
                submission.parts += [(partition, data) for partition in self._places(entry)]
                submission.size += len(data)

    def _too_much(self, events: int, size: int) -> bool:
        return self._events + events > self._max_events or self._bytes + size > self._max_bytes

    def _places(self, entry: Entry) -> Sequence[int]:
        """The partitions an entry belongs to: time passes everywhere, what has no channel goes to the first."""
        if isinstance(entry, Clock):
            return range(self._partitions)
        if entry.platform is None or entry.account is None:
            return (0,)
        return (partition_of(entry.platform, entry.account, self._partitions),)

    async def _flush_for_ever(self) -> None:
        while True:
            await self._something.wait()
            if not self._full_frame.is_set():
                await self._linger()
            self._full_frame.clear()
            await self._flush()
            if not self._waiting:
                self._something.clear()

    async def _linger(self) -> None:
        """Give neighbours a moment to share the frame and the disk's sync."""
        try:
            await asyncio.wait_for(self._full_frame.wait(), LINGER_S)
        except TimeoutError:
            return

    async def _flush(self) -> None:
        """Write the oldest submissions, each whole, in one append."""
        events = 0
        while self._waiting and events < APPEND_EVENTS:
            submission = self._waiting.popleft()
            events += len(submission.parts)
            self._writing.append(submission)
        try:
            await self._sink.append(_frames(self._writing))
        except asyncio.CancelledError:
            self._settle(OverloadedError(RETRY_AFTER_S))
            raise
        except Exception as error:  # noqa: BLE001 # whatever it is, its place is with those who wait for an answer
            self._settle(error)
        else:
            self._settle(None)

    def _settle(self, error: Exception | None) -> None:
        for submission in self._writing:
            self._events -= len(submission.parts)
            self._bytes -= submission.size
            if submission.done.done():
                continue
            if error is None:
                submission.done.set_result(None)
            else:
                submission.done.set_exception(error)
        self._writing = []


class EmbeddedGateway(FramingGateway):
    """The gateway over the embedded log, and its reader. Use it on the loop that opened the log."""

    def __init__(
        self,
        log: EmbeddedLog,
        *,
        clock: SteadyClock | None = None,
        max_events: int = 50_000,
        max_bytes: int = 64_000_000,
    ) -> None:
        super().__init__(
            log,
            log.partitions,
            clock=clock or SteadyClock(not_before=log.last_wall()),
            max_events=max_events,
            max_bytes=max_bytes,
        )
        self._log = log

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        return await self._log.positions()

    async def waiting_since(self) -> int | None:
        """When the oldest unprocessed record was accepted (ms); None when all is processed."""
        return await self._log.waiting_since()

    def records(
        self, partition: int, offset: int = 0, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Records of a partition in order, from `offset` on, accepted in [since, until)."""
        return self._log.records(partition, offset, since, until)


def _stamped(entry: Entry, wall: int) -> Entry:
    """The entry with its observed time: now, when it came without."""
    if isinstance(entry, Rejected) or entry.at is not None:  # pyright: ignore[reportUnnecessaryComparison] # None until stamped
        return entry
    return replace(entry, at=wall)


def _frames(submissions: Sequence[_Submission]) -> list[tuple[int, int, bytes]]:
    """Frames of at most FRAME_EVENTS entries or about FRAME_BYTES bytes, in order within each partition."""
    rows: list[tuple[int, int, bytes]] = []
    open_frames: dict[int, _OpenFrame] = {}
    for submission in submissions:
        for partition, data in submission.parts:
            frame = open_frames.setdefault(partition, _OpenFrame())
            frame.entries.append(data)
            frame.size += len(data)
            frame.wall = submission.wall
            if len(frame.entries) >= FRAME_EVENTS or frame.size >= FRAME_BYTES:
                del open_frames[partition]
                rows.append((partition, frame.wall, assemble(frame.wall, frame.entries)))
    rows += [(partition, frame.wall, assemble(frame.wall, frame.entries)) for partition, frame in open_frames.items()]
    return rows


class _OpenFrame:
    """A frame being filled; its time is that of its newest entry."""

    __slots__ = ("entries", "size", "wall")

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.size = 0
        self.wall = 0


__all__ = ["EmbeddedGateway", "FramingGateway", "Sink"]
