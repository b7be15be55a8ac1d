"""The message-health monitor: reads, calculates and publishes one snapshot for all viewers, twice a second at most.

The unfiltered snapshot of the last 15 minutes is refreshed by a task of its own and pushed as a delta to the topic
`monitor` of this process's own bus; other ranges and filters are calculated when asked for and kept for a moment. None
of it is on the way in.

What flushes tell on the live bus only says that it is worth looking: every number is read from the store, where the
version in each partition's mark shows what changed. So a delta that was lost, doubled or overtaken leaves no trace, and
while none arrive the store is polled more slowly, and the snapshot says so (`monitor.polling_ms`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Literal, Protocol, get_args

import structlog
from msgspec.structs import replace

from actors.errors import RejectedError, RetriableError
from services.health.board import EVERYTHING, SUSPECTED_MS, Readings, Scope, aged, build, in_scope
from services.health.heartbeats import Heartbeats
from services.health.incidents import Incident, group
from services.health.mutes import MOST_IN_FORCE, in_force
from services.health.paced import Paced
from services.health.samples import Samples
from services.health.series import LiveSeries, Point, minute_points
from services.health.snapshot import Counted, Snapshot, delta
from services.health.traffic import MINUTE_MS, RecentTraffic, Total, nothing, split, total
from services.health.watchdog import Watchdog
from storage.ports import HealthStore, MuteStore
from storage.records import AnomalyCount, AnomalyFilter, MinuteRow, Mute, PartitionMark
from streams.bus import Bus, LocalBus
from streams.deltas import TOPIC as DELTAS

log = structlog.get_logger(__name__)

Range = Literal["15m", "1h", "6h", "24h"]
RANGES_MS: dict[str, int] = {
    "15m": 15 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "24h": 1440 * MINUTE_MS,
}
STEPS_MS: dict[str, int] = {"15m": MINUTE_MS, "1h": MINUTE_MS, "6h": 5 * MINUTE_MS, "24h": 15 * MINUTE_MS}
KEPT_S: dict[str, float] = {"15m": 2, "1h": 5, "6h": 20, "24h": 60}
"""How long a snapshot made on demand is served again, by range."""
TOPIC = "monitor"
PERIOD_S = 0.5
QUIET_PERIOD_S = 1.0
"""Without news from the live bus nothing was saved, but time passes: ages and alarms change."""
POLL_PERIOD_S = 2.0
"""While the live bus is interrupted."""
IDLE_PERIOD_S = 5.0
REST = 2
"""A refresh is followed by at least this many times its duration of rest, so that a busy machine is not made busier."""
LIVE_STEP_MS = 5_000
DAY_MS, WEEK_MS = 86_400_000, 7 * 86_400_000
HOUR_MS = 3_600_000
VARIANTS_MOST = 64
SPARK_POINTS = 60
SPARK_STEP_MS = 15_000


class MonitorStore(HealthStore, MuteStore, Protocol):
    """The parts of a store used here."""


class Checks(Protocol):
    """What the monitor asks of the engines."""

    def checked_channels(self, bound: set[str]) -> set[str]:
        """Those of these channels (keys) that an engine looks after."""
        ...

    def applied_unsaved(self) -> bool:
        """Whether what waits is applied already and only waits to be saved."""
        ...


class Monitor:
    """Keeps the snapshot. `start` and `stop` its task, or call `refresh` yourself.

    `bus` is where the snapshots go, for the screens of this process alone, since each monitor numbers its own. `deltas`
    is the bus that the engines tell their flushes on, wherever they run; without one the store is polled all the time.
    """

    def __init__(
        self,
        *,
        store: MonitorStore,
        bus: LocalBus,
        heartbeats: Heartbeats,
        watchdog: Watchdog,
        clock: Callable[[], int],
        checks: Checks | None = None,
        partitions: int = 1,
        watching: Callable[[], bool] = lambda: True,
        deltas: Bus | None = None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._heartbeats = heartbeats
        self._watchdog = watchdog
        self._clock = clock
        self._checks = checks
        self._partitions = partitions
        self._watching = watching
        self._deltas = deltas
        self._news = asyncio.Event()
        self._traffic = RecentTraffic()
        self._series = LiveSeries(RANGES_MS["15m"], LIVE_STEP_MS)
        self._samples = Samples(store)
        self._marks: dict[int, PartitionMark] = {}
        self._troubled: dict[str, int] = {}
        self._risk: deque[tuple[int, int]] = deque(maxlen=SPARK_POINTS)
        self._seq = 0
        self._lock = asyncio.Lock()
        self._current: Snapshot | None = None
        self._variants: OrderedDict[tuple[str, Scope], tuple[float, Snapshot, list[Mute]]] = OrderedDict()
        self._making: dict[tuple[str, Scope], asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._asked = 0.0
        every = AnomalyFilter()
        self._channels = Paced(store.channels, 0.4)
        self._unresolved = Paced(lambda: store.anomaly_counts(replace(every, unresolved=True)), 0.4)
        self._lost_long = Paced(lambda: store.anomaly_counts(self._losses(unresolved=True)), 1)
        self._lost_day = Paced(lambda: store.anomaly_counts(self._losses(unresolved=False)), 2)
        self._sla = Paced(lambda: store.sla_counts(clock()), 1)
        self._ledger = Paced(store.ledger, 0.4)
        self._mutes = Paced(lambda: store.mutes(MOST_IN_FORCE), 0.4)
        self._week = Paced(self._last_week, 60)
        self._opened = {name: Paced(self._opened_reader(name), 0.4) for name in RANGES_MS}
        self._live_anomalies = Paced(self._opened_by_live_step, 0.9)

    async def start(self) -> None:
        """Take the first snapshot and keep it fresh until `stop`."""
        self._tasks = [asyncio.create_task(self._run(), name="monitor")]
        if self._deltas is not None:
            self._tasks.append(asyncio.create_task(self._listen(self._deltas), name="monitor: live bus"))

    async def stop(self) -> None:
        """Stop refreshing."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    async def snapshot(self, range_: str = "15m", platform: str | None = None, account: str | None = None) -> Snapshot:
        """The screen for a range (15m, 1h, 6h, 24h) and a filter, at most a few seconds old. Raises RejectedError."""
        if range_ not in RANGES_MS:
            raise RejectedError(f"range: one of {', '.join(get_args(Range))}, not {range_[:32]!r}")
        self._asked = monotonic()
        current = self._current or await self.refresh()
        scope = Scope(platform=platform or None, account=account or None)
        if (range_, scope) != ("15m", EVERYTHING):
            current = await self._variant(range_, scope)
        return aged(current, self._watchdog.verdict, self._clock())

    async def incidents(self, range_: str = "15m") -> list[Incident]:
        """Every incident of the range, hidden ones too, as of now."""
        unresolved = await self._unresolved.get()
        mutes = in_force(await self._mutes.get(), self._clock())
        return group(unresolved, await self._opened[range_].get(), mutes)

    async def refresh(self) -> Snapshot:
        """Take a new snapshot now and publish its delta."""
        async with self._lock:
            now = self._clock()
            await self._look_at_coverage()
            await self._look_at_traffic(now)
            readings = await self._read(now, "15m", EVERYTHING)
            self._seq += 1
            fresh = await self._described(await asyncio.to_thread(build, readings, EVERYTHING, self._seq))
            self._remember(fresh, now)
            self._current = replace(fresh, tiles=replace(fresh.tiles, at_risk=self._with_spark(fresh)))
            self._heartbeats.beat("monitor")
            await self._bus.publish(TOPIC, delta(self._current))
            return self._current

    async def _run(self) -> None:
        while True:
            began = monotonic()
            try:
                await self.refresh()
            except RetriableError as wrong:
                log.warning("monitor_not_refreshed", reason=str(wrong))
            except Exception:
                # A monitor that ends here would leave an old picture on the screen: say it and try again.
                log.exception("monitor_refresh_failed")
            took = monotonic() - began
            await asyncio.sleep(max(REST * took, PERIOD_S - took))
            await self._until_due(began)

    async def _until_due(self, began: float) -> None:
        """Wait until a flush is told, or what was read at `began` (monotonic, s) is old enough to be read again."""
        if not (self._watching() or monotonic() - self._asked < IDLE_PERIOD_S):
            await asyncio.sleep(began + IDLE_PERIOD_S - monotonic())
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(began + self._period() - monotonic()):
                    await self._news.wait()
        self._news.clear()

    def _period(self) -> float:
        """How old (s) the snapshot may grow without news while somebody watches."""
        if self._deltas is None:
            return PERIOD_S
        return QUIET_PERIOD_S if self._deltas.trouble is None else POLL_PERIOD_S

    async def _listen(self, deltas: Bus) -> None:
        """Hear of every flush, and of those that may have been missed: both are a reason to look."""
        ear = deltas.subscribe(DELTAS)
        try:
            async for _ in ear:
                self._news.set()
        finally:
            ear.close()

    async def _look_at_coverage(self) -> None:
        """Tell the watchdog which channels are looked after."""
        bound = {c.key for c in await self._channels.get()}
        checked = bound if self._checks is None else self._checks.checked_channels(bound)
        self._watchdog.tell_coverage(len(bound), len(checked))

    async def _look_at_traffic(self, now: int) -> None:
        """Read the minutes that may have changed since the last look."""
        marks = {m.partition: m for m in await self._store.marks()}
        rows = await self._rows(self._changed_since(marks, now), now + DAY_MS)
        self._series.observe(self._traffic.update(rows, now), now)
        self._marks = marks

    def _changed_since(self, marks: dict[int, PartitionMark], now: int) -> int:
        """Minutes before this time (ms) are as they were: a partition only changes minutes from its own time on."""
        if not self._marks:
            return now - HOUR_MS
        times = [
            self._marks[p].time if p in self._marks else now - HOUR_MS
            for p, mark in marks.items()
            if p not in self._marks or mark.version != self._marks[p].version
        ]
        return max(now - HOUR_MS, min(times, default=now) - MINUTE_MS)

    async def _rows(self, since: int, until: int, channel: str | None = None) -> list[MinuteRow]:
        return await self._store.minutes(since // MINUTE_MS, until // MINUTE_MS + 1, channel)

    async def _read(self, now: int, range_: str, scope: Scope) -> Readings:
        hour_began = (now - HOUR_MS) // MINUTE_MS * MINUTE_MS + MINUTE_MS
        live = range_ == "15m" and scope == EVERYTHING
        traffic, whole, points = await self._traffic_of(now, range_, scope)
        return Readings(
            now=now,
            range=range_,
            range_ms=RANGES_MS[range_],
            verdict=self._watchdog.verdict,
            checked_at=now,
            partitions=self._partitions,
            channels=await self._channels.get(),
            unresolved=await self._unresolved.get(),
            opened=await self._opened[range_].get(),
            lost_since_long=await self._lost_long.get(),
            lost_in_a_day=await self._lost_day.get(),
            traffic=traffic,
            whole=whole,
            got=self._traffic.inbound(hour_began),
            hour_began=hour_began,
            last_week=await self._week.get() if scope == EVERYTHING else None,
            p95_spark=[self._traffic.minute(m).p95 for m in range(now // MINUTE_MS - 14, now // MINUTE_MS + 1)],
            points=points,
            step_ms=LIVE_STEP_MS if live else STEPS_MS[range_],
            sla=await self._sla.get(),
            ledger=await self._ledger.get(),
            applied_unsaved=self._checks is not None and self._checks.applied_unsaved(),
            troubled_until=dict(self._troubled),
            mutes=in_force(await self._mutes.get(), now),
        )

    async def _traffic_of(self, now: int, range_: str, scope: Scope) -> tuple[dict[str, Total], Total, list[Point]]:
        """Traffic over the range by channel and in all, and the chart's points."""
        since, step = now - RANGES_MS[range_], STEPS_MS[range_]
        if range_ == "15m" and scope == EVERYTHING:
            points = self._series.points(now, await self._live_anomalies.get())
            return self._traffic.channels(since), self._traffic.span(since, now), points
        if RANGES_MS[range_] <= HOUR_MS:
            rows: Sequence[MinuteRow] = self._traffic.rows(since)
        else:
            rows = await self._rows(since, now)
        rows = [row for row in rows if in_scope(row.channel, scope)]
        where = AnomalyFilter(platform=scope.platform, account=scope.account, since=since - since % step)
        opened = by_start(await self._store.anomaly_minutes(where, step))
        # A day of many channels is a second of merging: not on the loop.
        totals, steps = await asyncio.to_thread(split, rows, step)
        whole = nothing()
        for part in steps.values():
            whole.delays.merge(part.delays)
        return totals, whole, minute_points(steps, since, now, step, opened)

    async def _variant(self, range_: str, scope: Scope) -> Snapshot:
        """A snapshot for one range and filter; those who ask at the same time share it."""
        key = (range_, scope)
        async with self._making.setdefault(key, asyncio.Lock()):
            kept, now = self._variants.get(key), self._clock()
            mutes = in_force(await self._mutes.get(), now)
            # What a mute kept quiet is told the moment it ends, however long the range is served again.
            if kept is not None and kept[2] == mutes and monotonic() - kept[0] < KEPT_S[range_]:
                return kept[1]
            readings = await self._read(now, range_, scope)
            fresh = await self._described(await asyncio.to_thread(build, readings, scope, self._seq))
            self._variants[key] = (monotonic(), fresh, mutes)
        while len(self._variants) > VARIANTS_MOST:
            self._making.pop(self._variants.popitem(last=False)[0], None)
        return fresh

    async def _described(self, snapshot: Snapshot) -> Snapshot:
        monitor = replace(snapshot.monitor, polling_ms=self._polling_ms())
        return replace(snapshot, monitor=monitor, incidents=await self._samples.describe(snapshot.incidents))

    def _polling_ms(self) -> int | None:
        """How often the store is read while the live bus is interrupted (ms); None while it is not."""
        interrupted = self._deltas is not None and self._deltas.trouble is not None
        return round(POLL_PERIOD_S * 1000) if interrupted else None

    def _remember(self, snapshot: Snapshot, now: int) -> None:
        """Which channels are in trouble now, and the course of the risk."""
        for row in snapshot.channels:
            if row.state in ("down", "slow"):
                self._troubled[row.key] = now
        slot = now // SPARK_STEP_MS
        value = snapshot.tiles.at_risk.value
        if self._risk and self._risk[-1][0] == slot:
            self._risk[-1] = (slot, value)
        else:
            self._risk.append((slot, value))

    def _with_spark(self, snapshot: Snapshot) -> Counted:
        return replace(snapshot.tiles.at_risk, spark=[value for _, value in self._risk])

    def _losses(self, *, unresolved: bool) -> AnomalyFilter:
        if unresolved:
            return AnomalyFilter(kind="loss", unresolved=True, until=self._clock() - SUSPECTED_MS)
        return AnomalyFilter(kind="loss", since=self._clock() - DAY_MS)

    def _opened_reader(self, range_: str) -> Callable[[], Any]:
        async def read() -> list[AnomalyCount]:
            return await self._store.anomaly_counts(AnomalyFilter(since=self._clock() - RANGES_MS[range_]))

        return read

    async def _opened_by_live_step(self) -> dict[int, int]:
        since = self._clock() - RANGES_MS["15m"]
        where = AnomalyFilter(since=since - since % LIVE_STEP_MS)
        return by_start(await self._store.anomaly_minutes(where, LIVE_STEP_MS))

    async def _last_week(self) -> Total:
        """The same hour a week ago."""
        middle = self._clock() - WEEK_MS
        rows = await self._rows(middle - HOUR_MS // 2, middle + HOUR_MS // 2)
        return await asyncio.to_thread(total, rows)


def by_start(buckets: list[tuple[int, str, int]]) -> dict[int, int]:
    """Anomalies of all kinds by bucket start (ms)."""
    result: dict[int, int] = {}
    for start, _, count in buckets:
        result[start] = result.get(start, 0) + count
    return result
