"""What was accepted and is not processed yet: how much, since when, and whether it moves at all. Pure calculation."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from streams.ports import PartitionPosition

STUCK_MS = 30_000
"""A partition that has records waiting and has not moved for this long is stuck, not slow."""


class Reading(Struct, frozen=True, kw_only=True):
    """All partitions at one moment.

    `accepted`, `processed`: log records since the log began; `oldest_ms`: age of the oldest one that waits, None when
    none does; `stuck`: partitions with records waiting that do not move, and since when (ms).
    """

    at: int
    accepted: int
    processed: int
    oldest_ms: int | None = None
    stuck: dict[int, int] = {}

    @property
    def waiting(self) -> int:
        """Records accepted and not processed."""
        return self.accepted - self.processed


class Backlog:
    """Follows the positions of the partitions."""

    def __init__(self) -> None:
        self._moved: dict[int, tuple[int, int]] = {}

    def observe(self, positions: Iterable[PartitionPosition], waiting_since: int | None, now: int) -> Reading:
        """The state of affairs at `now` (ms); `waiting_since`: when the oldest waiting record was accepted."""
        accepted = processed = 0
        stuck: dict[int, int] = {}
        for position in positions:
            accepted += position.end
            processed += position.committed
            since = self._last_move(position, now)
            if position.end > position.committed and now - since > STUCK_MS:
                stuck[position.partition] = since
        oldest = None if waiting_since is None else max(0, now - waiting_since)
        return Reading(at=now, accepted=accepted, processed=processed, oldest_ms=oldest, stuck=stuck)

    def _last_move(self, position: PartitionPosition, now: int) -> int:
        """When the partition last moved on, or last had nothing to do."""
        committed, since = self._moved.get(position.partition, (-1, now))
        if position.committed != committed or position.end <= position.committed:
            since = now
            self._moved[position.partition] = (position.committed, since)
        return since
