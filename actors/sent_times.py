"""When the messages that a channel holds were sent: the index that checkpoints are counted with."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable


class SentTimes:
    """The sent_at (ms) of every message held of a channel."""

    __slots__ = ("_times",)

    def __init__(self, times: Iterable[int] = ()) -> None:
        """`times` ascend."""
        self._times = array("q", times)

    def add(self, at: int) -> None:
        """One message more, sent at `at` (ms)."""
        times = self._times
        if not times or at >= times[-1]:
            times.append(at)
        else:
            insort(times, at)

    def count(self, start: int, end: int) -> int:
        """How many were sent with start <= sent_at < end (ms)."""
        times = self._times
        return max(0, bisect_left(times, end) - bisect_left(times, start))
