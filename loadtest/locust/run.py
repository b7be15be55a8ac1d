"""One load test from start to verdict, shared by all its users."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from random import Random

import gevent
import psutil
from msgspec import Struct

from actors.keys import conversation_key
from loadtest.balance import balance
from loadtest.delays import visible_after
from loadtest.deployment import Deployment
from loadtest.load import LoadOptions, Sale, sale
from loadtest.outcome import Outcome, Used, judged
from loadtest.tally import Tally
from loadtest.world import Event

RELEASE_EVERY_S = 0.01
SAMPLE_EVERY_S = 1.0
ANSWER_PATIENCE_S = 90.0
JOIN_PATIENCE_S = 60.0
PROBE_EVERY_S = 0.25
PROBE_STEP_S = 0.02
PROBE_PATIENCE_S = 60.0
SETTLE_PATIENCE_S = 120.0
SETTLED_LOOKS = 4
SETTLE_STEP_S = 0.5
GRACES_MS = 90_000
"""Longer than the longest grace: a clock so much after the sale's last event ends what still runs."""
MIB = 1 << 20


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who may log in for this test."""

    name: str
    password: str


class Run:
    """The state of one load test. `broken_off` holds the reason when it had to stop."""

    def __init__(self, options: LoadOptions, deployment: Deployment, stop: Callable[[], None]) -> None:
        self.options = options
        self.deployment = deployment
        self.tally = Tally()
        self.people: dict[str, deque[Person]] = {"agent": deque(), "supervisor": deque()}
        self.shown: list[tuple[float, int]] = []
        self.ledger_before = 0
        self.joined = 0
        self.broken_off = ""
        self.answer_ms: list[float] = []
        self.seen_ms: list[float] = []
        self.never_seen: list[str] = []
        self.used: list[Used] = []
        self._added: list[str] = []
        self._fresh: deque[tuple[float, Event]] = deque(maxlen=1)
        self._stop = stop
        self._random = Random(options.seed)  # noqa: S311 # which messages are looked for, no secret
        self._greenlets: list[gevent.Greenlet] = []
        self.sale: Sale

    def start(self, *, screens: bool) -> None:
        """Prepare the sale and the people, then let time pass."""
        newest = self.deployment.newest()
        self.sale = sale(self.options, now=int(time.time() * 1000), newest=newest)
        rows = self.deployment.ledger()
        self.ledger_before = sum(row["accepted"] for row in rows)
        if screens:
            self._add_people()
        self._greenlets = [gevent.spawn(self._release), gevent.spawn(self._look_for_messages)]
        self._greenlets.append(gevent.spawn(self._sample))

    @property
    def finished(self) -> bool:
        """Whether everything was sent, or the test had to be broken off."""
        return bool(self.broken_off) or self.sale.feed.finished

    def answered(self, took_ms: float, events: Sequence[Event], rejected: Sequence[tuple[int, str]]) -> None:
        """Count a 202."""
        at = time.monotonic()
        self.tally.answered(at, events, rejected)
        self.answer_ms.append(took_ms)
        fresh = next((e for e in reversed(events) if e["type"] == "message" and "via" not in e), None)
        if fresh is not None and "direction" in fresh and fresh["direction"] != "sideways":
            self._fresh.append((at, fresh))

    def screen_shows(self, at: float, accepted: int) -> None:
        """A screen's ledger counts so many events."""
        if not self.shown or accepted > self.shown[-1][1]:
            self.shown.append((at, accepted))

    def break_off(self, reason: str) -> None:
        """Stop: going on would measure nothing."""
        if not self.broken_off:
            self.broken_off = reason
            gevent.spawn(self._stop)

    def finish(self) -> Outcome:
        """Wait until the product has done its work, then judge. The users have stopped."""
        sent = self.sale.feed.finished
        if events := self.sale.feed.outstanding():
            self.tally.unanswered(events)
        if sent:
            self.deployment.post([{"type": "clock", "at": self.sale.last_at() + GRACES_MS}])
        settled_s = self._settle()
        gevent.killall(self._greenlets)
        ledger = self.deployment.ledger()
        found = [a for key in sorted(self.tally.channels) for a in self.deployment.anomalies(*key.split("/", 1))]
        for name in self._added:
            self.deployment.bar_person(name)
        return judged(
            options=self.options,
            sale=self.sale,
            tally=self.tally,
            balance=balance(self.tally.channels, ledger),
            found=found,
            answer_ms=self.answer_ms,
            shown_ms=visible_after(self.tally.marks, self.shown, self.ledger_before),
            seen_ms=self.seen_ms,
            never_seen=self.never_seen,
            used=self.used,
            settled_s=settled_s,
            sent=sent,
            broken_off=self.broken_off,
        )

    def _release(self) -> None:
        """Let the sale begin when everybody sits at a screen, and go on."""
        until = time.monotonic() + JOIN_PATIENCE_S
        while self.joined < len(self._added) and time.monotonic() < until:
            gevent.sleep(RELEASE_EVERY_S)
        events, changed = 0, time.monotonic()
        while not self.finished:
            self.sale.feed.release()
            if self.tally.events != events:
                events, changed = self.tally.events, time.monotonic()
            elif time.monotonic() - changed > ANSWER_PATIENCE_S and self.sale.feed.waiting:
                self.break_off(f"nothing was answered for {ANSWER_PATIENCE_S:g} s")
            gevent.sleep(RELEASE_EVERY_S)

    def _look_for_messages(self) -> None:
        """Look for one message after the other until it can be read, as an agent who was told of it would."""
        while True:
            if not self._fresh:
                gevent.sleep(PROBE_STEP_S)
                continue
            since, event = self._fresh.popleft()
            key = conversation_key(event["platform"], event["account"], event["conversation"])
            visible = self.deployment.is_visible(key, event["message"])
            while not visible and time.monotonic() - since < PROBE_PATIENCE_S:
                gevent.sleep(PROBE_STEP_S)
                visible = self.deployment.is_visible(key, event["message"])
            if visible:
                self.seen_ms.append((time.monotonic() - since) * 1000)
            else:
                self.never_seen.append(f"{key} {event['message']}")
            gevent.sleep(PROBE_EVERY_S * 2 * self._random.random())

    def _sample(self) -> None:
        """Look at the server's use of the machine every second, and at our own."""
        server = psutil.Process(self.options.pid) if self.options.pid else None
        own = psutil.Process()
        before: tuple[float, float, float] | None = None
        while True:
            busy, memory = self._server_use(server)
            now = (time.monotonic(), busy, _busy(own))
            if before is not None:
                span, cores, generator = (after - earlier for after, earlier in zip(now, before, strict=True))
                self.used.append(
                    Used(
                        at_s=self.sale.feed.elapsed_s,
                        cores=cores / span,
                        memory_mib=memory / MIB,
                        generator=generator / span,
                    )
                )
            before = now
            gevent.sleep(SAMPLE_EVERY_S)

    def _server_use(self, server: psutil.Process | None) -> tuple[float, float]:
        """(processor seconds so far, bytes) of the server's process when it is here, else as it says itself."""
        if server is not None:
            return _busy(server), server.memory_info().rss
        figures = self.deployment.figures()
        return figures.get("process_cpu_seconds_total", 0.0), figures.get("process_resident_memory_bytes", 0.0)

    def _settle(self) -> float:
        """Wait until ledger and anomalies do not change any more; how long (s) it took after the last answer."""
        began = time.monotonic()
        wanted = self.ledger_before + self.tally.events
        before: tuple[int, int, int] = (-1, -1, -1)
        same = 0
        last_change = began
        while same < SETTLED_LOOKS and time.monotonic() - last_change < SETTLE_PATIENCE_S:
            gevent.sleep(SETTLE_STEP_S)
            accepted = sum(row["accepted"] for row in self.deployment.ledger())
            now = (accepted, *self.deployment.anomaly_counts(self.sale.options.start))
            if now != before:
                before, last_change, same = now, time.monotonic(), 0
            elif now[0] >= wanted:
                same += 1
        return last_change - began

    def _add_people(self) -> None:
        for role, count in (("agent", self.options.agents), ("supervisor", self.options.operators)):
            for number in range(1, count + 1):
                name = f"loadtest-{role}-{self.sale.options.mark}-{number}"
                password = self.deployment.add_person(name, role)
                self._added.append(name)
                self.people[role].append(Person(name=name, password=password))


def _busy(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
