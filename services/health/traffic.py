"""What went through the channels, minute by minute: totals, delay quantiles, points of a chart. Pure calculation.

A minute row is whole and replaces an earlier one of the same minute, so that reading it again counts nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from actors.sketch import Sketch
from storage.records import MinuteRow

MINUTE_MS = 60_000


class Total(Struct, kw_only=True):
    """Traffic of a span: messages in and out, duplicates, and how late they came (ms)."""

    inbound: int = 0
    outbound: int = 0
    duplicates: int = 0
    delays: Sketch

    @property
    def p50(self) -> int | None:
        """The median delay in ms, rounded; None without messages."""
        return rounded(self.delays.quantile(0.5))

    @property
    def p95(self) -> int | None:
        """The delay in ms that 95 of 100 messages do not exceed."""
        return rounded(self.delays.quantile(0.95))

    @property
    def p99(self) -> int | None:
        """The delay in ms that 99 of 100 messages do not exceed."""
        return rounded(self.delays.quantile(0.99))


def rounded(value: float | None) -> int | None:
    """The value as a whole number of ms."""
    return None if value is None else round(value)


def nothing() -> Total:
    """A total of no traffic at all."""
    return Total(delays=Sketch())


def add(total: Total, row: MinuteRow) -> None:
    """Count one row."""
    _add(total, row, Sketch.decode(row.delays))


def _add(total: Total, row: MinuteRow, delays: Sketch) -> None:
    total.inbound += row.inbound
    total.outbound += row.outbound
    total.duplicates += row.duplicates
    total.delays.merge(delays)


def total(rows: Iterable[MinuteRow]) -> Total:
    """The total of the rows."""
    result = nothing()
    for row in rows:
        add(result, row)
    return result


def by_channel(rows: Iterable[MinuteRow]) -> dict[str, Total]:
    """The total of each channel."""
    result: dict[str, Total] = {}
    for row in rows:
        if row.channel not in result:
            result[row.channel] = nothing()
        add(result[row.channel], row)
    return result


def split(rows: Iterable[MinuteRow], step_ms: int) -> tuple[dict[str, Total], dict[int, Total]]:
    """The totals by channel and by step, each row decoded once."""
    channels: dict[str, Total] = {}
    steps: dict[int, Total] = {}
    for row in rows:
        at = row.minute * MINUTE_MS
        start, delays = at - at % step_ms, Sketch.decode(row.delays)
        for part in (
            channels.get(row.channel) or channels.setdefault(row.channel, nothing()),
            steps.get(start) or steps.setdefault(start, nothing()),
        ):
            _add(part, row, delays)
    return channels, steps


def by_step(rows: Iterable[MinuteRow], step_ms: int) -> dict[int, Total]:
    """The totals by bucket start (ms); `step_ms` is a whole number of minutes."""
    result: dict[int, Total] = {}
    for row in rows:
        at = row.minute * MINUTE_MS
        start = at - at % step_ms
        if start not in result:
            result[start] = nothing()
        add(result[start], row)
    return result


def expected_inbound(hourly: list[float], since: int, until: int) -> float:
    """Inbound messages that the learned rates (per hour, by hour of the day, UTC) let expect in [since, until) (ms)."""
    expected, at = 0.0, since
    while hourly and at < until:
        hour, into = divmod(at, 60 * MINUTE_MS)
        span = min(60 * MINUTE_MS - into, until - at)
        expected += hourly[hour % 24] * span / (60 * MINUTE_MS)
        at += span
    return expected


class _Lane:
    """One channel's rows, and the total of its finished minutes kept until one of them changes."""

    def __init__(self) -> None:
        self.rows: dict[int, MinuteRow] = {}
        self.newest = 0
        self._finished: tuple[int, int, Total] | None = None

    def put(self, row: MinuteRow) -> None:
        self.rows[row.minute] = row
        if row.minute != self.newest:
            self._finished = None
        self.newest = max(self.newest, row.minute)

    def drop_before(self, minute: int) -> None:
        for old in [m for m in self.rows if m < minute]:
            del self.rows[old]

    def total(self, since: int) -> Total:
        """The total of the minutes from `since` on."""
        kept = self._finished
        if kept is None or kept[0] != since or kept[1] != self.newest:
            finished = total(r for m, r in self.rows.items() if since <= m < self.newest)
            self._finished = kept = (since, self.newest, finished)
        result = Total(
            inbound=kept[2].inbound,
            outbound=kept[2].outbound,
            duplicates=kept[2].duplicates,
            delays=Sketch(dict(kept[2].delays.buckets)),
        )
        last = self.rows.get(self.newest)
        if last is not None and last.minute >= since:
            add(result, last)
        return result


class RecentTraffic:
    """The last hour's rows in memory, so that looking twice a second costs what changed, not what there is."""

    def __init__(self, keep_minutes: int = 61) -> None:
        self._keep = keep_minutes
        self._lanes: dict[str, _Lane] = {}
        self._minutes: dict[int, Total] = {}

    def update(self, rows: Iterable[MinuteRow], now: int) -> list[MinuteRow]:
        """Take rows as they stand now (ms); returns those that are new or changed."""
        oldest = now // MINUTE_MS - self._keep + 1
        changed: list[MinuteRow] = []
        for row in rows:
            lane = self._lanes.setdefault(row.channel, _Lane())
            if row.minute >= oldest and lane.rows.get(row.minute) != row:
                lane.put(row)
                changed.append(row)
                self._minutes.pop(row.minute, None)
        for lane in self._lanes.values():
            lane.drop_before(oldest)
        for minute in [m for m in self._minutes if m < oldest]:
            del self._minutes[minute]
        return changed

    def channels(self, since: int) -> dict[str, Total]:
        """Each channel's total since the minute that `since` (ms) lies in."""
        minute = since // MINUTE_MS
        return {channel: lane.total(minute) for channel, lane in self._lanes.items()}

    def inbound(self, since: int) -> dict[str, int]:
        """Each channel's inbound messages since the minute that `since` (ms) lies in."""
        minute = since // MINUTE_MS
        return {c: sum(r.inbound for m, r in lane.rows.items() if m >= minute) for c, lane in self._lanes.items()}

    def minute(self, minute: int) -> Total:
        """All channels' total of one minute (counted since the epoch)."""
        known = self._minutes.get(minute)
        if known is None:
            known = total(r for lane in self._lanes.values() if (r := lane.rows.get(minute)) is not None)
            self._minutes[minute] = known
        return known

    def span(self, since: int, now: int) -> Total:
        """All channels' total of the minutes from the one `since` lies in to the one `now` lies in (ms)."""
        whole = nothing()
        for minute in range(since // MINUTE_MS, now // MINUTE_MS + 1):
            part = self.minute(minute)
            whole.inbound += part.inbound
            whole.outbound += part.outbound
            whole.duplicates += part.duplicates
            whole.delays.merge(part.delays)
        return whole

    def rows(self, since: int) -> list[MinuteRow]:
        """Every row since the minute that `since` (ms) lies in."""
        minute = since // MINUTE_MS
        return [row for lane in self._lanes.values() for m, row in lane.rows.items() if m >= minute]
