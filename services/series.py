"""The chart of the last minutes, finer than the minute rows: what each reading of the rows adds to the one before.

What was there before the first reading is known by the minute only, and is spread evenly over that minute.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from actors.sketch import Sketch
from services.traffic import MINUTE_MS, Total, rounded
from storage.records import MinuteRow

FRESH_MS = 2 * MINUTE_MS
"""What is added to a minute that began longer ago than this belongs to its own time, not to the moment it was seen."""


class Slice(Struct):
    """Traffic of one step; counts may be fractions where a minute was spread."""

    inbound: float
    outbound: float
    delays: Sketch


Point = tuple[int, float, float, int | None, int | None, int]
"""Start (ms), messages in and out per second, p50 and p99 of the delay (ms), anomalies opened."""


class LiveSeries:
    """The last `span_ms` in steps of `step_ms`; both in ms, a minute is a whole number of steps."""

    def __init__(self, span_ms: int, step_ms: int) -> None:
        self.span_ms = span_ms
        self.step_ms = step_ms
        self._slices: dict[int, Slice] = {}
        self._seen: dict[tuple[str, int], MinuteRow] = {}
        self._started = False

    def observe(self, rows: Iterable[MinuteRow], now: int) -> None:
        """Count what the rows, as they stand at `now` (ms), add to what was seen of them before."""
        for row in rows:
            before = self._seen.get((row.channel, row.minute))
            if before == row:
                continue
            self._seen[(row.channel, row.minute)] = row
            self._count(row, before, now)
        self._started = True
        self._forget(now)

    def points(self, now: int, anomalies: dict[int, int]) -> list[Point]:
        """Every step up to `now` (ms), empty ones too; `anomalies` counts those opened by step start."""
        last = now - now % self.step_ms
        return [
            self._point(start, now, anomalies.get(start, 0))
            for start in range(last - self.span_ms + self.step_ms, last + 1, self.step_ms)
        ]

    def _count(self, row: MinuteRow, before: MinuteRow | None, now: int) -> None:
        inbound = row.inbound - (before.inbound if before else 0)
        outbound = row.outbound - (before.outbound if before else 0)
        delays = Sketch.decode(row.delays)
        if before:
            for bucket, count in Sketch.decode(before.delays).buckets.items():
                left = delays.buckets.get(bucket, 0) - count
                if left > 0:
                    delays.buckets[bucket] = left
                else:
                    delays.buckets.pop(bucket, None)
        began = row.minute * MINUTE_MS
        if self._started and now - began < FRESH_MS:
            self._add(now - now % self.step_ms, inbound, outbound, delays)
            return
        ends = max(began + self.step_ms, min(began + MINUTE_MS, now - now % self.step_ms + self.step_ms))
        steps = range(began, ends, self.step_ms)
        for start in steps:
            self._add(start, inbound / len(steps), outbound / len(steps), delays)

    def _add(self, start: int, inbound: float, outbound: float, delays: Sketch) -> None:
        part = self._slices.get(start)
        if part is None:
            part = self._slices[start] = Slice(0, 0, Sketch())
        part.inbound += inbound
        part.outbound += outbound
        part.delays.merge(delays)

    def _point(self, start: int, now: int, anomalies: int) -> Point:
        part = self._slices.get(start)
        if part is None:
            return (start, 0.0, 0.0, None, None, anomalies)
        seconds = max(1.0, (min(start + self.step_ms, now) - start) / 1000)
        p50, p99 = part.delays.quantile(0.5), part.delays.quantile(0.99)
        return (
            start,
            round(part.inbound / seconds, 2),
            round(part.outbound / seconds, 2),
            rounded(p50),
            rounded(p99),
            anomalies,
        )

    def _forget(self, now: int) -> None:
        oldest = now - self.span_ms - MINUTE_MS
        for start in [s for s in self._slices if s < oldest]:
            del self._slices[start]
        for key in [k for k in self._seen if k[1] * MINUTE_MS < oldest]:
            del self._seen[key]


def minute_points(
    totals: dict[int, Total], since: int, now: int, step_ms: int, anomalies: dict[int, int]
) -> list[Point]:
    """Points in steps of whole minutes from the one `since` lies in up to `now` (ms)."""
    points: list[Point] = []
    for start in range(since - since % step_ms, now + 1, step_ms):
        part = totals.get(start)
        opened = anomalies.get(start, 0)
        if part is None:
            points.append((start, 0.0, 0.0, None, None, opened))
            continue
        seconds = max(1.0, (min(start + step_ms, now) - start) / 1000)
        in_rate, out_rate = round(part.inbound / seconds, 2), round(part.outbound / seconds, 2)
        points.append((start, in_rate, out_rate, part.p50, part.p99, opened))
    return points
