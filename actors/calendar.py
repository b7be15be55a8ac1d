"""Business time: due times that count working hours only (SPEC section 4, acceptance tests AT-40 and AT-41).

A calendar has a time zone, per weekday any number of shifts, and holidays. All instants are milliseconds since the
epoch; wall-clock arithmetic is done on the zone's own days, so a day with a clock change is as long as it really is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field

from actors.errors import ConfigurationError

DAY_MINUTES = 24 * 60
LOOK_AHEAD_DAYS = 3660
"""A due time further away than this means a calendar that never works again."""


class Shift(Struct, frozen=True, array_like=True, gc=False):
    """Working time of one weekday (0 = Monday), in minutes of the local day: [`start`, `end`), at most 1440."""

    weekday: int
    start: int
    end: int


class Calendar(Struct, frozen=True, kw_only=True):
    """Business hours of a team; no shifts at all means around the clock. Holidays are local dates, YYYY-MM-DD."""

    zone: str = "UTC"
    shifts: tuple[Shift, ...] = ()
    holidays: tuple[str, ...] = field(default=())

    def due(self, start: int, budget: int) -> int:
        """The instant at which `budget` ms of business time have passed since `start` (ms)."""
        if not self.shifts:
            return start + budget
        if budget <= 0:
            return start
        left = budget
        for opens, closes in _open_spans(self, start):
            begins = max(opens, start)
            if closes - begins >= left:
                return begins + left
            left -= max(0, closes - begins)
        raise ConfigurationError(
            f"the calendar for {self.zone} has no working time in the next ten years; check its holidays"
        )

    def elapsed(self, start: int, end: int) -> int:
        """Business time in ms between two instants (0 when `end` is before `start`)."""
        if end <= start:
            return 0
        if not self.shifts:
            return end - start
        total = 0
        for opens, closes in _open_spans(self, start):
            if opens >= end:
                break
            total += max(0, min(closes, end) - max(opens, start))
        return total


def check_calendar(calendar: Calendar) -> Calendar:
    """The calendar itself; raises ConfigurationError that names the wrong part."""
    try:
        ZoneInfo(calendar.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise ConfigurationError(f"unknown time zone {calendar.zone!r}; use a name like Europe/Berlin") from wrong
    for shift in calendar.shifts:
        if not (0 <= shift.weekday < 7 and 0 <= shift.start < shift.end <= DAY_MINUTES):  # noqa: PLR2004 # days of a week
            raise ConfigurationError(
                f"shift {shift} must lie within one weekday (0 to 6) and one day (minutes 0 to 1440)"
            )
    for holiday in calendar.holidays:
        try:
            date.fromisoformat(holiday)
        except ValueError as wrong:
            raise ConfigurationError(f"holiday {holiday!r} is no date; write it like 2026-12-25") from wrong
    return calendar


def _open_spans(calendar: Calendar, start: int) -> Iterator[tuple[int, int]]:
    """Working spans in ms from the day of `start` on, in order, touching ones not joined."""
    zone = _zone(calendar.zone)
    day = datetime.fromtimestamp(start / 1000, zone).date()
    for _ in range(LOOK_AHEAD_DAYS):
        yield from _spans_of_day(calendar, day)
        day += timedelta(days=1)


@lru_cache(maxsize=4096)
def _spans_of_day(calendar: Calendar, day: date) -> tuple[tuple[int, int], ...]:
    if day.isoformat() in calendar.holidays:
        return ()
    zone = _zone(calendar.zone)
    spans = sorted((s.start, s.end) for s in calendar.shifts if s.weekday == day.weekday())
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple((_instant(day, start, zone), _instant(day, end, zone)) for start, end in merged)


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """The instant of a local minute; one that a clock change skips is the instant of the change."""
    midnight = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 # local by intent
    local = midnight.replace(tzinfo=zone)
    instant = round(local.timestamp() * 1000)
    back = datetime.fromtimestamp(instant / 1000, UTC).astimezone(zone).replace(tzinfo=None)
    if back == midnight:
        return instant
    # Skipped by a clock change: both readings of the gap lie an offset apart; the change is where they meet.
    before = local.utcoffset() or timedelta()
    after = local.replace(fold=1).utcoffset() or timedelta()
    return _change(instant, round(abs(before - after).total_seconds() * 1000), zone)


def _change(near: int, width: int, zone: ZoneInfo) -> int:
    """The instant within `width` ms of `near` at which the zone's offset changes, to the second."""
    low, high = (near - width) // 1000, (near + width) // 1000
    offset = datetime.fromtimestamp(low, UTC).astimezone(zone).utcoffset()
    return 1000 * (
        low
        + bisect_right(
            range(low, high),
            0,
            key=lambda s: datetime.fromtimestamp(s, UTC).astimezone(zone).utcoffset() != offset,
        )
    )


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
