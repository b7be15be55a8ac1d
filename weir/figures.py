"""Where the figures of weir/metrics.py come from: one reading per part; a role takes those of the parts it has."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from actors.thresholds import ThresholdSet
from services.health.fleet import Fleet
from services.health.watchdog import Watchdog
from storage.ports import HealthStore
from storage.records import AnomalyFilter
from streams.app import Runtime
from weir.metrics import Metrics
from weir.parts.live import Live
from weir.parts.log import LogGateway
from weir.version import VERSION

Reading = Callable[[Metrics], None]


def of_process(role: str, thresholds: Callable[[], ThresholdSet] | None = None) -> Reading:
    """What this process is."""

    def read(metrics: Metrics) -> None:
        metrics.set("weir_process", 1, role, VERSION)
        if thresholds is not None:
            metrics.set("weir_thresholds_version", thresholds().version)

    return read


def of_gateway(gateway: LogGateway) -> Reading:
    """What comes in."""

    def read(metrics: Metrics) -> None:
        metrics.set("weir_gateway_waiting_events", gateway.waiting_events)
        metrics.set("weir_clock_jump_seconds", gateway.clock_jump_ms / 1000)

    return read


def of_engines(runtime: Runtime, now: Callable[[], int]) -> Reading:
    """What this process's engines do."""

    def read(metrics: Metrics) -> None:
        health = runtime.health()
        metrics.replace("weir_log_lag_records", {(str(p),): lag for p, lag in health.lag.items()})
        metrics.set("weir_unsaved_events", health.unsaved)
        metrics.replace("weir_events_processed", {(): health.processed})
        metrics.replace(
            "weir_watermark_behind_seconds",
            {(str(p),): max(0, now() - time) / 1000 for p, time in health.watermark.items() if time},
        )
        metrics.set("weir_partitions", len(health.assigned) - len(health.loading), "loaded")
        metrics.set("weir_partitions", len(health.loading), "loading")
        metrics.replace("weir_saves", {(): health.flushes})
        metrics.replace("weir_rebalances", {(): health.rebalances})

    return read


def of_watchdog(watchdog: Watchdog) -> Reading:
    """What the watchdog finds, but for what waits."""

    def read(metrics: Metrics) -> None:
        verdict = watchdog.verdict
        metrics.set("weir_event_loop_lag_seconds", verdict.loop_lag_ms / 1000)
        metrics.replace("weir_part_alive", {(beat.part,): beat.ok for beat in verdict.beats})

    return read


def of_monitor(watchdog: Watchdog) -> Reading:
    """What waits, and how many channels are looked after: known where there is a monitor."""

    def read(metrics: Metrics) -> None:
        verdict = watchdog.verdict
        metrics.set("weir_oldest_unprocessed_seconds", (verdict.backlog.oldest_ms or 0) / 1000)
        metrics.set("weir_channels_bound", verdict.channels_bound)
        metrics.set("weir_channels_checked", verdict.channels_checked)

    return read


def of_fleet(fleet: Fleet) -> Reading:
    """Which processes there are."""

    def read(metrics: Metrics) -> None:
        counts: dict[tuple[str, ...], float] = {}
        for seen in fleet.living():
            counts[seen.beat.role,] = counts.get((seen.beat.role,), 0) + 1
        metrics.replace("weir_processes", counts)
        metrics.set("weir_processes_in_trouble", sum(bool(seen.report.troubles) for seen in fleet.living()))
        metrics.set("weir_partitions_forsaken", len(fleet.forsaken()))

    return read


def of_live(live: Live) -> Reading:
    """Whether the live bus works."""

    def read(metrics: Metrics) -> None:
        metrics.set("weir_live_bus_up", live.bus.trouble is None)
        metrics.replace("weir_live_bus_lost", {(): live.lost})

    return read


def of_disk(folder: Path) -> Reading:
    """How much room the data folder has."""

    def read(metrics: Metrics) -> None:
        metrics.set("weir_disk_free_bytes", shutil.disk_usage(folder).free)

    return read


class StoreFigures:
    """What the store tells; asked seldom, since it costs queries."""

    def __init__(self, store: HealthStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def read(self, metrics: Metrics) -> None:
        """Ask the store. Raises RetriableError."""
        unresolved: dict[tuple[str, ...], float] = {}
        for row in await self._store.anomaly_counts(AnomalyFilter(unresolved=True)):
            labels = (row.kind, row.severity)
            unresolved[labels] = unresolved.get(labels, 0) + row.count
        metrics.replace("weir_anomalies_unresolved", unresolved)
        states: dict[tuple[str, ...], float] = {}
        for counts in (await self._store.sla_counts(self._now())).values():
            for state, count in counts.items():
                states[state,] = states.get((state,), 0) + count
        metrics.replace("weir_sla_conversations", states)
        total = {"accepted": 0, "stored": 0, "duplicates": 0, "rejected": 0}
        for row in await self._store.ledger():
            for name in total:
                total[name] += getattr(row, name)
        metrics.replace("weir_ledger_events", {(name,): value for name, value in total.items()})
        imbalance = total["accepted"] - total["stored"] - total["duplicates"] - total["rejected"]
        metrics.set("weir_ledger_imbalance", imbalance)
