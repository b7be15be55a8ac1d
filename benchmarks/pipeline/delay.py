"""End to end: from the answer 202 to the delta on the bus, through real processes and services.

`weir connect` takes batches of events in and one `weir worker` processes them; the state goes to the database, deltas
to Redis. With each batch goes a probe, a message of a conversation of its own; the delay is the time from the answer to
its batch until the delta that names its conversation is heard. First everything is sent at once, which gives the
capacity; then on a fixed schedule at shares of that. Client, way in, broker, database and Redis share core 1.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from actors.events import Message
from actors.keys import conversation_key, partition_of
from benchmarks import traffic
from benchmarks.figures import quantile
from benchmarks.pipeline.results import Delay
from benchmarks.pipeline.servers import Servers
from loadtest.product import new_token, running_weir
from streams.deltas import TOPIC, decode_delta
from streams.redis.bus import RedisBus
from streams.redis.link import RedisLink
from streams.topics import PARTITIONS
from weir.config import environment

SHARES = (0.25, 0.5, 0.8)
BATCH = 200
CONNECTIONS = 8
PACED_S = 15.0
FLOOD_SHARE = 0.2
HEARD_S = 60.0
WORKER_CORE = 0
SERVERS_CORE = 1


def measure(servers: Servers, messages: int, paced_s: float = PACED_S) -> tuple[float, list[Delay]]:
    """(capacity in events/s, the delays at each share of it)."""
    events = traffic.events(messages)
    flood, rest = events[: int(len(events) * FLOOD_SHARE)], events[int(len(events) * FLOOD_SHARE) :]
    redis = servers.redis()
    with _product(servers, redis) as (address, token):
        return asyncio.run(_measure(address, token, redis, flood, rest, paced_s))


async def _measure(
    address: str, token: str, redis: str, flood: Sequence[object], rest: Sequence[object], paced_s: float
) -> tuple[float, list[Delay]]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client,
        _listening(redis) as probes,
    ):
        capacity = await _flood(client, probes, flood)
        delays: list[Delay] = []
        taken = 0
        for share in SHARES:
            rate = capacity * share
            some = rest[taken : taken + min(int(rate * paced_s), (len(rest) - taken) // (len(SHARES) - len(delays)))]
            taken += len(some)
            delays.append(await _paced(client, probes, some, share, rate))
    return capacity, delays


class Probes:
    """Messages of conversations of their own: when their batch was accepted, when the bus told of them."""

    def __init__(self) -> None:
        self.accounts = _one_account_a_partition()
        self.accepted: dict[str, float] = {}
        self.heard: dict[str, float] = {}
        self._made = 0

    def make(self, like: object, partition: int | None = None) -> tuple[str, Message]:
        """(key, message) of another probe, at the time of an event of its batch."""
        self._made += 1
        account = self.accounts[self._made % PARTITIONS if partition is None else partition]
        name = f"probe-{self._made}"
        at = getattr(like, "at")  # noqa: B009 # every event has it
        message = Message(
            platform="probe", account=account, conversation=name, message=name, at=at, sent_at=at, direction="in"
        )
        return conversation_key("probe", account, name), message

    async def all_heard(self) -> None:
        """Wait until the bus has told of every probe."""
        until = time.monotonic() + HEARD_S
        while len(self.heard) < self._made:
            if time.monotonic() > until:
                raise TimeoutError(f"{self._made - len(self.heard)} of {self._made} probes were not heard of")
            await asyncio.sleep(0.01)


def _one_account_a_partition() -> list[str]:
    accounts: dict[int, str] = {}
    number = 0
    while len(accounts) < PARTITIONS:
        accounts.setdefault(partition_of("probe", f"shop-{number}", PARTITIONS), f"shop-{number}")
        number += 1
    return [accounts[partition] for partition in range(PARTITIONS)]


class _listening:  # noqa: N801 # a context manager, used like a function
    """Probes whose deltas are heard for the length of the block."""

    def __init__(self, redis: str) -> None:
        self._link = RedisLink(redis)
        self._bus = RedisBus(self._link, kept=100_000)
        self._probes = Probes()

    async def __aenter__(self) -> Probes:
        await self._link.start()
        await self._bus.start()
        self._listener = asyncio.create_task(self._listen())
        return self._probes

    async def __aexit__(self, *_: object) -> None:
        self._listener.cancel()
        await asyncio.wait([self._listener])
        await self._bus.close()
        await self._link.close()

    async def _listen(self) -> None:
        async for published in self._bus.subscribe(TOPIC):
            now = time.perf_counter()
            if isinstance(published.data, bytes):
                for key in decode_delta(published.data).conversations:
                    if key.startswith("probe/"):
                        self._probes.heard.setdefault(key, now)


async def _flood(client: httpx.AsyncClient, probes: Probes, events: Sequence[object]) -> float:
    """Events a second from the first request until the bus has told of the last event of every partition."""
    waiting = iter([events[i : i + BATCH * 10] for i in range(0, len(events), BATCH * 10)])

    async def post() -> None:
        for some in waiting:
            await _post(client, some)

    started = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(CONNECTIONS)))
    await _post(client, [probes.make(events[-1], partition)[1] for partition in range(PARTITIONS)])
    await probes.all_heard()
    return len(events) / (time.perf_counter() - started)


async def _paced(
    client: httpx.AsyncClient, probes: Probes, events: Sequence[object], share: float, rate: float
) -> Delay:
    every = BATCH / rate
    started = time.perf_counter() + 0.1
    keys: list[str] = []

    async def post(number: int, some: Sequence[object]) -> None:
        await asyncio.sleep(max(0.0, started + number * every - time.perf_counter()))
        key, probe = probes.make(some[-1])
        keys.append(key)
        await _post(client, [*some, probe])
        probes.accepted[key] = time.perf_counter()

    groups = [events[i : i + BATCH] for i in range(0, len(events), BATCH)]
    await asyncio.gather(*(post(number, some) for number, some in enumerate(groups)))
    await probes.all_heard()
    # A delta may be on the bus before the client has read the answer: the delay is none then.
    took = [max(0.0, probes.heard[key] - probes.accepted[key]) * 1000 for key in keys]
    return Delay(share=share, per_s=rate, p50_ms=quantile(took, 0.5), p99_ms=quantile(took, 0.99), probes=len(took))


async def _post(client: httpx.AsyncClient, events: Sequence[object]) -> None:
    """Post until accepted; overload is answered by waiting."""
    body = b"\n".join(msgspec.json.encode(event) for event in events)
    while True:
        answer = await client.post("/api/v1/events", content=body)
        if answer.status_code not in (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE):
            answer.raise_for_status()
            return
        await asyncio.sleep(float(answer.headers.get("Retry-After", "0.1")))


@contextmanager
def _product(servers: Servers, redis: str) -> Iterator[tuple[str, str]]:
    """A worker and a way in on the servers: the way in's address, and a token that may send events."""
    cluster = {
        **environment(),
        "WEIR_BROKER": f"kafka://{servers.bootstrap}",
        "WEIR_DATABASE": servers.database(),
        "WEIR_REDIS": redis,
        "WEIR_LOG_LEVEL": "warning",
    }
    with tempfile.TemporaryDirectory(prefix="weir-delay-") as folder:
        said = Path(folder)
        token = new_token("benchmark", "supervisor", env=cluster)
        with (
            running_weir(["worker"], said / "worker", env=cluster, core=WORKER_CORE),
            running_weir(["connect"], said / "connect", env=cluster, core=SERVERS_CORE) as (address, _),
        ):
            yield address, token
