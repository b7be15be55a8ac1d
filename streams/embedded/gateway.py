"""The gateway over the embedded log, which reads it back too."""

from __future__ import annotations

from collections.abc import AsyncIterator

from streams.clock import SteadyClock
from streams.embedded.log import EmbeddedLog
from streams.framing import FramingGateway
from streams.ports import LogRecord, PartitionPosition


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


__all__ = ["EmbeddedGateway"]
