"""The chart of the last minutes, finer than the minute rows: what each reading of the rows adds to the one before.

What is there when a minute is seen first is known by the minute only, and is spread evenly over it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from actors.sketch import Sketch
from services.health.traffic import MINUTE_MS, Total, rounded
from storage.records import MinuteRow

LATE_MS = 10_000
"""What is added to a minute that ended longer ago than this belongs to its own time, not to the moment it was seen."""


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
        self._quantiles: dict[int, tuple[int | None, int | None]] = {}
        self._seen: dict[tuple[str, int], MinuteRow] = {}

    def observe(self, rows: Iterable[MinuteRow], now: int) -> None:
        """Count what the rows, as they stand at `now` (ms), add to what was seen of them before."""
        oldest = now - self.span_ms - MINUTE_MS
        added: dict[tuple[int, bool], Slice] = {}
        for row in rows:
            began = row.minute * MINUTE_MS
            before = self._seen.get((row.channel, row.minute))
            if before == row or began < oldest:
                continue
            self._seen[(row.channel, row.minute)] = row
            just_now = before is not None and now - began < MINUTE_MS + LATE_MS
            part = added.get((began, just_now))
            if part is None:
                part = added[began, just_now] = Slice(0, 0, Sketch())
            _add(part, *_difference(row, before))
        for (began, just_now), part in added.items():
            self._place(now if just_now else began, part, now, whole_minute=not just_now)
        self._forget(now)

    def points(self, now: int, anomalies: dict[int, int]) -> list[Point]:
        """Every step up to `now` (ms), empty ones too; `anomalies` counts those opened by step start."""
        last = now - now % self.step_ms
        return [
            self._point(start, now, anomalies.get(start, 0))
            for start in range(last - self.span_ms + self.step_ms, last + 1, self.step_ms)
        ]

    def _place(self, at: int, part: Slice, now: int, *, whole_minute: bool) -> None:
        """Add to the step of `at`, or evenly to every step of the minute from there on up to `now`."""
        first, last = at - at % self.step_ms, now - now % self.step_ms
        ends = max(first + self.step_ms, min(first + MINUTE_MS, last + self.step_ms)) if whole_minute else first + 1
        starts = range(first, ends, self.step_ms)
        for start in starts:
            known = self._slices.get(start)
            if known is None:
                known = self._slices[start] = Slice(0, 0, Sketch())
            _add(known, part.inbound / len(starts), part.outbound / len(starts), part.delays)
            self._quantiles.pop(start, None)

    def _point(self, start: int, now: int, anomalies: int) -> Point:
        part = self._slices.get(start)
        if part is None:
            return (start, 0.0, 0.0, None, None, anomalies)
        quantiles = self._quantiles.get(start)
        if quantiles is None:
            quantiles = (rounded(part.delays.quantile(0.5)), rounded(part.delays.quantile(0.99)))
            self._quantiles[start] = quantiles
        seconds = max(1.0, (min(start + self.step_ms, now) - start) / 1000)
        return (start, round(part.inbound / seconds, 2), round(part.outbound / seconds, 2), *quantiles, anomalies)

    def _forget(self, now: int) -> None:
        oldest = now - self.span_ms - MINUTE_MS
        for start in [s for s in self._slices if s < oldest]:
            del self._slices[start]
            self._quantiles.pop(start, None)
        for key in [k for k in self._seen if k[1] * MINUTE_MS < oldest]:
            del self._seen[key]


def _difference(row: MinuteRow, before: MinuteRow | None) -> tuple[int, int, Sketch]:
    """What a row has more than it had: inbound, outbound, delays."""
    delays = Sketch.decode(row.delays)
    if before is None:
        return row.inbound, row.outbound, delays
    for bucket, count in Sketch.decode(before.delays).buckets.items():
        left = delays.buckets.get(bucket, 0) - count
        if left > 0:
            delays.buckets[bucket] = left
        else:
            delays.buckets.pop(bucket, None)
    return row.inbound - before.inbound, row.outbound - before.outbound, delays


def _add(part: Slice, inbound: float, outbound: float, delays: Sketch) -> None:
    part.inbound += inbound
    part.outbound += outbound
    part.delays.merge(delays)


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
