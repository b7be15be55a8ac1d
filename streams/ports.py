"""What the rest of Weir may ask of the log: submit entries durably, read them back.

The embedded log and Kafka both stand behind these protocols, and pass one contract suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

from actors.errors import RetriableError
from actors.events import Entry


class OverloadedError(RetriableError):
    """The log's buffer is full: nothing of this call was accepted; come back after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many events are waiting to be written; try again in {retry_after:g} s")
        self.retry_after = retry_after


class LogFullError(RetriableError):
    """The log cannot be written now (disk full, locked): nothing was accepted."""


class LogUnreachableError(LogFullError):
    """The brokers did not confirm in time: none, some or all of it may have been accepted.

    Submit it again: messages, and events with a key, that were accepted are recognised as duplicates.
    """


class Frame(Struct, frozen=True, array_like=True, gc=False):
    """One log record: entries of one partition in order, accepted at `wall` (the gateway's clock, ms)."""

    wall: int
    entries: list[Entry]


class LogRecord(Struct, frozen=True, gc=False):
    """A frame's bytes at its place in the log."""

    partition: int
    offset: int
    wall: int
    data: bytes


class PartitionPosition(Struct, frozen=True, kw_only=True):
    """Where a partition's log starts and ends; `end`: the next offset to be written, `committed`: to be read."""

    partition: int
    start: int
    end: int
    committed: int


class Gateway(Protocol):
    """The one way in."""

    def now(self) -> int:
        """The gateway's clock in ms: wall time that never goes back."""
        ...

    async def submit(self, entries: Sequence[Entry]) -> None:
        """Return when every entry is durable.

        Raises OverloadedError or LogFullError; then none was accepted. The LogUnreachableError among the latter says
        that nobody knows: part of it may be in the log, each partition's part in order.
        """
        ...


class LogReader(Protocol):
    """Reads the log back, for previews, audits and the age of what waits."""

    async def positions(self) -> list[PartitionPosition]:
        """Every partition's position."""
        ...

    async def waiting_since(self) -> int | None:
        """The gateway's clock (ms) when the oldest unprocessed record was accepted; None when all is processed."""
        ...

    def records(
        self, partition: int, offset: int = 0, since: int | None = None, until: int | None = None
    ) -> AsyncIterator[LogRecord]:
        """Records of a partition from `offset` on, in order; only those accepted in [since, until) where given."""
        ...
