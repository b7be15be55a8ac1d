"""`weir replay`: a trace through the same engine in virtual time, touching no database (SPEC sections 6 and 7).

Virtual time is the largest `at` so far. Timers fire lazily, at their own instants, when their conversation or
channel is heard again; after the last event 24 hours pass, so that every grace ends.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from msgspec import Struct

from actors import channel as channels
from actors import conversation as conversations
from actors.errors import RejectedError
from actors.events import Clock, Entry, Event, Rejected
from actors.intake import LONGEST_LINE, channel_hint, parse_event
from actors.keys import partition_of
from actors.sla import Policy
from actors.thresholds import ThresholdSet
from storage.records import PartitionMark
from storage.sqlite.scratch import Scratch
from streams.engine import Engine
from streams.report import Collector, Report
from streams.spilled_times import SpilledTimes
from streams.trace import lines, open_trace

AFTERWARDS_MS = 24 * 3_600_000
CHUNK = 500
PROGRESS_LINES = 5_000
GC_THRESHOLDS = (100_000, 50, 100)
"""A replay makes few cycles and many records: looking for cycles less often saves a fifth of its time."""
LOADED_MOST = 20_000
"""Conversations held in memory; the others wait in the scratch file, so that memory stays flat."""

Progress = Callable[[int, int], None]


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """How to replay: `partitions` only groups, `loaded_most` bounds the conversations in memory."""

    thresholds: ThresholdSet = ThresholdSet()
    policies: tuple[Policy, ...] = ()
    partitions: int = 1
    loaded_most: int = LOADED_MOST


def replay_file(
    path: str,
    *,
    settings: ThresholdSet | None = None,
    policies: Sequence[Policy] = (),
    partitions: int = 1,
    progress: Progress | None = None,
    loaded_most: int = LOADED_MOST,
) -> Report:
    """The report of a trace file (`-`: standard input; gzip and zstandard are recognised), whole in memory.

    `progress` is called now and then with (bytes read, lines). Raises ConfigurationError when the file cannot be read.
    """
    options = ReplayOptions(
        thresholds=settings or ThresholdSet(), policies=tuple(policies), partitions=partitions, loaded_most=loaded_most
    )
    with replayed(path, options, progress) as report:
        return _in_memory(report)


@contextmanager
def replayed(path: str, options: ReplayOptions, progress: Progress | None = None) -> Generator[Mapping[str, Any]]:
    """The report of a trace file while the context lasts: its long lists are read from the scratch file when used.

    Write it with `streams.report.report_chunks`. Raises ConfigurationError when the file cannot be read.
    """
    replay = Replay(options)
    usual = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        with open_trace(path) as (stream, file):
            for number in replay.feed(lines(stream)):
                if progress is not None:
                    progress(file.tell() if file.seekable() else 0, number)
        yield replay.finish_streaming()
    finally:
        gc.set_threshold(*usual)
        replay.close()


class Replay:
    """A replay under way: feed it lines (or events), then `finish`."""

    def __init__(self, options: ReplayOptions) -> None:
        self.options = options
        self.scratch = Scratch()
        self.collector = Collector(self.scratch)
        self.time = 0
        self._chunk: list[Entry] = []
        self._engines = [
            Engine(
                p,
                options.thresholds,
                PartitionMark(partition=p),
                policies=options.policies,
                timers=False,
                sent_times=partial(SpilledTimes, self.scratch),
            )
            for p in range(options.partitions)
        ]

    def feed(self, numbered: Iterable[tuple[int, bytes | None]]) -> Iterator[int]:
        """Lines with their numbers from 1, as fast as it goes; yields the number reached now and then."""
        chunk, next_told = self._chunk, PROGRESS_LINES
        for number, line in numbered:
            try:
                chunk.append(parse_event(line or b"", need_at=True, keep_extra=False))
            except RejectedError:
                self.line(number, line)
            if len(chunk) >= CHUNK:
                self._flush()
                if number >= next_told:
                    next_told = number + PROGRESS_LINES
                    yield number

    def line(self, number: int, line: bytes | None) -> None:
        """One line of a trace, counted from 1; a blank one is skipped, a bad one is reported and harms nothing."""
        if line is None:
            self._reject(number, f"the line is longer than {LONGEST_LINE} bytes", b"")
            return
        if number == 1 and line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        if line.endswith(b"\r"):
            line = line[:-1]
        if not line or line.isspace():
            return
        try:
            event = parse_event(line, need_at=True, keep_extra=False)
        except RejectedError as wrong:
            self._reject(number, str(wrong), line)
            return
        self.event(event)

    def event(self, event: Event) -> None:
        """One event, in order."""
        self._chunk.append(event)
        if len(self._chunk) >= CHUNK:
            self._flush()

    def finish(self) -> Report:
        """Let 24 hours pass and give the report, whole in memory."""
        return _in_memory(self.finish_streaming())

    def finish_streaming(self) -> Mapping[str, Any]:
        """Let 24 hours pass and give the report; its long lists can be read once, before `close`."""
        self._flush()
        until = self.time + AFTERWARDS_MS + 1
        for engine in self._engines:
            for channel in engine.channels.values():
                channels.expire(channel, until, engine.effects, silence_until=self.time)
                for conversation in channel.conversations.values():
                    conversations.expire(channel, conversation, until, engine.effects)
            self.collector.collect(engine.effects)
        self._finish_spilled(until)
        return self.collector.report(self._engines)

    def close(self) -> None:
        """Delete the scratch file."""
        self.scratch.close()

    def _flush(self) -> None:
        chunk = self._chunk
        if self.scratch.spilled:
            for engine in self._engines:
                keys = engine.absent(chunk)
                engine.restore_conversations(keys, self.scratch.states(keys))
        if len(self._engines) == 1:
            engine = self._engines[0]
            for entry in chunk:
                engine.apply_entry(entry)
            self.time = engine.time
        else:
            self._spread(chunk)
        chunk.clear()
        for engine in self._engines:
            self.collector.collect(engine.effects)
            if engine.loaded > self.options.loaded_most:
                self._spill(engine)

    def _spread(self, chunk: Sequence[Entry]) -> None:
        """Apply entries to the partitions they belong to, all at the time of the trace."""
        for entry in chunk:
            engine = self._route(entry)
            engine.time = self.time
            engine.apply_entry(entry)
            self.time = engine.time

    def _route(self, entry: Entry) -> Engine:
        if isinstance(entry, Clock) or entry.platform is None or entry.account is None:
            return self._engines[0]
        return self._engines[partition_of(entry.platform, entry.account, len(self._engines))]

    def _spill(self, engine: Engine) -> None:
        self.scratch.put_states(engine.put_aside(self.options.loaded_most // 2))

    def _finish_spilled(self, until: int) -> None:
        for keys in self.scratch.state_keys():
            for engine in self._engines:
                cold = [key for key in keys if engine.is_cold(key)]
                engine.restore_conversations(cold, self.scratch.states(cold))
                for key in cold:
                    channel, conversation = engine.located(key)
                    conversations.expire(channel, conversation, until, engine.effects)
                    engine.drop(key)
                self.collector.collect(engine.effects)

    def _reject(self, number: int, reason: str, line: bytes) -> None:
        self._flush()
        self.collector.reject(number, reason)
        platform, account = channel_hint(line)
        entry = Rejected(at=self.time, reason=reason, raw=b"", platform=platform, account=account)
        self._route(entry).apply_entry(entry)


def _in_memory(report: Mapping[str, Any]) -> Report:
    return {name: value if isinstance(value, dict | int) else list(value) for name, value in report.items()}
