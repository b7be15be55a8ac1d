"""What keeps Weir from being ready, and the figures for Prometheus."""

import asyncio
import shutil
from pathlib import Path

import structlog

from actors.errors import RetriableError
from services.watchdog import Verdict, Watchdog, sentence
from storage.ports import HealthStore
from storage.records import AnomalyFilter
from streams.app import Runtime
from streams.gateway import FramingGateway
from weir.metrics import Metrics

COUNTED_EVERY_S = 5.0
_log = structlog.get_logger(__name__)


class Vitals:
    """Knows how the parts of one process are."""

    def __init__(
        self,
        *,
        store: HealthStore,
        gateway: FramingGateway,
        runtime: Runtime,
        watchdog: Watchdog,
        data: Path,
    ) -> None:
        self.metrics = Metrics()
        self.accepting = False
        self._store = store
        self._gateway = gateway
        self._runtime = runtime
        self._watchdog = watchdog
        self._data = data
        self._counted = -COUNTED_EVERY_S

    def unready(self) -> list[str]:
        """What keeps Weir from being ready; empty when it is."""
        health = self._runtime.health()
        reasons: list[str] = []
        if not self.accepting:
            reasons.append("Weir is starting or stopping")
        if not health.running or not health.ready:
            reasons.append("the engines are not loaded yet")
        if health.trouble:
            reasons.append(health.trouble)
        return [*reasons, *hindrances(self._watchdog.verdict)]

    def observe_batch(self, accepted: int, rejected: int) -> None:
        """Count what came in over HTTP."""
        self.metrics.count("weir_events_accepted", accepted)
        self.metrics.count("weir_events_rejected", rejected)

    def observe_response(self, code: int) -> None:
        """Count an HTTP response."""
        self.metrics.count("weir_http_responses", 1, str(code))

    async def exposition(self) -> bytes:
        """The figures of this moment."""
        self._read_process()
        if asyncio.get_running_loop().time() - self._counted > COUNTED_EVERY_S:
            try:
                await self._read_store()
            except RetriableError as busy:
                _log.warning("figures of the database are those of before", reason=str(busy))
        return self.metrics.exposition()

    def _read_process(self) -> None:
        metrics, health, verdict = self.metrics, self._runtime.health(), self._watchdog.verdict
        metrics.set("weir_ready", not self.unready())
        metrics.set("weir_gateway_waiting_events", self._gateway.waiting_events)
        metrics.set("weir_clock_jump_seconds", self._gateway.clock_jump_ms / 1000)
        metrics.replace("weir_log_lag_records", {(str(p),): lag for p, lag in health.lag.items()})
        metrics.set("weir_oldest_unprocessed_seconds", (verdict.backlog.oldest_ms or 0) / 1000)
        metrics.set("weir_unsaved_events", health.unsaved)
        metrics.replace("weir_events_processed", {(): health.processed})
        metrics.set("weir_event_loop_lag_seconds", verdict.loop_lag_ms / 1000)
        metrics.replace("weir_part_alive", {(beat.part,): beat.ok for beat in verdict.beats})
        metrics.set("weir_channels_bound", verdict.channels_bound)
        metrics.set("weir_channels_checked", verdict.channels_checked)
        metrics.set("weir_disk_free_bytes", shutil.disk_usage(self._data).free)

    async def _read_store(self) -> None:
        metrics = self.metrics
        unresolved: dict[tuple[str, ...], float] = {}
        for row in await self._store.anomaly_counts(AnomalyFilter(unresolved=True)):
            labels = (row.kind, row.severity)
            unresolved[labels] = unresolved.get(labels, 0) + row.count
        metrics.replace("weir_anomalies_unresolved", unresolved)
        states: dict[tuple[str, ...], float] = {}
        for counts in (await self._store.sla_counts(self._gateway.now())).values():
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
        self._counted = asyncio.get_running_loop().time()


def hindrances(verdict: Verdict) -> list[str]:
    """What the watchdog finds that speaks against sending Weir more, as sentences.

    A backlog does not: the log takes events durably while the engine catches up, and a load balancer that cut them off
    would lose or delay what the log would have kept. The monitor and the figures tell of it.
    """
    return [sentence(alarm) for alarm in verdict.alarms if alarm.severity == "critical" and alarm.kind != "queue"]
