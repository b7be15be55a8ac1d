"""What other thresholds would have found, before they are in force: stored events through the same engine, twice.

The log's frames are streamed to a worker process (`services.tuning.preview_worker`), so the live process only reads; a
preview ends with the request that asked for it, with a newer one of the same person, or with its time limit.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec import Struct

from actors.anomaly import KINDS
from actors.errors import RejectedError, RetriableError
from actors.thresholds import BY_NAME, ThresholdSet
from services.errors import ConflictError
from services.health.board import Scope, in_scope
from services.health.measures import MEASURED, MeasureQuestion, Point
from services.health.traffic import MINUTE_MS, Total, by_step
from services.tuning.backtest import Findings, Question
from services.tuning.preview_worker import encode, encode_record, framed
from services.tuning.thresholds import Assignment, proposed
from storage.ports import HealthStore
from storage.records import AnomalyFilter, MinuteRow
from streams.ports import LogReader

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

DAY_MS = 86_400_000
WARM_UP_MS = DAY_MS
LONGEST_MS = 31 * DAY_MS
LIMIT_S = 60.0
POINTS = 120
LAST_WORDS = 2_000
AT_ONCE = 2
END_OF_PARTITION = framed(b"")
ROOT = Path(__file__).resolve().parent.parent


class PreviewFailedError(RetriableError):
    """The worker ended without an answer; the log has its last words."""


class Effect(Struct, frozen=True, kw_only=True):
    """Anomalies by kind: found with the thresholds in force, with the proposed ones, and those `stored` in the period.

    `partial`: the time limit came first, and `current` and `proposed` are of a part of the channels only.
    """

    since: int
    until: int
    current: dict[str, int]
    proposed: dict[str, int]
    stored: dict[str, int]
    events: int
    partial: bool


class History(Struct, frozen=True, kw_only=True):
    """How long things really took: [start, median, 95th percentile, largest, count] by step, all in ms."""

    name: str
    scope: str
    since: int
    until: int
    step_ms: int
    points: list[Point]
    partial: bool = False


class Preview:
    """Answers the thresholds studio."""

    def __init__(
        self,
        *,
        store: HealthStore,
        reader: LogReader,
        current: Callable[[], ThresholdSet],
        clock: Callable[[], int],
        limit_s: float = LIMIT_S,
    ) -> None:
        self._store = store
        self._reader = reader
        self._current = current
        self._clock = clock
        self._limit_s = limit_s
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asking: dict[tuple[str, str], asyncio.Task[Any]] = {}

    async def effect(
        self, changes: Sequence[Assignment], *, since: int | None = None, until: int | None = None, who: str = ""
    ) -> Effect:
        """What the changes would have done over [since, until) in ms, the last day by default.

        Raises RejectedError for a wrong change or period, PreviewFailedError, ConflictError when superseded.
        """
        start, end = self._period(since, until)
        current = self._current()
        question = Question(current=current, proposed=proposed(current, changes), since=start, until=end)
        raw, partial = await self._latest(("effect", who), self._ask(question, start - WARM_UP_MS, end))
        found = msgspec.msgpack.decode(raw, type=Findings)
        stored: dict[str, int] = dict.fromkeys(KINDS, 0)
        for count in await self._store.anomaly_counts(AnomalyFilter(since=start, until=end)):
            stored[count.kind] += count.count
        return Effect(
            since=start,
            until=end,
            current=found.current,
            proposed=found.proposed,
            stored=stored,
            events=found.events,
            partial=partial,
        )

    async def history(
        self, name: str, *, scope: str = "", since: int | None = None, until: int | None = None, who: str = ""
    ) -> History:
        """The measure of a threshold in seconds over [since, until) in ms; no points where there is none.

        Raises RejectedError, PreviewFailedError, ConflictError when superseded.
        """
        if name not in BY_NAME:
            raise RejectedError(f"name: one of {', '.join(BY_NAME)}, not {name[:64]!r}")
        start, end = self._period(since, until)
        step = step_of(await self._first_heard(start), end)
        points: list[Point] = []
        partial = False
        if name == "delay.threshold_s":
            points = await self._delays(scope, start, end, step)
        elif name in MEASURED:
            question = MeasureQuestion(name=name, scope=scope, since=start, until=end, step_ms=step)
            raw, partial = await self._latest(("history", who), self._ask(question, start - MINUTE_MS, end))
            points = msgspec.msgpack.decode(raw, type=list[Point])
        return History(name=name, scope=scope, since=start, until=end, step_ms=step, points=points, partial=partial)

    async def _first_heard(self, since: int) -> int:
        """From when on there can be anything to show (ms)."""
        return max(since, min((c.first_at for c in await self._store.channels()), default=since))

    def _period(self, since: int | None, until: int | None) -> tuple[int, int]:
        end = self._clock() if until is None else until
        start = end - DAY_MS if since is None else since
        if not 0 < end - start <= LONGEST_MS:
            raise RejectedError("since: must be before until, by at most 31 days")
        return start, end

    async def _latest(self, key: tuple[str, str], work: Coroutine[Any, Any, Answer]) -> Answer:
        """The work's result; a newer question of the same person ends it with ConflictError."""
        task = asyncio.ensure_future(work)
        older = self._asking.pop(key, None)
        if older is not None:
            older.cancel()
        self._asking[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise ConflictError("a newer preview of the same person took its place") from None
        finally:
            if self._asking.get(key) is task:
                del self._asking[key]

    async def _delays(self, scope: str, since: int, until: int, step: int) -> list[Point]:
        """Delays are kept by the minute already."""
        rows = await self._store.minutes(since // MINUTE_MS, until // MINUTE_MS + 1)
        chosen = [row for row in rows if _of_scope(row, scope)]
        totals = await asyncio.to_thread(by_step, chosen, step)
        return [_delay_point(at, part) for at, part in sorted(totals.items()) if part.delays.buckets]

    async def _ask(self, question: Question | MeasureQuestion, since: int, until: int) -> tuple[bytes, bool]:
        """The worker's answer to a question about the records accepted in [since, until), and whether it is partial."""
        async with self._turns:
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.tuning.preview_worker", stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
            )
            try:
                return await self._converse(worker, question, since, until)
            finally:
                if worker.returncode is None:
                    worker.kill()
                    await worker.wait()

    async def _converse(
        self, worker: Process, question: Question | MeasureQuestion, since: int, until: int
    ) -> tuple[bytes, bool]:
        if worker.stdin is None or worker.stdout is None or worker.stderr is None:
            raise PreviewFailedError("the preview's process has no pipes")
        answer = asyncio.ensure_future(worker.stdout.read())
        last_words = asyncio.ensure_future(worker.stderr.read())
        partial = False
        try:
            with suppress(ConnectionError):  # a worker that has died says why on its standard error
                worker.stdin.write(framed(encode(question)))
                partial = await self._send(worker.stdin, since, until)
                worker.stdin.close()
            raw = await answer
            if await worker.wait() != 0 or not raw:
                said = (await last_words)[-LAST_WORDS:].decode("utf-8", "replace")
                log.error("preview_failed", status=worker.returncode, said=said)
                raise PreviewFailedError("the preview failed, see the log; try again with a shorter period")
            return raw, partial
        finally:
            answer.cancel()
            last_words.cancel()

    async def _send(self, pipe: asyncio.StreamWriter, since: int, until: int) -> bool:
        """Every record of the period, partition by partition; True when the time limit came first."""
        ends = monotonic() + self._limit_s
        for position in await self._reader.positions():
            async for record in self._reader.records(position.partition, position.start, since, until):
                pipe.write(encode_record(record))
                await pipe.drain()
                if monotonic() > ends:
                    pipe.write(END_OF_PARTITION)
                    return True
            pipe.write(END_OF_PARTITION)
        await pipe.drain()
        return False


def step_of(since: int, until: int) -> int:
    """Whole minutes (ms) that cut the span into at most POINTS steps."""
    return max(1, -(-(until - since) // (POINTS * MINUTE_MS))) * MINUTE_MS


def _of_scope(row: MinuteRow, scope: str) -> bool:
    if not scope:
        return True
    return row.channel == scope or in_scope(row.channel, Scope(platform=scope))


def _delay_point(at: int, part: Total) -> Point:
    return Point(at, part.p50 or 0, part.p95 or 0, round(part.delays.quantile(1) or 0), part.delays.count)
