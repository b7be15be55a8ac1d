"""The load of a sale day in multiples of a normal day's mean: quiet hours, the day at six times, its bursts.

`BURSTS` are real ones, in slots of five minutes over the mean of their series: mentions of a large shop (30.6 times its
mean, gone as it came) and of a carrier (27 times, for half an hour); numenta/NAB realTweets (MIT).
"""

from __future__ import annotations

from itertools import accumulate

from loadtest.shapes import DAY

SALE = 6.0
"""A sale day has about so many times the messages of a normal one."""
BURSTS: dict[int, tuple[float, ...]] = {
    10: (30.64, 6.81, 3.5),
    20: (27.35, 24.47, 24.34, 22.38, 17.14, 9.16),
}
"""By the slot of the sale day (an hour each) at which they begin."""
QUIET_SLOTS = 6
SLOTS_AFTER = 3
SLOTS_AN_HOUR = 12


def peak_day() -> tuple[float, ...]:
    """The curve in equal slots: a normal day (every fourth hour), a sale day's 24 hours, the first hours after it."""
    sale = [SALE * share for share in DAY]
    for begins, heights in BURSTS.items():
        for slot, height in enumerate(heights, begins):
            if slot < len(sale):
                sale[slot] = max(sale[slot], height)
    return (*DAY[:: len(DAY) // QUIET_SLOTS], *sale, *DAY[:SLOTS_AFTER])


def five_minutes() -> tuple[float, ...]:
    """A sale day as it is by the clock, in slots of five minutes: 24 hours at six times and the bursts."""
    day = [SALE * share for share in DAY for _ in range(SLOTS_AN_HOUR)]
    for hour, heights in BURSTS.items():
        for slot, height in enumerate(heights, hour * SLOTS_AN_HOUR):
            day[slot] = max(day[slot], height)
    return tuple(day)


PEAK_DAY = peak_day()
HIGHEST = max(PEAK_DAY)
MEAN = sum(PEAK_DAY) / len(PEAK_DAY)


class Curve:
    """A curve of slots laid over `seconds`, its highest slot at `peak` events a second."""

    def __init__(self, seconds: float, peak: float, slots: tuple[float, ...] = PEAK_DAY) -> None:
        self.seconds = seconds
        self._rates = [share * peak / max(slots) for share in slots]
        self._each = seconds / len(slots)
        self._before = list(accumulate((rate * self._each for rate in self._rates), initial=0.0))

    @property
    def total(self) -> float:
        """How many events it takes."""
        return self._before[-1]

    def count(self, at: float) -> float:
        """How many events until so many seconds from the start; after the end all of them."""
        slot = self._slot(at)
        inside = min(max(at - slot * self._each, 0.0), self._each)
        return self._before[slot] + inside * self._rates[slot]

    def highest(self, since: float, until: float) -> float:
        """The highest rate between two instants (seconds from the start), in events a second."""
        return max(self._rates[self._slot(since) : self._slot(until) + 1])

    def _slot(self, at: float) -> int:
        return min(max(0, int(at / self._each)), len(self._rates) - 1)
