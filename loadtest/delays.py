"""Delays as a screen sees them: from the answer to a sender until the ledger on the screen counts the event."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct


class Quantiles(Struct, frozen=True, kw_only=True):
    """Of so many values: the value of nearest rank, in ms."""

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    most: float | None = None


def quantiles(values: Sequence[float]) -> Quantiles:
    """Of values in ms."""
    if not values:
        return Quantiles(count=0)
    ranked = sorted(values)

    def at(percent: int) -> float:
        return round(ranked[max(0, -(-percent * len(ranked) // 100) - 1)], 1)

    return Quantiles(count=len(ranked), p50=at(50), p95=at(95), p99=at(99), most=round(ranked[-1], 1))


def visible_after(answers: Sequence[tuple[float, int]], shown: Sequence[tuple[float, int]], before: int) -> list[float]:
    """How long (ms) each answer took to show.

    `answers`: (second, events answered by then); `shown`: (second, events that the screen counts), both ascending;
    `before`: what the screen counted before the first one. Answers never shown are left out.
    """
    counts = [count - before for _, count in shown]
    found: list[float] = []
    for at, events in answers:
        place = bisect_left(counts, events)
        if place < len(counts):
            found.append(max(0.0, shown[place][0] - at) * 1000)
    return found
