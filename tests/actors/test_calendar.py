"""Business time: acceptance test AT-40, clock changes, and the laws of due and elapsed time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.calendar import Calendar, Shift, check_calendar
from actors.errors import ConfigurationError

HOUR, MINUTE = 3_600_000, 60_000
BERLIN = ZoneInfo("Europe/Berlin")


def weekly(*hours, days=range(5), zone="UTC", holidays=()):
    """The same shifts (start and end in hours) on some weekdays."""
    shifts = tuple(Shift(day, round(start * 60), round(end * 60)) for day in days for start, end in hours)
    return Calendar(zone=zone, shifts=shifts, holidays=holidays)


def at(day, time, zone=UTC):
    """An instant: `at("2026-11-27", "16:30")`."""
    return round(datetime.fromisoformat(f"{day} {time}").replace(tzinfo=zone).timestamp() * 1000)


NINE_TO_FIVE = weekly((9, 17))
SPLIT = weekly((8, 12), (13.5, 18))


@pytest.mark.parametrize(
    ("calendar", "start", "budget", "due"),
    [
        (NINE_TO_FIVE, ("2026-11-27", "16:30"), HOUR, ("2026-11-30", "09:30")),
        (SPLIT, ("2026-11-23", "11:30"), HOUR, ("2026-11-23", "14:00")),
        (Calendar(), ("2026-11-23", "23:50"), 20 * MINUTE, ("2026-11-24", "00:10")),
        (weekly((0, 24), days=range(7)), ("2026-11-23", "23:50"), 20 * MINUTE, ("2026-11-24", "00:10")),
        (weekly((8, 18)), ("2026-11-23", "17:00"), 4 * HOUR, ("2026-11-24", "11:00")),
        (weekly((8, 18)), ("2026-11-23", "17:00"), 3 * HOUR, ("2026-11-24", "10:00")),
        (NINE_TO_FIVE, ("2026-11-23", "09:00"), 8 * HOUR, ("2026-11-23", "17:00")),
        (NINE_TO_FIVE, ("2026-11-23", "17:00"), 1, ("2026-11-24", "09:00:00.001")),
        (NINE_TO_FIVE, ("2026-11-28", "12:00"), HOUR, ("2026-11-30", "10:00")),
        (NINE_TO_FIVE, ("2026-11-23", "05:00"), HOUR, ("2026-11-23", "10:00")),
    ],
)
def test_due_times(calendar, start, budget, due):
    assert calendar.due(at(*start), budget) == at(*due)


def test_holidays_are_days_off():
    calendar = weekly((9, 17), holidays=("2026-11-30", "2026-12-01"))
    assert calendar.due(at("2026-11-27", "16:30"), HOUR) == at("2026-12-02", "09:30")
    assert calendar.elapsed(at("2026-11-27", "00:00"), at("2026-12-03", "00:00")) == 16 * HOUR


def test_a_holiday_is_a_day_of_the_calendars_own_zone():
    calendar = weekly((0, 24), days=range(7), zone="Asia/Shanghai", holidays=("2026-11-24",))
    start = at("2026-11-23", "15:59")  # 23:59 in Shanghai
    assert calendar.due(start, 2 * MINUTE) == at("2026-11-24", "16:01")


def test_working_hours_are_those_of_the_calendars_zone():
    shanghai = weekly((9, 18), zone="Asia/Shanghai")
    assert shanghai.due(at("2026-11-23", "12:00"), HOUR) == at("2026-11-24", "02:00")


def test_overlapping_and_touching_shifts_count_once():
    calendar = weekly((8, 12), (10, 14), (14, 15))
    assert calendar.elapsed(at("2026-11-23", "00:00"), at("2026-11-24", "00:00")) == 7 * HOUR


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-07", 24)])
def test_a_day_around_the_clock_is_as_long_as_it_really_is(day, hours):
    calendar = weekly((0, 24), days=range(7), zone="Europe/Berlin")
    start = at(day, "00:00", BERLIN)
    assert calendar.due(start, hours * HOUR) == start + hours * HOUR
    assert calendar.elapsed(start - HOUR, start + 30 * HOUR) == 31 * HOUR


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 3), ("2026-10-25", 5), ("2026-03-22", 4)])
def test_a_shift_across_a_clock_change_has_the_hours_that_pass(day, length):
    calendar = weekly((1, 5), days=(6,), zone="Europe/Berlin")
    start = at(day, "00:00", BERLIN)
    assert calendar.elapsed(start, start + 20 * HOUR) == length * HOUR
    assert calendar.due(start, length * HOUR) == at(day, "05:00", BERLIN)


@pytest.mark.parametrize(
    ("hours", "length", "begins"),
    [((2, 3), 0, "03:00"), ((2.5, 4), 1, "03:00"), ((2, 2.5), 0, "03:00"), ((1, 2.5), 1, "01:00")],
)
def test_an_hour_that_a_clock_change_skips_is_no_working_time(hours, length, begins):
    calendar = weekly(hours, days=(6,), zone="Europe/Berlin")
    start = at("2026-03-29", "00:00", BERLIN)
    assert calendar.elapsed(start, start + 20 * HOUR) == length * HOUR
    if length:
        assert calendar.due(start, 1) == at("2026-03-29", begins, BERLIN) + 1


def test_an_hour_that_comes_twice_counts_twice_within_a_shift():
    calendar = weekly((2, 4), days=(6,), zone="Europe/Berlin")
    start = at("2026-10-25", "00:00", BERLIN)
    assert calendar.elapsed(start, start + 20 * HOUR) == 3 * HOUR


def test_a_zone_without_changes_of_whole_hours():
    calendar = weekly((0, 24), days=range(7), zone="Australia/Lord_Howe")
    start = at("2026-10-04", "00:00", ZoneInfo("Australia/Lord_Howe"))
    assert calendar.elapsed(start, start + 48 * HOUR) == 48 * HOUR


def test_a_wrong_calendar_says_what_is_wrong():
    for wrong in (
        Calendar(zone="Mars/Olympus"),
        Calendar(shifts=(Shift(7, 0, 10),)),
        Calendar(shifts=(Shift(0, 10, 10),)),
        Calendar(shifts=(Shift(0, 0, 1441),)),
        Calendar(holidays=("25.12.2026",)),
    ):
        with pytest.raises(ConfigurationError):
            check_calendar(wrong)


def test_a_calendar_that_never_works_is_an_error():
    calendar = weekly((2, 3), days=(6,), holidays=tuple(f"20{y:02}-01-01" for y in range(26, 40)))
    assert calendar.due(at("2026-11-23", "00:00"), HOUR)
    with pytest.raises(ConfigurationError, match="no working time"):
        Calendar(zone="UTC", shifts=(Shift(0, 0, 1),)).due(at("2026-11-23", "00:00"), 10_000 * HOUR)


shift = st.builds(
    lambda day, start, length: Shift(day, start, min(1440, start + length)),
    st.integers(0, 6),
    st.integers(0, 1439),
    st.integers(1, 900),
)
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    shifts=st.lists(shift, max_size=6).map(tuple),
    holidays=st.lists(st.sampled_from(["2026-03-29", "2026-10-25", "2026-12-25", "2026-03-30"]), max_size=2).map(tuple),
)
instants = st.one_of(
    st.integers(at("2026-03-26", "00:00"), at("2026-03-31", "00:00")),
    st.integers(at("2026-10-22", "00:00"), at("2026-10-27", "00:00")),
)
budgets = st.integers(0, 40 * HOUR)


def works(calendar):
    return not calendar.shifts or calendar.elapsed(at("2027-01-01", "00:00"), at("2027-01-15", "00:00")) > 10 * MINUTE


@settings(max_examples=150, deadline=None)
@given(calendars.filter(works), instants, st.integers(0, 3 * HOUR), st.integers(0, 3 * HOUR))
def test_due_of_a_sum_is_due_of_due(calendar, start, one, other):
    assert calendar.due(start, one + other) == calendar.due(calendar.due(start, one), other)


@settings(max_examples=150, deadline=None)
@given(calendars.filter(works), instants, st.integers(0, 3 * HOUR))
def test_the_time_elapsed_until_due_is_the_budget(calendar, start, budget):
    assert calendar.elapsed(start, calendar.due(start, budget)) == budget


@settings(max_examples=150, deadline=None)
@given(calendars.filter(works), instants, st.integers(0, 10 * HOUR), st.integers(0, 3 * HOUR))
def test_a_later_start_is_never_due_earlier(calendar, start, later, budget):
    assert calendar.due(start, budget) <= calendar.due(start + later, budget)


@settings(max_examples=150, deadline=None)
@given(calendars, instants, budgets, budgets)
def test_elapsed_time_adds_up_and_never_exceeds_real_time(calendar, start, one, other):
    middle, end = start + one, start + one + other
    whole = calendar.elapsed(start, end)
    assert whole == calendar.elapsed(start, middle) + calendar.elapsed(middle, end)
    assert 0 <= whole <= end - start
