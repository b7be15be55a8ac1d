"""The dashboard's numbers for any span: each is the sum of rows that the API lists, over exactly the span it states.

Traffic is kept by the minute of observed time, so a span is widened to whole minutes and the answer says which;
anomalies are counted by `opened_at` over the same span. Totals, series and groups come from the same rows.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from actors.anomaly import KINDS, STATUSES
from actors.errors import RejectedError
from actors.keys import split_key
from actors.times import rfc3339
from services.health.board import HOUR_MS, Scope, in_scope, ledger
from services.health.paced import Paced
from services.health.platforms import PlatformHealth, compare
from services.health.traffic import MINUTE_MS, Total, by_channel, by_step, nothing, total
from storage.ports import HealthStore
from storage.records import AnomalyCount, AnomalyFilter, LedgerRow, MinuteRow

DEFAULT_SPAN_MS = 15 * MINUTE_MS
LONGEST_SPAN_MS = 31 * 1440 * MINUTE_MS
POINTS_MOST = 180
HOURS = 24
HOURS_KEPT_S = 2.0
SCOPES_MOST = 64
STEPS_MS = tuple(n * MINUTE_MS for n in (1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440))


class Span(Struct, frozen=True, kw_only=True):
    """Whole minutes [`since`, `until`) in ms, and the step of the series."""

    since: int
    until: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until - self.since) / 1000

    @property
    def step_ms(self) -> int:
        """The finest step that gives at most POINTS_MOST points."""
        return next((s for s in STEPS_MS if (self.until - self.since) / s <= POINTS_MOST), STEPS_MS[-1])


def span(since: int | None, until: int | None, now: int) -> Span:
    """The span asked for (ms), widened to whole minutes; by default the running minute and the 15 before it.

    Raises RejectedError.
    """
    end = now + 1 if until is None else until
    start = end - DEFAULT_SPAN_MS if since is None else since
    if start >= end:
        raise RejectedError("since: must be before until")
    if end - start > LONGEST_SPAN_MS:
        raise RejectedError("since: the span may be at most 31 days long")
    return Span(since=start - start % MINUTE_MS, until=end + -end % MINUTE_MS)


class Hours(Struct, frozen=True, kw_only=True):
    """Anomalies opened, a row per kind and a column per hour; `hours` are starts in ms, the running hour last."""

    at: int
    hours: list[int]
    kinds: list[str]
    cells: list[list[int]]


class Stats:
    """Answers GET /stats and GET /stats/hours."""

    def __init__(self, store: HealthStore, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._hours: OrderedDict[Scope, Paced[Hours]] = OrderedDict()

    async def hours(self, *, platform: str | None = None, account: str | None = None) -> Hours:
        """The last 24 hours by kind, of the channels asked for; taken anew every few seconds at most."""
        scope = Scope(platform=platform or None, account=account or None)
        paced = self._hours.get(scope)
        if paced is None:
            paced = self._hours[scope] = Paced(lambda: self._count_hours(scope), HOURS_KEPT_S)
        self._hours.move_to_end(scope)
        if len(self._hours) > SCOPES_MOST:
            self._hours.popitem(last=False)
        return await paced.get()

    async def _count_hours(self, scope: Scope) -> Hours:
        now = self._clock()
        last = now - now % HOUR_MS
        starts = [last - back * HOUR_MS for back in reversed(range(HOURS))]
        where = AnomalyFilter(platform=scope.platform, account=scope.account, since=starts[0])
        counts = {(start, kind): n for start, kind, n in await self._store.anomaly_minutes(where, HOUR_MS)}
        cells = [[counts.get((start, kind), 0) for start in starts] for kind in KINDS]
        return Hours(at=now, hours=starts, kinds=list(KINDS), cells=cells)

    async def stats(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        platform: str | None = None,
        account: str | None = None,
    ) -> dict[str, Any]:
        """Numbers of [since, until) in ms and of the channels asked for. Raises RejectedError."""
        now = self._clock()
        chosen = span(since, until, now)
        scope = Scope(platform=platform, account=account)
        where = AnomalyFilter(platform=platform, account=account, since=chosen.since, until=chosen.until)
        rows = await self._store.minutes(chosen.since // MINUTE_MS, chosen.until // MINUTE_MS)
        rows = [row for row in rows if in_scope(row.channel, scope)]
        counts = await self._store.anomaly_counts(where)
        buckets = await self._store.anomaly_minutes(where, MINUTE_MS)
        sla = await self._store.sla_counts(now)
        account_rows = [row for row in await self._store.ledger() if in_scope(row.channel, scope)]
        traffic = await asyncio.to_thread(traffic_numbers, rows, chosen, anomalies_by_step(buckets, chosen.step_ms))
        return {
            "at": rfc3339(now),
            "since": rfc3339(chosen.since),
            "until": rfc3339(chosen.until),
            **traffic,
            "anomalies": anomaly_numbers(counts),
            "platforms": await asyncio.to_thread(platform_numbers, rows, counts),
            "sla": sla_numbers(sla, platform),
            "ledger": ledger_numbers(account_rows),
        }


def traffic_numbers(rows: list[MinuteRow], chosen: Span, anomalies: dict[int, int]) -> dict[str, Any]:
    """Rate, delay quantiles, series and channels, all of the same rows."""
    whole, steps = total(rows), by_step(rows, chosen.step_ms)
    starts = sorted({*steps, *anomalies})
    return {
        "rate": {
            "messages": whole.inbound + whole.outbound,
            "inbound": whole.inbound,
            "outbound": whole.outbound,
            "duplicates": whole.duplicates,
            "inbound_per_s": round(whole.inbound / chosen.seconds, 3),
            "outbound_per_s": round(whole.outbound / chosen.seconds, 3),
        },
        "delay": delays(whole),
        "step_s": chosen.step_ms // 1000,
        "series": [_point(at, steps.get(at) or nothing(), anomalies.get(at, 0)) for at in starts],
        "channels": [_channel(key, part) for key, part in sorted(by_channel(rows).items(), key=lambda item: item[0])],
    }


def delays(part: Total) -> dict[str, int | float | None]:
    """Quantiles of the corrected delays, in seconds, each within one per cent."""
    return {
        name: None if ms is None else ms / 1000
        for name, ms in (("p50_s", part.p50), ("p95_s", part.p95), ("p99_s", part.p99))
    }


def anomalies_by_step(buckets: Iterable[tuple[int, str, int]], step_ms: int) -> dict[int, int]:
    """Anomalies opened, by start of the step (ms)."""
    result: dict[int, int] = {}
    for at, _, count in buckets:
        start = at - at % step_ms
        result[start] = result.get(start, 0) + count
    return result


def anomaly_numbers(counts: list[AnomalyCount]) -> dict[str, Any]:
    """Anomalies opened within the span, by kind and status, by platform and kind."""
    by_kind: dict[str, dict[str, int]] = {kind: dict.fromkeys((*STATUSES, "total"), 0) for kind in KINDS}
    by_platform: dict[str, dict[str, int]] = {}
    for c in counts:
        of_kind = by_kind[c.kind]
        of_kind[c.status] += c.count
        of_kind["total"] += c.count
        of_platform = by_platform.setdefault(c.platform, {**dict.fromkeys(KINDS, 0), "total": 0})
        of_platform[c.kind] += c.count
        of_platform["total"] += c.count
    return {
        "total": sum(c.count for c in counts),
        "unresolved": sum(c.count for c in counts if c.status != "resolved"),
        "by_kind": by_kind,
        "by_platform": dict(sorted(by_platform.items())),
    }


def platform_numbers(rows: list[MinuteRow], counts: list[AnomalyCount]) -> list[dict[str, Any]]:
    """The platforms side by side, of the same rows."""
    return [_platform(one) for one in compare(by_channel(rows), counts)]


def sla_numbers(counts: dict[str, dict[str, int]], platform: str | None) -> dict[str, Any]:
    """Conversations by the state of their running response clock, now."""
    chosen = {p: n for p, n in sorted(counts.items()) if platform in (None, p)}
    states = ("ok", "at_risk", "breached")
    return {
        **{state: sum(n.get(state, 0) for n in chosen.values()) for state in states},
        "by_platform": {p: {state: n.get(state, 0) for state in states} for p, n in chosen.items()},
    }


def ledger_numbers(rows: list[LedgerRow]) -> dict[str, Any]:
    """The account of everything ever accepted, whole and by channel (those of no channel together)."""
    whole = ledger(rows, Scope())
    return {
        "accepted": whole.accepted,
        "stored": whole.stored,
        "duplicates": whole.duplicates,
        "rejected": whole.rejected,
        "balanced": whole.balanced,
        "channels": [_account(row) for row in rows],
    }


def _point(start: int, part: Total, anomalies: int) -> dict[str, Any]:
    return {
        "at": rfc3339(start),
        "inbound": part.inbound,
        "outbound": part.outbound,
        "duplicates": part.duplicates,
        "anomalies": anomalies,
        **delays(part),
    }


def _channel(key: str, part: Total) -> dict[str, Any]:
    platform, account = split_key(key)
    return {
        "platform": platform,
        "account": account,
        "inbound": part.inbound,
        "outbound": part.outbound,
        "duplicates": part.duplicates,
        **delays(part),
    }


def _platform(one: PlatformHealth) -> dict[str, Any]:
    return {
        "platform": one.platform,
        "inbound": one.inbound,
        "outbound": one.outbound,
        "anomalies": one.anomalies,
        "p50_s": None if one.p50_ms is None else one.p50_ms / 1000,
        "p95_s": None if one.p95_ms is None else one.p95_ms / 1000,
        "lost_by_transport_s": one.lost_ms / 1000,
    }


def _account(row: LedgerRow) -> dict[str, Any]:
    parts = split_key(row.channel)
    platform, account = parts if len(parts) > 1 else (None, None)
    return {
        "platform": platform,
        "account": account,
        "accepted": row.accepted,
        "stored": row.stored,
        "duplicates": row.duplicates,
        "rejected": row.rejected,
    }
