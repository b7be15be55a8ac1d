"""`channel_silent` (silence): a channel has said nothing for longer than its own learned rate can explain.

Rate per hour of the day (UTC) = messages / time lived in that hour; the chance of silence since the last message is
exp(-∫rate) (Poisson). It opens at the first instant at which the chance is below the threshold; speaking resolves it.
"""

from __future__ import annotations

from math import ceil, exp

from actors.effects import Effects
from actors.sla import NEVER
from actors.spells import open_anomaly, resolve_anomaly, subject_label
from actors.state import Channel, ChannelState

SILENCE = subject_label("channel_silent", ("silence",))
HOUR_MS = 3_600_000
DAY_HOURS, WEEK_HOURS = 24, 168
LONGEST_DAYS = 400
"""A silence that becomes unlikely only after this long is never reported."""


def on_spoke(where: Channel, now: int, out: Effects) -> None:
    """A customer's side spoke: learn from it, and end a silence."""
    state = where.state
    if state.open and SILENCE in state.open:
        resolve_anomaly(state, "channel_silent", ("silence",), now, "spoke", out)
    hour = now // HOUR_MS
    if state.lived_to // HOUR_MS == hour:
        cell = state.hours.get(hour % WEEK_HOURS)
        if cell is None:
            cell = state.hours[hour % WEEK_HOURS] = [0, 0]
        cell[0] += 1
        cell[1] += now - state.lived_to
    else:
        _live_through(state, now)
        state.hours[hour % WEEK_HOURS][0] += 1
    state.lived_to = state.last_in_at = now
    state.learned += 1
    look_at = now + where.limits.silence_min_ms
    if state.silence_at > look_at:
        state.silence_at = look_at
        if look_at < state.due:
            state.due = look_at


def expire(where: Channel, now: int, out: Effects) -> None:
    """Look whether the silence is long enough by now."""
    state = where.state
    if state.silence_at >= now:
        return
    if state.last_in_at is not None and state.last_in_at + where.limits.silence_min_ms >= now:
        # It spoke so lately that no rate could make it silent: the rates need not be worked out.
        state.silence_at = state.last_in_at + where.limits.silence_min_ms
        return
    due = silent_from(where)
    if due >= now:
        state.silence_at = due
        return
    state.silence_at = NEVER
    last = state.last_in_at or 0
    expected = expected_between(state, last, due)
    open_anomaly(
        where,
        None,
        "channel_silent",
        ("silence",),
        out,
        message=None,
        since=last,
        opened_at=due,
        severity="critical",
        evidence={"expected": round(expected, 3), "probability": exp(-expected), "cause": "silence"},
    )


def silent_from(where: Channel) -> int:
    """The instant (ms) at which the present silence becomes too unlikely; NEVER when that cannot be said."""
    state, limits = where.state, where.limits
    need = limits.silence_exponent
    if need is None or state.last_in_at is None or state.learned < limits.silence_messages:
        return NEVER
    rates = hourly_rates(state)
    per_day = sum(rates) * HOUR_MS
    if per_day <= 0 or need / per_day > LONGEST_DAYS:
        return NEVER
    whole_days = max(0, int(need / per_day) - 1)
    at = state.last_in_at + whole_days * DAY_HOURS * HOUR_MS
    need -= whole_days * per_day
    while True:
        rate = rates[at // HOUR_MS % DAY_HOURS]
        span = HOUR_MS - at % HOUR_MS
        if rate * span >= need:
            return max(at + ceil(need / rate), state.last_in_at + limits.silence_min_ms)
        need -= rate * span
        at += span


def expected_between(state: ChannelState, start: int, end: int) -> float:
    """How many messages the learned rates let expect in [start, end) (ms)."""
    rates = hourly_rates(state)
    total, at = 0.0, start
    while at < end:
        span = min(HOUR_MS - at % HOUR_MS, end - at)
        total += rates[at // HOUR_MS % DAY_HOURS] * span
        at += span
    return total


def hourly_rates(state: ChannelState) -> list[float]:
    """Messages per ms for each hour of the day, UTC; 0 for an hour never lived through."""
    messages, lived = [0] * DAY_HOURS, [0] * DAY_HOURS
    for hour, (count, span) in state.hours.items():
        of_day = hour % DAY_HOURS
        messages[of_day] += count
        lived[of_day] += span
    return [n / t if t else 0.0 for n, t in zip(messages, lived, strict=True)]


def _live_through(state: ChannelState, now: int) -> None:
    """Count the time up to `now` as lived, hour by hour; whole weeks at once."""
    weeks, rest = divmod(now - state.lived_to, WEEK_HOURS * HOUR_MS)
    if weeks:
        for hour in range(WEEK_HOURS):
            state.hours.setdefault(hour, [0, 0])[1] += weeks * HOUR_MS
    at = now - rest
    while at < now:
        span = min(HOUR_MS - at % HOUR_MS, now - at)
        state.hours.setdefault(at // HOUR_MS % WEEK_HOURS, [0, 0])[1] += span
        at += span
    state.hours.setdefault(now // HOUR_MS % WEEK_HOURS, [0, 0])
