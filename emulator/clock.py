"""The emulator's time: the wall clock, which may be moved to see what becomes of things in hours or days."""

from __future__ import annotations

import time
from collections.abc import Callable


def wall_clock() -> int:
    """The time of the machine, ms."""
    return int(time.time() * 1000)


class Clock:
    """Time in ms. What waits for a time subscribes to `moved`, for a jump may make it due."""

    def __init__(self, wall: Callable[[], int] = wall_clock) -> None:
        self._wall = wall
        self.offset = 0
        self.moved: list[Callable[[], None]] = []

    def now(self) -> int:
        """The emulated time, ms."""
        return self._wall() + self.offset

    def wall(self) -> int:
        """The real time, ms: what signatures' timestamps are held against, for callers know no other."""
        return self._wall()

    def move(self, offset: int) -> None:
        """Let the emulated time be so many ms ahead of the real one."""
        self.offset = offset
        for told in self.moved:
            told()
