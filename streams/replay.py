"""`weir replay`: a trace through the same engine in virtual time, touching no database (SPEC sections 6 and 7).

Virtual time is the largest `at` so far. Timers fire lazily, at their own instants, when their conversation or
channel is heard again; after the last event 24 hours pass, so that every grace ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from actors import channel as channels
from actors import conversation as conversations
from actors.errors import RejectedError
from actors.events import Entry, Event, Rejected
from actors.intake import LONGEST_LINE, channel_hint, parse_event
from actors.keys import partition_of
from actors.sla import Policy
from actors.thresholds import ThresholdSet
from storage.records import PartitionMark
from streams.engine import Engine
from streams.report import Collector, Report
from streams.spill import Spill
from streams.trace import lines, open_trace

AFTERWARDS_MS = 24 * 3_600_000
CHUNK = 500
LOADED_MOST = 50_000
"""Conversations held in memory; the others wait in a temporary file, so that memory stays flat."""

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
    """The report of a trace file (`-`: standard input; gzip and zstandard are recognised).

    `progress` is called now and then with (bytes read, lines). Raises ConfigurationError when the file cannot be read.
    """
    options = ReplayOptions(
        thresholds=settings or ThresholdSet(),
        policies=tuple(policies),
        partitions=partitions,
        loaded_most=loaded_most,
    )
    replay = Replay(options)
    try:
        with open_trace(path) as (stream, file):
            for number, line in lines(stream):
                replay.line(number, line)
                if progress is not None and number % 5_000 == 0:
                    progress(file.tell() if file.seekable() else 0, number)
        return replay.finish()
    finally:
        replay.close()


class Replay:
    """A replay under way: feed it lines (or events), then `finish`."""

    def __init__(self, options: ReplayOptions) -> None:
        self.options = options
        self.collector = Collector()
        self.spill = Spill()
        self.time = 0
        self._chunk: list[Entry] = []
        self._engines = [
            Engine(p, options.thresholds, PartitionMark(partition=p), policies=options.policies, timers=False)
            for p in range(options.partitions)
        ]

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
        """Let 24 hours pass and give the report."""
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
        """Delete the temporary file."""
        self.spill.close()

    def _flush(self) -> None:
        chunk, self._chunk = self._chunk, []
        if len(self.spill):
            for engine in self._engines:
                keys = engine.absent(chunk)
                engine.restore_conversations(keys, self.spill.get(keys))
        only = self._engines[0] if len(self._engines) == 1 else None
        for entry in chunk:
            engine = only or self._route(entry)
            engine.time = self.time
            engine.apply_entry(entry)
            self.time = engine.time
        for engine in self._engines:
            self.collector.collect(engine.effects)
            if engine.loaded > self.options.loaded_most:
                self._spill(engine)

    def _route(self, entry: Entry) -> Engine:
        platform, account = entry.platform or "", entry.account or ""
        return self._engines[partition_of(platform, account, len(self._engines)) if platform else 0]

    def _spill(self, engine: Engine) -> None:
        self.spill.put(engine.flush_states())
        engine.evict(self.options.loaded_most // 2, steps=3 * engine.loaded)

    def _finish_spilled(self, until: int) -> None:
        keys = self.spill.keys()
        for engine in self._engines:
            for start in range(0, len(keys), CHUNK):
                cold = [key for key in keys[start : start + CHUNK] if engine.is_cold(key)]
                engine.restore_conversations(cold, self.spill.get(cold))
                for key in cold:
                    channel, conversation = engine.located(key)
                    conversations.expire(channel, conversation, until, engine.effects)
                    del channel.conversations[conversation.conversation]
                self.collector.collect(engine.effects)

    def _reject(self, number: int, reason: str, line: bytes) -> None:
        self._flush()
        self.collector.reject(number, reason)
        platform, account = channel_hint(line)
        entry = Rejected(at=self.time, reason=reason, raw=b"", platform=platform, account=account)
        self._route(entry).apply_entry(entry)
