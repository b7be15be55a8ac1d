"""What keeps a process from being ready, and its figures for Prometheus."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from actors.errors import RetriableError
from services.health.watchdog import Verdict, Watchdog, sentence
from streams.app import Runtime
from weir.figures import Reading
from weir.metrics import Metrics

COUNTED_EVERY_S = 5.0
_log = structlog.get_logger(__name__)


class Vitals:
    """Knows how the parts of one process are.

    Args:
        reasons: each tells as sentences what keeps the process from being ready, nothing when all is well.
        readings: each puts down figures of a part of this process.
        dear: puts down figures that cost queries; asked every few seconds at most.

    """

    def __init__(
        self,
        *,
        reasons: Sequence[Callable[[], list[str]]],
        readings: Sequence[Reading],
        dear: Callable[[Metrics], Awaitable[None]] | None = None,
    ) -> None:
        self.metrics = Metrics()
        self.accepting = False
        """Whether the process has started and is not stopping."""
        self._reasons = reasons
        self._readings = list(readings)
        self._dear = dear
        self._counted = -COUNTED_EVERY_S

    def add(self, readings: Sequence[Reading]) -> None:
        """Further figures of parts of this process; those that stand for the same thing are put down first."""
        self._readings = [*readings, *self._readings]

    def unready(self) -> list[str]:
        """What keeps the process from being ready; empty when it is."""
        stopped = [] if self.accepting else ["Weir is starting or stopping"]
        return stopped + [reason for reasons in self._reasons for reason in reasons()]

    def observe_batch(self, accepted: int, rejected: int) -> None:
        """Count what came in over HTTP."""
        self.metrics.count("weir_events_accepted", accepted)
        self.metrics.count("weir_events_rejected", rejected)

    def observe_webhook(self, outcome: str, count: int) -> None:
        """Count what became of a platform's webhook."""
        self.metrics.count("weir_webhooks", count, outcome)

    def observe_reply(self, platform: str, state: str) -> None:
        """Count what became of a reply of ours."""
        self.metrics.count("weir_replies", 1, platform, state)

    def observe_pointer(self, outcome: str) -> None:
        """Count what became of something that a webhook only named."""
        self.metrics.count("weir_pointers", 1, outcome)

    def observe_sweep(self, outcome: str, count: int) -> None:
        """Count what comparing with the platforms found."""
        self.metrics.count("weir_sweeps", count, outcome)

    def observe_attachment(self, outcome: str) -> None:
        """Count what became of a customer's file."""
        self.metrics.count("weir_attachments", 1, outcome)

    def observe_mail(self, outcome: str, count: int) -> None:
        """Count mails read and attempts to read a mailbox that failed."""
        self.metrics.count("weir_mails", count, outcome)

    def observe_queue(self, outcome: str, count: int) -> None:
        """Count what was drawn from platforms' queues and attempts that failed."""
        self.metrics.count("weir_queues", count, outcome)

    def observe_authorisation(self, outcome: str) -> None:
        """Count what became of looking after an authorisation."""
        self.metrics.count("weir_authorisations", 1, outcome)

    def observe_desk(self, outcome: str) -> None:
        """Count what went on between people who want the same conversation."""
        self.metrics.count("weir_inbox_desk", 1, outcome)

    def observe_response(self, code: int) -> None:
        """Count an HTTP response."""
        self.metrics.count("weir_http_responses", 1, str(code))

    async def exposition(self) -> bytes:
        """The figures of this moment."""
        self.metrics.set("weir_ready", not self.unready())
        for read in self._readings:
            read(self.metrics)
        now = asyncio.get_running_loop().time()
        if self._dear is not None and now - self._counted > COUNTED_EVERY_S:
            try:
                await self._dear(self.metrics)
                self._counted = now
            except RetriableError as busy:
                _log.warning("figures of the database are those of before", reason=str(busy))
        return self.metrics.exposition()


def engine_reasons(runtime: Runtime) -> Callable[[], list[str]]:
    """What the engines of this process suffer from."""

    def reasons() -> list[str]:
        health = runtime.health()
        found = [] if health.running and health.ready else ["the engines are not loaded yet"]
        return [*found, health.trouble] if health.trouble else found

    return reasons


def watchdog_reasons(watchdog: Watchdog, *, apart_from: Sequence[str] = ()) -> Callable[[], list[str]]:
    """What the watchdog finds; `apart_from` names parts that are not this process's own."""
    return lambda: hindrances(watchdog.verdict, apart_from)


def hindrances(verdict: Verdict, apart_from: Sequence[str] = ()) -> list[str]:
    """What the watchdog finds that speaks against sending Weir more, as sentences.

    A backlog does not: the log takes events durably while the engine catches up, and a load balancer that cut them off
    would lose or delay what the log would have kept. The monitor and the figures tell of it. For the same reason a
    web process is ready while the workers are down.
    """
    return [
        sentence(alarm)
        for alarm in verdict.alarms
        if alarm.severity == "critical"
        and alarm.kind != "queue"
        and not (apart_from and (alarm.kind == "coverage" or alarm.evidence.get("part") in apart_from))
    ]
