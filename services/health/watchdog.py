"""Watches the watchers, in a thread of its own: a blocked loop, a stopped engine and a silent monitor are noticed.

The verdict is an immutable record that anybody may read at any time (readiness, metrics, the monitor's banner); it is
also written to a file, so that it can be read when the web server answers nobody.
"""

from __future__ import annotations

import sys
import threading
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import msgspec
import structlog
from msgspec import Struct

from services.health.backlog import Reading
from services.health.heartbeats import Beat, Heartbeats

log = structlog.get_logger(__name__)

PERIOD_S = 1.0
WAIT_LIMIT_MS = 30_000
"""A record that waits longer than this to be processed raises the `queue` alarm."""
WAIT_CRITICAL_MS = 120_000
LOOP_LIMIT_MS = 2_000
"""An event loop that does not answer for this long raises the `loop` alarm."""
FILE_PERIOD_S = 5.0
STACK_FRAMES = 12


class Alarm(Struct, frozen=True, kw_only=True):
    """One trouble of Weir itself: `stopped` (a part), `queue`, `loop` or `coverage`; `since` in ms."""

    kind: str
    severity: str
    since: int
    evidence: dict[str, int | str] = {}


class Verdict(Struct, frozen=True, kw_only=True):
    """The watchdog's view at `at` (ms). `silent_since`: from when on nothing on the screen can be believed, or None."""

    at: int
    beats: list[Beat]
    alarms: list[Alarm]
    backlog: Reading
    channels_bound: int = 0
    channels_checked: int = 0
    loop_lag_ms: int = 0
    silent_since: int | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing critical is wrong."""
        return not any(alarm.severity == "critical" for alarm in self.alarms)

    def problems(self) -> list[str]:
        """Every alarm as a sentence, for readiness and the log."""
        return [sentence(alarm) for alarm in self.alarms]


def judge(beats: list[Beat], backlog: Reading, coverage: tuple[int, int], loop: tuple[int, int], now: int) -> Verdict:
    """The verdict at `now` (ms). `coverage`: channels (bound, checked); `loop`: (its lag in ms, since when). Pure."""
    alarms = [
        Alarm(kind="stopped", severity="critical", since=b.at, evidence={"part": b.part}) for b in beats if not b.ok
    ]
    oldest = backlog.oldest_ms or 0
    if oldest > WAIT_LIMIT_MS or backlog.stuck:
        severity = "critical" if oldest > WAIT_CRITICAL_MS or backlog.stuck else "warning"
        evidence: dict[str, int | str] = {
            "accepted": backlog.accepted,
            "processed": backlog.processed,
            "oldest_ms": oldest,
            "partitions_stuck": len(backlog.stuck),
        }
        since = min(backlog.stuck.values(), default=now - oldest)
        alarms.append(Alarm(kind="queue", severity=severity, since=since, evidence=evidence))
    bound, checked = coverage
    if checked < bound:
        alarms.append(
            Alarm(kind="coverage", severity="critical", since=now, evidence={"bound": bound, "checked": checked})
        )
    lag, blocked_since = loop
    if lag > LOOP_LIMIT_MS:
        alarms.append(Alarm(kind="loop", severity="critical", since=blocked_since, evidence={"lag_ms": lag}))
    blind = [b.at for b in beats if not b.ok]
    return Verdict(
        at=now,
        beats=beats,
        alarms=alarms,
        backlog=backlog,
        channels_bound=bound,
        channels_checked=checked,
        loop_lag_ms=lag,
        silent_since=min(blind, default=None),
    )


def sentence(alarm: Alarm) -> str:
    """What is wrong and what to do, in one sentence."""
    e = alarm.evidence
    match alarm.kind:
        case "stopped":
            return (
                f"the {e['part']} has given no sign of life since {alarm.since} (ms);"
                " look for its last error in the log and restart Weir"
            )
        case "queue":
            return (
                f"accepted {e['accepted']} log records, processed {e['processed']},"
                f" the oldest waits for {e['oldest_ms']} ms;"
                " look for errors of the engine or the database in the log"
            )
        case "coverage":
            return (
                f"{e['bound']} channels are bound but only {e['checked']} are checked;"
                " look in the log for the partition that does not run"
            )
        case _:
            return f"the event loop has not answered for {e.get('lag_ms', 0)} ms; the log has the place where it hangs"


class Watchdog:
    """The thread. The event loop's side tells it of the log and the coverage; everything else it finds out itself."""

    def __init__(
        self,
        heartbeats: Heartbeats,
        clock: Callable[[], int],
        file: Path | None = None,
        *,
        period_s: float = PERIOD_S,
    ) -> None:
        self._heartbeats = heartbeats
        self._clock = clock
        self._file = file
        self._period_s = period_s
        self._backlog = Reading(at=clock(), accepted=0, processed=0)
        self._coverage = (0, 0)
        self._ping: tuple[int, bool] = (clock(), True)
        self._lag = 0
        self._loop: AbstractEventLoop | None = None
        self._loop_thread = 0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._written = 0.0
        self.verdict = self._judge()

    def start(self, loop: AbstractEventLoop) -> None:
        """Begin to watch; called from the event loop's own thread."""
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; returns when the thread has ended."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def tell_backlog(self, backlog: Reading) -> None:
        """The latest reading of the log."""
        self._backlog = backlog

    def tell_coverage(self, bound: int, checked: int) -> None:
        """How many channels there are, and how many of them are looked after."""
        self._coverage = (bound, checked)

    def look(self) -> Verdict:
        """Judge once, now; what the thread does every second."""
        self._ping_loop()
        self._heartbeats.beat("watchdog")
        self.verdict = self._judge()
        self._report(self.verdict)
        return self.verdict

    def _run(self) -> None:
        while not self._end.wait(self._period_s):
            try:
                self.look()
            except Exception:
                # A thread that dies here would be the very silence it is to notice: say it and look again.
                log.exception("watchdog_look_failed")

    def _ping_loop(self) -> None:
        """Ask the loop for a sign of life; the age of an unanswered question is its lag."""
        sent, answered = self._ping
        now = self._clock()
        if not answered:
            self._lag = now - sent
            return
        if self._loop is None or self._loop.is_closed():
            return
        self._ping = (now, False)
        try:
            self._loop.call_soon_threadsafe(self._pong, now)
        except RuntimeError:  # the loop closed in between: nothing to ask any more
            self._ping = (now, True)

    def _pong(self, sent: int) -> None:
        self._lag = self._clock() - sent
        self._ping = (sent, True)

    def _judge(self) -> Verdict:
        now = self._clock()
        return judge(self._heartbeats.read(now), self._backlog, self._coverage, (self._lag, self._ping[0]), now)

    def _report(self, verdict: Verdict) -> None:
        """Each alarm is logged once when it begins and once when it ends; the file is written every few seconds."""
        current = {f"{a.kind}:{a.evidence.get('part', '')}" for a in verdict.alarms}
        for alarm, problem in zip(verdict.alarms, verdict.problems(), strict=True):
            if f"{alarm.kind}:{alarm.evidence.get('part', '')}" not in self._said:
                hangs_at = self._loop_stack() if alarm.kind == "loop" else None
                log.error(
                    "watchdog_alarm", kind=alarm.kind, severity=alarm.severity, problem=problem, hangs_at=hangs_at
                )
        for name in self._said - current:
            log.warning("watchdog_alarm_over", kind=name)
        self._said = current
        if self._file is not None and monotonic() - self._written >= FILE_PERIOD_S:
            self._write(self._file, verdict)

    def _write(self, file: Path, verdict: Verdict) -> None:
        self._written = monotonic()
        fresh = file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(verdict))
            fresh.replace(file)
        except OSError as wrong:
            log.warning("watchdog_file_not_written", file=str(file), reason=str(wrong))

    def _loop_stack(self) -> list[str]:
        """Where the event loop's thread is right now."""
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 # the only way to see another thread's stack
        return [] if frame is None else [line.strip() for line in traceback.format_stack(frame)[-STACK_FRAMES:]]
