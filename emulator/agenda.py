"""What is to happen later, in emulated time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from emulator.clock import Clock


class Agenda:
    """Deeds by the time they are due (ms). Not for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.wake: Callable[[], None] = lambda: None

    def put(self, due: int, deed: Callable[[], None]) -> None:
        """Do this at `due`, or at once when that is past."""
        self._count += 1
        heappush(self._heap, (due, self._count, deed))
        self.wake()

    @property
    def next_due(self) -> int | None:
        """When the next deed is due; None when there is none."""
        return self._heap[0][0] if self._heap else None

    def do(self) -> int:
        """Do what is due; how much that was."""
        done, now = 0, self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            heappop(self._heap)[2]()
            done += 1
        return done
