"""When the messages that a channel holds were sent: the index that checkpoints are counted with."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

NEW_MOST = 512
"""So many are put in order at once: one by one, each would move all that were sent after it."""


class SentTimes:
    """The sent_at (ms) of every message held of a channel."""

    __slots__ = ("_new", "_times")

    def __init__(self, times: Iterable[int] = ()) -> None:
        """`times` ascend."""
        self._times = array("q", times)
        self._new: list[int] = []

    def add(self, at: int) -> None:
        """One message more, sent at `at` (ms)."""
        self._new.append(at)
        if len(self._new) >= NEW_MOST:
            self._settle()

    def count(self, start: int, end: int) -> int:
        """How many were sent with start <= sent_at < end (ms)."""
        if self._new:
            self._settle()
        times = self._times
        return max(0, bisect_left(times, end) - bisect_left(times, start))

    def _settle(self) -> None:
        """Put the new ones in their places."""
        new, self._new = sorted(self._new), []
        times = self._times
        if times and new[0] < times[-1]:
            place = bisect_left(times, new[0])
            new = sorted([*times[place:], *new])
            del times[place:]
        times.extend(new)
