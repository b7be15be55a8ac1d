"""From the records of a run to what the engine applies: frames, and plain records that somebody else wrote.

A plain record holds one event, as JSON like the body of `POST /events` or as MessagePack of the same fields. It has to
lie in the partition of its channel, because a channel's state lives in one partition. What cannot be read stands as
rejected, so that the ledger counts it, and becomes a dead letter.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import msgspec
from msgspec import Struct

from actors.errors import RejectedError
from actors.events import Clock, Entry, Event, Rejected
from actors.intake import channel_hint, parse_event, stamp
from actors.intake_runs import parse_run
from actors.keys import partition_of
from storage.records import DeadLetter
from streams import dead_letters
from streams.frames import VERSION, FrameDamagedError, decode_frame, decode_leniently
from streams.ports import LogRecord

PLAIN_AT_ONCE = 500
MOST_AHEAD_MS = 48 * 3_600_000
MOST_RAW = 64 * 1024
BOM = b"\xef\xbb\xbf"
WHITE = b" \t\r\n"
BRACE = b"{"
OPENING = BRACE[0]
MAPS = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
"""First bytes of a MessagePack map."""

Channels = Container[tuple[str, str]]


class Portion(Struct):
    """What one call of the engine applies: the entries up to `offset`, the newest of them accepted at `wall` (ms).

    `offsets` has the offset of each entry's record where they are several. `raws`: the bytes that the letters quote.
    """

    offset: int
    wall: int
    entries: Sequence[Entry]
    letters: list[DeadLetter] = []
    offsets: Sequence[int] | None = None

    def place(self, index: int) -> tuple[int, int]:
        """(offset, index within its record) of an entry."""
        return (self.offset, index) if self.offsets is None else (self.offsets[index], 0)


class RecordReader:
    """Reads the records of one of `partitions` partitions; of `known` channels it is certain that they belong there."""

    def __init__(self, partition: int, partitions: int, known: Channels) -> None:
        self._partition = partition
        self._partitions = partitions
        self._known = known

    def portions(self, run: Sequence[LogRecord]) -> Iterator[Portion]:
        """What the run holds, in order, read as it is asked for."""
        for start in range(0, len(run), PLAIN_AT_ONCE):
            some = run[start : start + PLAIN_AT_ONCE]
            # Frames and plain records seldom share a topic, so a look at the first is enough to try.
            whole = self._together(some) if some[0].data[:1] == BRACE else None
            if whole is None:
                yield from self._stretches(some)
            else:
                yield whole

    def _stretches(self, records: Sequence[LogRecord]) -> Iterator[Portion]:
        """Frames one by one, and between them plain records as far as they follow each other."""
        plain: list[LogRecord] = []
        for record in records:
            if is_plain(record.data):
                plain.append(record)
                continue
            if plain:
                yield self._plain(plain)
                plain = []
            yield _frame(record)
        if plain:
            yield self._one_by_one(plain) if len(plain) == len(records) else self._plain(plain)

    def _plain(self, records: Sequence[LogRecord]) -> Portion:
        return self._together(records) or self._one_by_one(records)

    def _one_by_one(self, records: Sequence[LogRecord]) -> Portion:
        entries: list[Entry] = []
        letters: list[DeadLetter] = []
        newest, wall = 0, records[-1].wall
        for record in records:
            try:
                entry = self._event(record)
            except RejectedError as wrong:
                platform, account = channel_hint(record.data)
                reason, raw = str(wrong), record.data[:MOST_RAW]
                entry = Rejected(at=record.wall, reason=reason, raw=raw, platform=platform, account=account)
                letters.append(dead_letters.of_plain(record, reason))
            else:
                if entry.at > newest:
                    newest, wall = entry.at, record.wall
            entries.append(entry)
        return Portion(records[-1].offset, wall, entries, letters, [record.offset for record in records])

    def _together(self, records: Sequence[LogRecord]) -> Portion | None:
        """Everything when all are plain and in order; None when they have to be looked at one by one."""
        events = parse_run([record.data for record in records], need_at=False)
        if events is None:
            return None
        newest, wall = 0, records[-1].wall
        platform = account = ""
        channels: set[tuple[str, str]] = set()
        for event, record in zip(events, records, strict=True):
            at, accepted = event.at, record.wall
            if at is None:  # pyright: ignore[reportUnnecessaryComparison] # optional on the wire
                stamp(event, accepted)
                at = accepted
            if at > newest:
                newest, wall = at, accepted
            if at > accepted + MOST_AHEAD_MS:
                return None
            if (event.account != account or event.platform != platform) and type(event) is not Clock:
                platform, account = event.platform, event.account
                channels.add((platform, account))
        strangers = [names for names in channels if names not in self._known]
        if any(partition_of(*names, self._partitions) != self._partition for names in strangers):
            return None
        return Portion(records[-1].offset, wall, events, [], [record.offset for record in records])

    def _event(self, record: LogRecord) -> Event:
        event = parse_event(_json(record.data), need_at=False)
        stamp(event, record.wall)
        if event.at > record.wall + MOST_AHEAD_MS:
            raise RejectedError("`at` is more than 48 hours ahead of the record's timestamp")
        if not isinstance(event, Clock) and (event.platform, event.account) not in self._known:
            self._check_place(event.platform, event.account)
        return event

    def _check_place(self, platform: str, account: str) -> None:
        place = partition_of(platform, account, self._partitions)
        if place != self._partition:
            raise RejectedError(
                f"this channel belongs into partition {place} of {self._partitions}, not {self._partition}:"
                " choose the partition as docs/decisions/0002-partition-by-channel.md says"
            )


def is_plain(data: bytes) -> bool:
    """Whether a record is an event of its own and no frame."""
    first = data[0] if data else VERSION
    return first == OPENING or first in MAPS or (first != VERSION and data.lstrip(BOM + WHITE)[:1] == b"{")


def _json(data: bytes) -> bytes:
    if data[0] not in MAPS:
        return data.removeprefix(BOM)
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, ValueError) as wrong:
        raise RejectedError(f"not readable as MessagePack: {type(wrong).__name__}") from wrong


def _frame(record: LogRecord) -> Portion:
    """The entries of a frame, and dead letters for what cannot be read."""
    try:
        return Portion(record.offset, record.wall, decode_frame(record.data).entries)
    except FrameDamagedError:
        pass  # some of it may be readable: entry by entry, below
    try:
        _, parts = decode_leniently(record.data)
    except FrameDamagedError as error:
        letter = dead_letters.of_frame(record.partition, record.offset, record.wall, record.data, error)
        return Portion(record.offset, record.wall, [], [letter])
    entries, letters = dead_letters.of_bad_entries(record.partition, record.offset, record.wall, parts)
    return Portion(record.offset, record.wall, entries, letters)


__all__ = ["Portion", "RecordReader", "is_plain"]
