"""Who brings events: the platforms' webhooks, few events a request, and the aggregator with its compressed batches."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import gevent
import msgspec
from locust import FastHttpUser, task
from locust.contrib.fasthttp import FastResponse
from locust.user.task import LOCUST_STATE_RUNNING

from loadtest.feed import Parcel
from loadtest.locust.course import run_of

PATH = "/api/v1/events"
IDLE_S = 0.02
BACKOFF_LEAST_S, BACKOFF_MOST_S = 0.2, 5.0
ACCEPTED = 202
NOT_NOW = frozenset({429, 503})
"""Nothing of the request was accepted: the same again later."""
UNANSWERED = 500
"""From here on, and without any status, nobody knows what was accepted."""


class SenderUser(FastHttpUser):
    """Takes what is due, sends it, and does not give up: the next of a lane goes only when this one is answered."""

    abstract = True
    way = ""
    name = ""
    connection_timeout = 30.0
    network_timeout = 30.0
    max_retries = 0
    packed: Callable[[Parcel], tuple[bytes, dict[str, str]]]
    """The request's body and headers."""

    def on_start(self) -> None:
        """Join the run."""
        self.run_ = run_of(self.environment)

    @task
    def send(self) -> None:
        """Send until the user is to stop: as one task, since Locust kills whoever is between two of them."""
        while self._state == LOCUST_STATE_RUNNING and not self.run_.finished:
            self._send()
        gevent.sleep(IDLE_S)

    def _send(self) -> None:
        """Send one parcel, or wait a moment."""
        parcel = self.run_.sale.feed.take(self.way)
        if parcel is None:
            gevent.sleep(IDLE_S)
            return
        answered = False
        try:
            answered = self._deliver(parcel)
        finally:
            if answered:
                self.run_.sale.feed.answered(parcel)
            else:
                self.run_.tally.unanswered(parcel.events)
                self.run_.sale.feed.give_back(parcel)

    def _deliver(self, parcel: Parcel) -> bool:
        """Send until it is answered; False when the test is broken off meanwhile."""
        body, headers = self.packed(parcel)
        headers["Authorization"] = self.run_.deployment.bearer
        wait = BACKOFF_LEAST_S
        while not self.run_.broken_off:
            pause = self._attempt(parcel, body, headers, wait)
            if pause is None:
                return True
            gevent.sleep(pause)
            wait = min(2 * wait, BACKOFF_MOST_S)
        return False

    def _attempt(self, parcel: Parcel, body: bytes, headers: dict[str, str], wait: float) -> float | None:
        """Send once: None when it was answered for good, else how long (s) to wait."""
        began = time.monotonic()
        data: Any = body  # bytes are sent as they are, whatever the client's annotation says
        with self.client.post(PATH, data=data, headers=headers, name=self.name, catch_response=True) as response:
            status = response.status_code
            if status == ACCEPTED:
                told = msgspec.json.decode(response.content or b"")
                response.success()
                rejected = [(r["index"], r["error"]) for r in told["rejected"]]
                self.run_.answered((time.monotonic() - began) * 1000, parcel.events, rejected)
                return None
            if status in NOT_NOW:
                response.success()
                self.run_.tally.refused += 1
                return max(wait, _retry_after(response))
            if not status or status >= UNANSWERED:
                response.failure(f"no answer ({status})")
                self.run_.tally.unanswered(parcel.events)
                return wait
            response.failure(f"refused with {status}")
            self.run_.break_off(f"{PATH} answers {status}: {(response.text or '')[:300]}")
            return wait


def _as_json(parcel: Parcel) -> tuple[bytes, dict[str, str]]:
    """One event as an object, several as an array."""
    events: Any = parcel.events[0] if len(parcel.events) == 1 else parcel.events
    return msgspec.json.encode(events), {"Content-Type": "application/json"}


def _as_lines(parcel: Parcel) -> tuple[bytes, dict[str, str]]:
    """Lines, compressed as lightly as programs do."""
    lines = msgspec.json.Encoder().encode_lines(parcel.events)
    return gzip.compress(lines, 3), {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}


class MarketplaceUser(SenderUser):
    """A platform's webhook: JSON, one event or few."""

    way = "webhook"
    name = "events, webhook"
    packed = staticmethod(_as_json)


class BatchUser(SenderUser):
    """An aggregator: NDJSON, compressed, many shops in one."""

    way = "batch"
    name = "events, batch"
    packed = staticmethod(_as_lines)


def _retry_after(response: FastResponse) -> float:
    try:
        return min(float(str((response.headers or {}).get("Retry-After", "0"))), BACKOFF_MOST_S)
    except ValueError:
        return 0.0
