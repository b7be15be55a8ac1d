"""A machine whose clocks are wound by hand."""

from __future__ import annotations

from streams.clock import SteadyClock


class Machine:
    """The clocks of a machine whose wall clock somebody sets."""

    def __init__(self, wall=1_700_000_000_000):
        self.wall = wall
        self.running = 0

    def pass_time(self, ms):
        self.wall += ms
        self.running += ms

    def clock(self, **options):
        return SteadyClock(lambda: self.wall * 1_000_000, lambda: self.running * 1_000_000, **options)
