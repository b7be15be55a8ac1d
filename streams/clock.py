"""The gateway's clock: wall time that never goes back."""

from __future__ import annotations

import time
from collections.abc import Callable

NS_PER_MS = 1_000_000


class SteadyClock:
    """Wall time in ms; when the wall clock is set back, time goes on at the monotonic clock's pace.

    `not_before` is a time already used up (ms), such as the last one in the log.
    """

    def __init__(
        self,
        wall_ns: Callable[[], int] = time.time_ns,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        not_before: int = 0,
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._time = max(wall_ns(), not_before * NS_PER_MS)
        self._measured = monotonic_ns()
        self._behind = 0

    def now(self) -> int:
        """The time in ms, never less than before."""
        measured, wall = self._monotonic_ns(), self._wall_ns()
        steady = self._time + max(0, measured - self._measured)
        self._behind = max(0, steady - wall)
        self._time = max(steady, wall)
        self._measured = measured
        return self._time // NS_PER_MS

    def horizon(self) -> int:
        """The time (ms) before which every entry this process accepted is in the log: it accepts none itself."""
        return self.now()

    @property
    def jump_ms(self) -> int:
        """How far the wall clock is behind the time given out (ms): by how much it was set back."""
        return self._behind // NS_PER_MS
