"""The way in, whatever the log: entries are grouped into frames and written durably before `submit` returns.

Partitions are written in lanes. Within a lane writing is strictly one after the other, so that order within a partition
is the order of the `submit` calls; lanes do not wait for each other. A log with one disk has one lane, whose appends
share the disk's sync; one with many machines has a lane per partition, so that a dead machine holds up its own alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from actors.events import Clock, Entry, Rejected
from actors.keys import partition_of
from streams.clock import SteadyClock
from streams.frames import assemble, encode_entry
from streams.ports import OverloadedError

FRAME_EVENTS = 250
FRAME_BYTES = 128_000
APPEND_EVENTS = 20_000
SLICE_EVENTS = 1_000
LINGER_S = 0.003
RETRY_AFTER_S = 1.0


class Sink(Protocol):
    """A log as the gateway needs it."""

    async def append(self, rows: Sequence[tuple[int, int, bytes]]) -> Any:
        """Append (partition, wall, data) rows, in order within each partition. Raises LogFullError."""
        ...


class _Submission:
    """One `submit` call: stamped `since`, ready to be written at `wall` (ms), done when all its `portions` are."""

    __slots__ = ("done", "error", "parts", "portions", "since", "size", "wall")

    def __init__(self, since: int, done: asyncio.Future[None]) -> None:
        self.parts: list[tuple[int, bytes]] = []
        self.size = 0
        self.since = since
        self.wall = 0
        self.portions = 0
        self.error: Exception | None = None
        self.done = done

    def settle_one(self, error: Exception | None) -> bool:
        """One portion has ended; whether it was the last."""
        self.portions -= 1
        self.error = self.error or error
        if self.portions:
            return False
        if not self.done.done():
            if self.error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(self.error)
        return True


class _Portion:
    """What a submission has for one lane."""

    __slots__ = ("parts", "size", "submission")

    def __init__(self, submission: _Submission) -> None:
        self.submission = submission
        self.parts: list[tuple[int, bytes]] = []
        self.size = 0


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
        lanes: int = 1,
    ) -> None:
        self._partitions = partitions
        self._clock = clock
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._encoding: list[_Submission] = []
        self._open: dict[_Submission, None] = {}
        self._events = 0
        self._bytes = 0
        self._lanes = [_Lane(sink, self._ended) for _ in range(lanes)]

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
        """The time (ms) before which every entry accepted here is in the log already."""
        return min((item.since for item in (*self._encoding, *self._open)), default=self.now())

    async def submit(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable.

        Raises OverloadedError or RejectedError, then none was accepted; LogFullError as `streams.ports.Gateway` says.
        """
        if not entries:
            return
        if self._events and self._too_much(len(entries), 0):
            raise OverloadedError(RETRY_AFTER_S)
        submission = _Submission(self.now(), asyncio.get_running_loop().create_future())
        self._encoding.append(submission)
        try:
            await self._encode(entries, submission)
        finally:
            self._encoding.remove(submission)
        if self._events and self._too_much(len(submission.parts), submission.size):
            raise OverloadedError(RETRY_AFTER_S)
        submission.wall = self.now()
        self._open[submission] = None
        self._events += len(submission.parts)
        self._bytes += submission.size
        self._hand_out(submission)
        await submission.done

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        while self._open:
            await asyncio.wait([item.done for item in self._open])
        for lane in self._lanes:
            await lane.close()

    async def _encode(self, entries: Sequence[Entry], submission: _Submission) -> None:
        """Encode the entries, a slice at a time: a big batch must not hold up everybody else."""
        for start in range(0, len(entries), SLICE_EVENTS):
            if start:
                await asyncio.sleep(0)
            for entry in entries[start : start + SLICE_EVENTS]:
                data = encode_entry(_stamped(entry, submission.since))
                submission.parts += [(partition, data) for partition in self._places(entry)]
                submission.size += len(data)

    def _hand_out(self, submission: _Submission) -> None:
        count = len(self._lanes)
        portions: dict[int, _Portion] = {}
        for part in submission.parts:
            lane = part[0] % count
            portion = portions.get(lane)
            if portion is None:
                portion = portions[lane] = _Portion(submission)
            portion.parts.append(part)
            portion.size += len(part[1])
        submission.portions = len(portions)
        for lane, portion in portions.items():
            self._lanes[lane].put(portion)

    def _ended(self, portion: _Portion, error: Exception | None) -> None:
        self._events -= len(portion.parts)
        self._bytes -= portion.size
        if portion.submission.settle_one(error):
            del self._open[portion.submission]

    def _too_much(self, events: int, size: int) -> bool:
        return self._events + events > self._max_events or self._bytes + size > self._max_bytes

    def _places(self, entry: Entry) -> Sequence[int]:
        """The partitions an entry belongs to: time passes everywhere, what has no channel goes to the first."""
        if isinstance(entry, Clock):
            return range(self._partitions)
        if entry.platform is None or entry.account is None:
            return (0,)
        return (partition_of(entry.platform, entry.account, self._partitions),)


class _Lane:
    """Writes what is put, one append after the other."""

    def __init__(self, sink: Sink, ended: Callable[[_Portion, Exception | None], None]) -> None:
        self._sink = sink
        self._ended = ended
        self._waiting: deque[_Portion] = deque()
        self._events = 0
        self._something = asyncio.Event()
        self._full_frame = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None

    def put(self, portion: _Portion) -> None:
        """Have it written after everything put before."""
        self._waiting.append(portion)
        self._events += len(portion.parts)
        self._something.set()
        if self._events >= FRAME_EVENTS:
            self._full_frame.set()
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_for_ever(), name="gateway-flusher")

    async def close(self) -> None:
        """Stop, with nothing waiting."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.wait([self._flusher])
            self._flusher = None

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
        """Write the oldest portions, each whole, in one append."""
        taken: list[_Portion] = []
        events = 0
        while self._waiting and events < APPEND_EVENTS:
            portion = self._waiting.popleft()
            events += len(portion.parts)
            taken.append(portion)
        self._events -= events
        error: Exception | None = None
        try:
            await self._sink.append(_frames(taken))
        except asyncio.CancelledError:
            error = OverloadedError(RETRY_AFTER_S)
            raise
        except Exception as wrong:  # noqa: BLE001 # whatever it is, its place is with those who wait for an answer
            error = wrong
        finally:
            for portion in taken:
                self._ended(portion, error)


def _stamped(entry: Entry, wall: int) -> Entry:
    """The entry with its observed time: now, when it came without."""
    if isinstance(entry, Rejected) or entry.at is not None:  # pyright: ignore[reportUnnecessaryComparison] # None until stamped
        return entry
    return replace(entry, at=wall)


def _frames(portions: Sequence[_Portion]) -> list[tuple[int, int, bytes]]:
    """Frames of at most FRAME_EVENTS entries or about FRAME_BYTES bytes, in order within each partition."""
    rows: list[tuple[int, int, bytes]] = []
    open_frames: dict[int, _OpenFrame] = {}
    for portion in portions:
        wall = portion.submission.wall
        for partition, data in portion.parts:
            frame = open_frames.get(partition)
            if frame is None:
                frame = open_frames[partition] = _OpenFrame()
            frame.entries.append(data)
            frame.size += len(data)
            frame.wall = wall
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


__all__ = ["FRAME_BYTES", "FRAME_EVENTS", "FramingGateway", "Sink"]
