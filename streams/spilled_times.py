"""A channel's sent times in a replay: the latest in memory, all others in the scratch file."""

from __future__ import annotations

from collections.abc import Iterable

from actors.sent_times import SentTimes
from storage.sqlite.scratch import Scratch

BLOCK = 4_096


class SpilledTimes(SentTimes):
    """Sent times in blocks, of which memory knows the number, the first, the last and how many.

    Blocks may overlap: a time that comes late is counted with the latest ones.
    """

    __slots__ = ("_blocks", "_scratch")

    def __init__(self, scratch: Scratch, times: Iterable[int] = ()) -> None:
        super().__init__(times)
        self._scratch = scratch
        self._blocks: list[tuple[int, int, int, int]] = []

    def _settle(self) -> None:
        super()._settle()
        while len(self._times) >= 2 * BLOCK:
            old, self._times = self._times[:BLOCK], self._times[BLOCK:]
            self._blocks.append((self._scratch.put_times(old), old[0], old[-1], len(old)))

    def count(self, start: int, end: int) -> int:
        """How many were sent with start <= sent_at < end (ms)."""
        total = super().count(start, end)
        for block, first, last, size in self._blocks:
            if start <= first and last < end:
                total += size
            elif first < end and start <= last:
                total += SentTimes(self._scratch.times(block)).count(start, end)
        return total
