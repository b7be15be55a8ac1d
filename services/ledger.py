"""The proof behind `weir audit`: the whole log is walked and held against the ledger and the store.

It may run beside a live Weir. What the store holds is read between two readings of the partitions' marks; what was
counted must then lie between the log's count at the first mark and at the second. At rest both are the same.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct, field

from actors.events import ChannelEvent, Clock, Entry, Message, Rejected
from actors.keys import channel_key, conversation_key
from services.health.logged import entries_leniently
from storage.drafts import ID_LIFE_MS
from storage.ports import HealthStore, InboxStore
from storage.records import DeadLetter, LedgerRow, PartitionMark
from streams.frames import BadEntry, FrameDamagedError
from streams.ports import LogRecord, PartitionPosition

MOST_NAMED = 20
PAGE = 500


class LedgerStore(HealthStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Log(Protocol):
    """The parts of a log used here."""

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        ...

    def records(self, partition: int, offset: int = 0) -> AsyncIterator[LogRecord]:
        """Records of a partition from `offset` on, in order."""
        ...


class PartitionAccount(Struct, kw_only=True):
    """One partition: records from `start` to `end`, applied up to and including `applied`; `entries` of those."""

    partition: int
    start: int
    end: int
    applied: int
    entries: int = 0
    waiting: int = 0


class ChannelAccount(Struct, kw_only=True):
    """One channel (`~n`: what belongs to none). `logged`: its events in the log; `messages`: distinct ones there."""

    channel: str
    logged: int = 0
    accepted: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    messages: int = 0
    held: int = 0


class LedgerAudit(Struct, kw_only=True):
    """What the audit found; `problems` is empty when nothing is missing and nothing is double."""

    partitions: list[PartitionAccount] = field(default_factory=list[PartitionAccount])
    channels: list[ChannelAccount] = field(default_factory=list[ChannelAccount])
    problems: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    entries: int = 0


class _Tally:
    """What the log says of one channel, at the first and at the second mark."""

    def __init__(self) -> None:
        self.first = [0, 0, 0]
        self.last = [0, 0, 0]
        self.born: dict[int, int] = {}
        """By message id, as its hash: the observed time (ms) from which on it is the same message."""

    def close_first(self) -> None:
        """What was counted up to here was applied at the first mark."""
        self.first = self.last.copy()


_EVENTS, _REJECTED, _MESSAGES = range(3)


class _Walk:
    """One partition's log, entry by entry, as the engine counts it."""

    def __init__(self, partition: int, dead: set[tuple[int, int, int]]) -> None:
        self.nobody = f"~{partition}"
        self.tallies: dict[str, _Tally] = {}
        self.entries = 0
        self._partition = partition
        self._dead = dead
        self._known: set[str] = set()
        self._time = 0

    def count(self, offset: int, entries: Iterable[Entry | BadEntry]) -> None:
        """Count the entries of a record."""
        for index, entry in enumerate(entries):
            if not isinstance(entry, Rejected | BadEntry):
                self._time = max(self._time, entry.at)
            if isinstance(entry, Clock) and self._partition != 0:
                continue  # a clock goes to every partition and is one event
            self.entries += 1
            tally = self.tallies.setdefault(self._channel_of(entry), _Tally())
            tally.last[_EVENTS] += 1
            dead = (self._partition, offset, index) in self._dead
            if dead or isinstance(entry, Rejected | BadEntry):
                tally.last[_REJECTED] += 1
            elif isinstance(entry, Message) and self._is_new(hash((entry.conversation, entry.message)), tally.born):
                tally.last[_MESSAGES] += 1

    def _is_new(self, message: int, born: dict[int, int]) -> bool:
        """Whether it is no repetition: an id that comes again later than its life names a new message."""
        if self._time - born.get(message, -ID_LIFE_MS - 1) <= ID_LIFE_MS:
            return False
        born[message] = self._time
        return True

    def close_first(self) -> None:
        """The first mark is reached."""
        for tally in self.tallies.values():
            tally.close_first()

    def _channel_of(self, entry: Entry | BadEntry) -> str:
        if isinstance(entry, ChannelEvent):
            key = channel_key(entry.platform, entry.account)
            self._known.add(key)
            return key
        if isinstance(entry, Rejected) and entry.platform is not None and entry.account is not None:
            key = channel_key(entry.platform, entry.account)
            return key if key in self._known else self.nobody
        return self.nobody


Progress = Callable[[int, int], None]
Applied = AsyncIterator[tuple[int, Sequence[Entry | BadEntry]]]
"""Offsets with what the engine counted there."""


async def audit(store: LedgerStore, log: Log, progress: Progress | None = None, *, holes: bool = False) -> LedgerAudit:
    """Hold the log against the ledger and the store. `progress` is told (records walked, records in all).

    `holes`: offsets may be left out, as Kafka does for others' transactions; without it a hole is a loss.
    """
    result = LedgerAudit()
    # What is committed is asked before what is saved, where the log ends after it: a live Weir goes on meanwhile.
    committed = {position.partition: position.committed for position in await log.positions()}
    first = {mark.partition: mark for mark in await store.marks()}
    dead = {(d.partition, d.offset, d.index) for d in await _dead_letters(store)}
    ledger = {row.channel: row for row in await store.ledger()}
    counts = await store.counts()
    last = {mark.partition: mark for mark in await store.marks()}
    positions = await log.positions()
    read = partial(_entries, log, partitions=len(positions), holes=holes)
    walked, total = 0, sum(position.end - position.start for position in positions)
    for position in positions:
        walk = _Walk(position.partition, dead)
        account = _account(position, committed.get(position.partition, 0), last, result)
        applied = (first.get(position.partition, PartitionMark(partition=position.partition)).applied, account.applied)
        reached = -1
        async for offset, entries in read(position, account.applied, result):
            if reached <= applied[0] < offset:
                walk.close_first()
            reached = offset
            walk.count(offset, entries)
            walked += 1
            if progress and walked % 100 == 0:
                progress(walked, total)
        if applied[0] >= applied[1]:
            walk.close_first()
        account.entries = walk.entries
        result.entries += walk.entries
        result.partitions.append(account)
        whole = position.start == 0
        if not whole:
            result.notes.append(_trimmed(position))
        for channel, tally in sorted(walk.tallies.items()):
            row = ledger.pop(channel, LedgerRow(channel=channel))
            _compare(result, channel, tally, row, counts.pop(channel, {}), whole=whole)
        if not all(_is_sound(result, channel) for channel in walk.tallies):
            await _name_missing(result, store, read(position, applied[0], LedgerAudit()), position.partition)
    _check_rest(result, ledger, counts, trimmed=any(position.start for position in positions))
    return result


def _account(
    position: PartitionPosition, committed: int, marks: dict[int, PartitionMark], result: LedgerAudit
) -> PartitionAccount:
    number = position.partition
    applied = marks[number].applied if number in marks else -1
    if applied >= position.end:
        result.problems.append(
            f"partition {number}: {applied} was applied but the log ends at {position.end - 1}; "
            "the log lost its end: restore it from a backup of the same moment as the store"
        )
    if 0 <= applied < position.start - 1:
        result.problems.append(
            f"partition {number}: records {applied + 1} to {position.start - 1} were forgotten by the log before they"
            " were processed: let its retention be longer than any outage, and re-sync the channels of that time"
        )
    elif committed > max(applied + 1, position.start):
        result.problems.append(
            f"partition {number}: {committed - 1} was committed but only {applied} is saved; "
            "the store is older than the log: restore both from the same moment"
        )
    waiting = max(0, position.end - 1 - applied)
    if waiting:
        result.notes.append(f"partition {number}: {waiting} records wait to be processed; they are not judged")
    return PartitionAccount(partition=number, start=position.start, end=position.end, applied=applied, waiting=waiting)


async def _entries(
    log: Log, position: PartitionPosition, applied: int, result: LedgerAudit, *, partitions: int, holes: bool
) -> Applied:
    """The applied records in order, gaps and damage reported."""
    expected = position.start
    async for record in log.records(position.partition, position.start):
        if record.offset > applied:
            return
        if record.offset != expected and not holes:
            gap = f"records {expected} to {record.offset - 1} are missing"
            result.problems.append(f"partition {position.partition}: {gap} from the log")
        expected = record.offset + 1
        try:
            yield record.offset, entries_leniently(record, partitions)
        except FrameDamagedError as wrong:
            place = f"partition {position.partition}, record {record.offset}"
            result.problems.append(f"{place}: {wrong}; its events cannot be accounted for")
    if expected <= applied < position.end:
        result.problems.append(f"partition {position.partition}: the log stops before record {expected}")


def _compare(
    result: LedgerAudit, channel: str, tally: _Tally, row: LedgerRow, held: dict[str, int], *, whole: bool
) -> None:
    """One channel's log against its ledger and its messages."""
    in_store = sum(held.get(name, 0) for name in ("stored", "merged", "pruned", "pruned_merged"))
    result.channels.append(
        ChannelAccount(
            channel=channel,
            logged=tally.last[_EVENTS],
            accepted=row.accepted,
            stored=row.stored,
            duplicates=row.duplicates,
            rejected=row.rejected,
            messages=tally.last[_MESSAGES],
            held=in_store,
        )
    )
    if row.accepted != row.stored + row.duplicates + row.rejected:
        parts = f"{row.stored} stored + {row.duplicates} duplicates + {row.rejected} rejected"
        result.problems.append(f"{channel}: the ledger does not balance: {row.accepted} accepted, {parts}")
    for index, what, found in (
        (_EVENTS, "events in the ledger", row.accepted),
        (_REJECTED, "rejected in the ledger", row.rejected),
        (_MESSAGES, "messages in the store", in_store),
    ):
        low, high = tally.first[index], tally.last[index]
        if found < low:
            result.problems.append(f"{channel}: {low - found} missing: {found} {what}, {low} in the log")
        elif found > high and whole:
            result.problems.append(f"{channel}: {found - high} too many: {found} {what}, {high} in the log")


def _is_sound(result: LedgerAudit, channel: str) -> bool:
    return not any(problem.startswith(f"{channel}: ") for problem in result.problems)


async def _name_missing(result: LedgerAudit, store: LedgerStore, applied: Applied, partition: int) -> None:
    """Say which messages of unsound channels are in the log but not in the store."""
    named = 0
    seen: set[tuple[str, str]] = set()
    async for offset, entries in applied:
        for index, entry in enumerate(entries):
            if not isinstance(entry, Message) or _is_sound(result, channel_key(entry.platform, entry.account)):
                continue
            key = conversation_key(entry.platform, entry.account, entry.conversation)
            if (key, entry.message) in seen:
                continue
            seen.add((key, entry.message))
            if await store.message(key, entry.message) is None:
                place = f"partition {partition}, record {offset}, entry {index}"
                result.problems.append(f"missing in the store: message {entry.message!r} of {key} ({place})")
                named += 1
            if named >= MOST_NAMED:
                result.notes.append(f"partition {partition}: more may be missing; {named} are named")
                return


def _check_rest(
    result: LedgerAudit, ledger: dict[str, LedgerRow], counts: dict[str, dict[str, int]], *, trimmed: bool
) -> None:
    """What ledger and store have of channels that the log does not know."""
    for channel, row in sorted(ledger.items()):
        if row.accepted != row.stored + row.duplicates + row.rejected:
            result.problems.append(f"{channel}: the ledger does not balance")
        if row.accepted and not trimmed:
            result.problems.append(f"{channel}: {row.accepted} events in the ledger, none in the log")
    for channel, held in sorted(counts.items()):
        if (held.get("stored") or held.get("merged")) and not trimmed:
            result.problems.append(f"{channel}: {held.get('stored')} messages in the store, none in the log")


def _trimmed(position: PartitionPosition) -> str:
    return (
        f"partition {position.partition}: the log begins at record {position.start}, the older ones were forgotten "
        "after their retention: nothing of the rest is missing, surplus cannot be told"
    )


async def _dead_letters(store: LedgerStore) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    cursor: str | None = None
    while True:
        page = await store.dead_letters(PAGE, cursor)
        found += page.items
        if (cursor := page.next) is None:
            return found


__all__ = ["ChannelAccount", "LedgerAudit", "PartitionAccount", "audit"]
