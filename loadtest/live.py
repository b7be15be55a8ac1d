"""Live traffic for the demo: an endless sale in real time, posted like any connector would post it.

It begins with a few minutes that are already past, so that every kind of trouble is there from the first look on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import msgspec
import structlog

from actors.errors import ConfigurationError
from loadtest.options import SimulationOptions
from loadtest.simulator import Simulation
from loadtest.truth import Expected
from loadtest.world import Event

PER_SECOND = 40.0
"""Messages; the events that follow from them make it three times as many."""
EVERY_S = 0.2
PAST_S = 300
PAST_ON_RETURN_S = 2
"""A demo that is started again goes on: what it shows is there already."""
BATCH_MOST = 1_000
BACKOFF_LEAST_S, BACKOFF_MOST_S = 0.5, 10.0
TIMEOUT_S = 15.0
ENDLESS = 1 << 60
FAULTS: dict[str, float] = {
    "delay_single": 0.002,
    "delay_channel": 0.010,
    "loss_gap": 0.0013,
    "loss_reference": 0.0005,
    "loss_checkpoint": 0.0005,
    "loss_outbound": 0.001,
    "duplicate_exact": 0.0018,
    "duplicate_content": 0.0007,
    "out_of_sync": 0.0004,
    "attachment_failed": 0.001,
    "notification_missed": 0.0013,
    "translation_failed": 0.001,
    "silence": 0.017,
    "auth": 0.02,
}
"""At forty messages a second: every kind a few times a minute, a channel in trouble every two minutes or so."""

log = structlog.get_logger(__name__)


async def run_demo(
    base_url: str,
    token: str,
    seed: int = 1,
    stop: asyncio.Event | None = None,
    *,
    per_second: float = PER_SECOND,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Post a simulated sale to `POST /api/v1/events` until `stop` is set (or for ever, until cancelled).

    Overload, server errors and a server that is not there are waited out. Raises ConfigurationError when the token is
    refused.
    """
    stop = stop or asyncio.Event()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    async with httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=TIMEOUT_S, transport=transport, trust_env=False
    ) as client:
        post = _Post(client, stop)
        past = PAST_ON_RETURN_S if await post.something_is_there() else PAST_S
        sale = _Sale(seed, int(time.time() * 1000) - past * 1000, per_second)
        while not stop.is_set():
            batch = sale.until(int(time.time() * 1000))
            if batch:
                await post.events(batch)
            if len(batch) < BATCH_MOST:
                await _pause(stop, EVERY_S)


class _Sale:
    """The endless simulation, cut into batches."""

    def __init__(self, seed: int, start: int, per_second: float) -> None:
        options = SimulationOptions(messages=ENDLESS, conversations=ENDLESS // 8, faults=FAULTS, seed=seed, start=start)
        simulation = Simulation(options, _unheard, per_second=per_second, begun=start // 1000 % 10_000_000 * 10)
        self._events: Iterator[Event] = simulation.events()
        self._next = next(self._events)

    def until(self, now: int) -> list[Event]:
        """The events observed up to `now` (ms), at most one batch."""
        batch: list[Event] = []
        while self._next["at"] <= now and len(batch) < BATCH_MOST:
            batch.append(self._next)
            self._next = next(self._events)
        return batch


class _Post:
    """Posts batches and does not give up."""

    def __init__(self, client: httpx.AsyncClient, stop: asyncio.Event) -> None:
        self._client = client
        self._stop = stop
        self._encode = msgspec.json.Encoder().encode_lines

    async def something_is_there(self) -> bool:
        """Whether there are conversations from an earlier run."""
        answer = await self._until_answered("GET", "/api/v1/conversations?limit=1", b"")
        return answer is not None and answer.is_success and bool(answer.json().get("items"))

    async def events(self, batch: list[Event]) -> None:
        """Post one batch."""
        answer = await self._until_answered("POST", "/api/v1/events", self._encode(batch))
        if answer is None or not answer.is_success:
            return
        if refused := answer.json().get("rejected"):
            log.warning("the demo's events were refused", events=len(refused), first=refused[0])

    async def _until_answered(self, method: str, path: str, body: bytes) -> httpx.Response | None:
        """The first answer that is neither overload nor a server's trouble; None when stopped meanwhile."""
        wait = BACKOFF_LEAST_S
        while not self._stop.is_set():
            after = wait
            try:
                answer = await self._client.request(method, path, content=body)
            except httpx.TransportError as trouble:
                log.warning("the demo's traffic found no server", error=type(trouble).__name__, retry_in_s=after)
            else:
                if answer.status_code in {401, 403}:
                    raise ConfigurationError("the demo's token was refused; start the demo again to get a new one")
                if (
                    answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR
                    and answer.status_code != httpx.codes.TOO_MANY_REQUESTS
                ):
                    return answer
                after = max(wait, _retry_after(answer))
                log.warning("the demo's traffic has to wait", status=answer.status_code, retry_in_s=after)
            await _pause(self._stop, after)
            wait = min(2 * wait, BACKOFF_MOST_S)
        return None


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(float(answer.headers.get("Retry-After", "0")), BACKOFF_MOST_S)
    except ValueError:
        return 0.0


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


def _unheard(_expected: Expected) -> None:
    """Live, nobody keeps score."""
