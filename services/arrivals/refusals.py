"""What was refused of late: entries that could not be read or broke the rules, with their reason and their bytes.

They lie in the log, where the ledger's count comes from. It is walked from its newest records back, for so long as an
asker may wait; how far that reached is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

from msgspec import Struct

from actors.events import Rejected
from actors.keys import partition_of
from services.health.logged import entries_of
from streams.frames import FrameDamagedError
from streams.ports import LogReader, LogRecord, PartitionPosition
from streams.reading import is_plain

SEARCH_S = 2.0
STRIDE = 64
_NEWEST = 2**63
_TAG = b"rejected"
"""What every frame with a refused entry holds: others need not be decoded."""


class Refusal(Struct, frozen=True, kw_only=True):
    """One refused entry and its place in the log; `at` in ms."""

    partition: int
    offset: int
    index: int
    at: int
    reason: str
    raw: bytes
    platform: str | None = None
    account: str | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """The latest, newest first. `complete`: the whole log was looked through; `since`: back to when (ms) it was."""

    items: list[Refusal]
    complete: bool
    since: int | None = None


class Refusals:
    """Reads the log back. `partitions`: how many it has."""

    def __init__(self, reader: LogReader, partitions: int, search_s: float = SEARCH_S) -> None:
        self._reader = reader
        self._partitions = partitions
        self._search_s = search_s

    async def latest(self, limit: int, platform: str | None = None, account: str | None = None) -> Refused:
        """Of everything, of a platform, or of one channel, `limit` at most."""
        ends = monotonic() + self._search_s
        waiting = [place for place in await self._reader.positions() if place.end > place.start]
        if platform is not None and account is not None:
            own = partition_of(platform, account, self._partitions)
            waiting = [place for place in waiting if place.partition == own]
        walks = {place.partition: _Walk(place) for place in waiting}
        found: list[Refusal] = []
        while open_walks := [walk for walk in walks.values() if walk.open(limit)]:
            if monotonic() > ends:
                break
            # The one that is least far back, so that all of them reach equally far.
            walk = max(open_walks, key=lambda one: _NEWEST if one.since is None else one.since)
            found += await self._stride(walk, platform, account)
        found.sort(key=lambda one: (-one.at, one.partition, -one.offset, -one.index))
        done = all(walk.next <= walk.start for walk in walks.values())
        reached = [walk.since for walk in walks.values() if walk.next > walk.start and walk.since is not None]
        since = max(reached, default=None)
        return Refused(items=found[:limit], complete=done and len(found) <= limit, since=since)

    async def _stride(self, walk: _Walk, platform: str | None, account: str | None) -> list[Refusal]:
        """The refused ones among the next records back."""
        first, until = max(walk.start, walk.next - STRIDE), walk.next
        found: list[Refusal] = []
        oldest: int | None = None
        async for record in self._reader.records(walk.partition, first):
            if record.offset >= until:
                break
            oldest = record.wall if oldest is None else min(oldest, record.wall)
            found += [one for one in _refused(record) if _wanted(one, platform, account)]
        walk.next, walk.found = first, walk.found + len(found)
        walk.since = oldest if walk.since is None or oldest is None else min(walk.since, oldest)
        return found


class _Walk:
    """How far one partition is walked back: `next` is the offset after the next record to look at."""

    def __init__(self, place: PartitionPosition) -> None:
        self.partition, self.start, self.next = place.partition, place.start, place.end
        self.since: int | None = None
        self.found = 0

    def open(self, limit: int) -> bool:
        """Whether more of it is wanted."""
        return self.next > self.start and self.found < limit


def _refused(record: LogRecord) -> Iterator[Refusal]:
    if not is_plain(record.data) and _TAG not in record.data:
        return
    try:
        entries = entries_of(record)
    except FrameDamagedError:
        return  # a damaged frame is a dead letter of its own
    for index, entry in enumerate(entries):
        if isinstance(entry, Rejected):
            yield Refusal(
                partition=record.partition,
                offset=record.offset,
                index=index,
                at=entry.at,
                reason=entry.reason,
                raw=entry.raw,
                platform=entry.platform,
                account=entry.account,
            )


def _wanted(one: Refusal, platform: str | None, account: str | None) -> bool:
    return platform in {None, one.platform} and account in {None, one.account}


__all__ = ["Refusal", "Refusals", "Refused"]
