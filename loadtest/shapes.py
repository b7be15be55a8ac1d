"""When conversations start: arrival curves of real traffic, scaled to any length.

`DAY` is the mean of three hour-of-day profiles (support messages of airlines, mentions of a large shop, orders of a
marketplace). `FLASH` is what mentions of a large shop did around one burst, in 36 equal slots. Both are shares of the
mean, computed from public counts: numenta/NAB realTweets (MIT), Olist orders and airline support threads (hour
profiles only).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal, TypeAlias

Profile: TypeAlias = Literal["steady", "diurnal", "flash-sale"]

DAY = (
    0.574, 0.483, 0.465, 0.419, 0.442, 0.453, 0.530, 0.689, 0.971, 1.188, 1.198, 1.346,
    1.262, 1.452, 1.459, 1.371, 1.411, 1.361, 1.318, 1.305, 1.290, 1.211, 1.025, 0.775,
)  # fmt: skip
FLASH = (
    0.423, 0.508, 0.508, 0.494, 0.372, 0.372, 0.437, 0.430, 0.430, 11.981, 2.664, 1.368, 0.931, 0.988, 0.773, 0.759,
    0.594, 0.752, 0.673, 0.551, 1.160, 1.124, 0.695, 0.695, 0.566, 0.551, 0.559, 0.523, 0.487, 0.487, 0.530, 0.594,
    0.530, 0.508, 0.473, 0.508,
)  # fmt: skip

HOUR_MS = 3_600_000


def slots(profile: Profile, start: int, length_ms: int) -> list[float]:
    """The relative intensity of equal slots that cover the whole length (for a day: of its hours, UTC)."""
    match profile:
        case "steady":
            return [1.0]
        case "flash-sale":
            return list(FLASH)
        case "diurnal":
            first = start // HOUR_MS
            return [DAY[(first + i) % 24] for i in range(max(1, -(-length_ms // HOUR_MS)))]


def arrivals(rng: Random, weights: Sequence[float], start: int, length_ms: int, count: int) -> Iterator[int]:
    """`count` instants (ms), sorted, spread as the slots say; needs no memory for them."""
    total = sum(weights)
    slot_ms = length_ms / len(weights)
    slot, below = 0, 0.0
    point = 0.0
    for left in range(count, 0, -1):
        # The next smallest of `left` uniform numbers above `point`.
        point = 1 - (1 - point) * rng.random() ** (1 / left)
        goal = point * total
        while slot < len(weights) - 1 and below + weights[slot] < goal:
            below += weights[slot]
            slot += 1
        yield start + int((slot + min(1.0, (goal - below) / weights[slot])) * slot_ms)


def endless(rng: Random, start: int, per_second: float) -> Iterator[int]:
    """Instants (ms) without end whose rate follows the sale's curve again and again, one round every ten minutes."""
    slot_ms = 600_000 / len(FLASH)
    now = float(start)
    while True:
        share = min(FLASH[int((now - start) / slot_ms) % len(FLASH)], 3.0) ** 0.5
        now += rng.expovariate(per_second * share / 1000)
        yield int(now)
