"""How fast webhooks are answered: at the rate demanded and as fast as they are taken, beside a limit and a peer.

A real `weir serve` with two bound channels takes signed pushes of Shopee and Lazada over loopback, each a message of
its own, first on a fixed schedule (an answer's time counts from the instant its push was due), then as fast as it can.
In turns with it run a server that answers and does nothing (the limit), and one as such are often written (the peer):
it verifies, inserts a row and commits before it answers.
`python -m benchmarks.webhooks [--seconds N]`
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TypeAlias

import aiohttp
import httpx
from msgspec import Struct

from benchmarks.figures import Figure, pretty, quantile
from loadtest.product import Product, free_port, running_product

PER_SECOND = 500
"""Demanded: answered within 50 ms at the 99th percentile on two cores."""
DEMANDED_P99_MS = 50
SECONDS = 15.0
FLOOD = 6_000
CONNECTIONS = 32
ROUNDS = 3
READY_S, STORED_S = 30.0, 120.0
KEY, SECRET = "benchmark-key", "benchmark-secret"
SERVERS = ("limit", "peer")
Push: TypeAlias = tuple[str, dict[str, str], bytes]


class Course(Struct, frozen=True, kw_only=True):
    """What one server did in one round: answer times (ms) at the rate demanded, and its most pushes a second."""

    paced: list[float]
    rate: float
    lost: int


def measure(seconds: float = SECONDS) -> list[Figure]:
    """Answer times, rates and what was lost, of the product, the limit and the peer."""
    courses: dict[str, list[Course]] = {"weir": [], "limit": [], "peer": []}
    for number in range(ROUNDS):
        with running_product() as product:
            _bind(product)
            courses["weir"].append(asyncio.run(_course(product.host, number, seconds, _stored(product))))
        for name in SERVERS:
            with _plain(name) as host:
                courses[name].append(asyncio.run(_course(host, number, seconds, None)))
    return [*_times(courses, seconds), *_rates(courses)]


def _times(courses: dict[str, list[Course]], seconds: float) -> Iterator[Figure]:
    note = f"{PER_SECOND} webhooks/s for {seconds:.0f} s, from the instant each was due"
    for name, rounds in courses.items():
        for what, share in (("p50", 0.5), ("p99", 0.99)):
            each = [quantile(course.paced, share) for course in rounds]
            spread = (min(each), max(each))
            yield Figure(name=f"{name}: answer, {what}", value=median(each), unit="ms", spread=spread, note=note)
    lost = sum(course.lost for course in courses["weir"])
    yield Figure(name="weir: lost", value=lost, unit="messages", note="answered 2xx and not in the store afterwards")


def _rates(courses: dict[str, list[Course]]) -> Iterator[Figure]:
    middle = {name: median(course.rate for course in rounds) for name, rounds in courses.items()}
    for name, rounds in courses.items():
        each = [course.rate for course in rounds]
        note = f"{CONNECTIONS} connections, client on the same machine"
        yield Figure(
            name=f"{name}: most", value=middle[name], unit="webhooks/s", spread=(min(each), max(each)), note=note
        )
    for name in SERVERS:
        yield Figure(name=f"weir / {name}", value=middle["weir"] / middle[name], unit="")


async def _course(host: str, number: int, seconds: float, stored: Callable[[], int] | None) -> Course:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(host, connector=connector, trust_env=False) as session:
        for push in _pushes(f"warm{number}", 200, host):
            await _post(session, push)
        count = int(seconds * PER_SECOND)
        paced = await _paced(session, _pushes(f"paced{number}", count, host))
        pushes = iter(_pushes(f"flood{number}", FLOOD, host))
        started = time.perf_counter()
        await asyncio.gather(*(_all_of(session, pushes) for _ in range(CONNECTIONS)))
        rate = FLOOD / (time.perf_counter() - started)
    sent = 200 + count + FLOOD
    return Course(paced=paced, rate=rate, lost=0 if stored is None else sent - await _settled(stored, sent))


async def _settled(stored: Callable[[], int], sent: int) -> int:
    until = time.monotonic() + STORED_S
    while (found := await asyncio.to_thread(stored)) < sent and time.monotonic() < until:  # noqa: ASYNC110 # the other side is another process
        await asyncio.sleep(0.2)
    return found


async def _paced(session: aiohttp.ClientSession, pushes: list[Push]) -> list[float]:
    took: list[float] = []
    started = time.perf_counter() + 0.1

    async def post(number: int, push: Push) -> None:
        due = started + number / PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await _post(session, push)
        took.append((time.perf_counter() - due) * 1_000)

    await asyncio.gather(*(post(number, push) for number, push in enumerate(pushes)))
    return took


async def _all_of(session: aiohttp.ClientSession, pushes: Iterator[Push]) -> None:
    for push in pushes:
        await _post(session, push)


async def _post(session: aiohttp.ClientSession, push: Push) -> None:
    """Until it is taken, as platforms do."""
    path, headers, body = push
    while True:
        async with session.post(path, data=body, headers=headers) as answer:
            if answer.status != httpx.codes.TOO_MANY_REQUESTS:
                answer.raise_for_status()
                return
        await asyncio.sleep(0.05)


def _pushes(name: str, count: int, host: str) -> list[Push]:
    """Each a message of its own, in turns of both platforms, of a conversation every four."""
    now = int(time.time() * 1_000)
    return [(_shopee if n % 2 else _lazada)(f"{name}-{n}", f"{name}-{n // 4}", now, host) for n in range(count)]


def _lazada(message: str, conversation: str, now: int, _host: str) -> Push:
    data = {
        "session_id": conversation,
        "message_id": message,
        "template_id": 1,
        "content": json.dumps({"txt": f"Where is my parcel? {message}"}),
        "from_account_id": conversation,
        "from_account_type": 1,
        "to_account_id": "100",
        "to_account_type": 2,
        "send_time": now,
        "type": 1,
        "site_id": "SG",
    }
    body = json.dumps({"seller_id": 1, "message_type": 2, "data": data}).encode()
    return "/webhooks/lazada/bench", {"Authorization": _signed(KEY.encode() + body)}, body


def _shopee(message: str, conversation: str, now: int, host: str) -> Push:
    content = {
        "message_id": message,
        "conversation_id": conversation,
        "from_id": 1,
        "to_id": 2,
        "from_shop_id": 0,
        "to_shop_id": 7,
        "message_type": "text",
        "content": {"text": f"Where is my parcel? {message}"},
        "created_timestamp": now // 1_000,
        "status": "normal",
        "business_type": 0,
    }
    data = {"type": "message", "region": "SG", "content": content}
    body = json.dumps({"code": 10, "shop_id": 7, "timestamp": now // 1_000, "data": data}).encode()
    url = f"{host}/webhooks/shopee/bench"
    return "/webhooks/shopee/bench", {"Authorization": _signed(url.encode() + b"|" + body)}, body


def _signed(told: bytes) -> str:
    return hmac.new(SECRET.encode(), told, hashlib.sha256).hexdigest()


def _bind(product: Product) -> None:
    settings = {
        "lazada": {"app_key": KEY, "app_secret": SECRET},
        "shopee": {"shop_id": "7", "push_key": SECRET},
    }
    headers = {"Authorization": f"Bearer {product.token_file.read_text('utf-8')}"}
    for platform, given in settings.items():
        binding = {"url": f"{product.host}/webhooks/{platform}/bench", "settings": given}
        path = f"{product.host}/api/v1/bindings/{platform}/bench"
        httpx.put(path, json=binding, headers=headers, trust_env=False).raise_for_status()


def _stored(product: Product) -> Callable[[], int]:
    headers = {"Authorization": f"Bearer {product.token_file.read_text('utf-8')}"}

    def stored() -> int:
        answer = httpx.get(f"{product.host}/api/v1/stats", headers=headers, trust_env=False, timeout=30)
        return int(answer.raise_for_status().json()["ledger"]["stored"])

    return stored


@contextmanager
def _plain(name: str) -> Iterator[str]:
    """A server to compare with, for the length of the block: its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="weir-benchmark-") as folder:
        program = Path(__file__).with_name("webhook_servers.py")
        command = [sys.executable, str(program), name, str(port), folder, KEY, SECRET]
        with subprocess.Popen(command) as process:
            try:
                host = f"http://127.0.0.1:{port}"
                asyncio.run(_answering(lambda: asyncio.to_thread(_alive, host)))
                yield host
            finally:
                process.terminate()


def _alive(host: str) -> bool:
    try:
        return httpx.get(f"{host}/", trust_env=False).is_success
    except httpx.TransportError:
        return False


async def _answering(alive: Callable[[], Awaitable[bool]]) -> None:
    until = time.monotonic() + READY_S
    while not await alive():
        if time.monotonic() > until:
            raise RuntimeError("the server to compare with did not come up")
        await asyncio.sleep(0.1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    for figure in measure(parser.parse_args().seconds):
        print(f"{figure.name:<28} {pretty(figure.value):>10} {figure.unit:<11} {figure.note}")


if __name__ == "__main__":
    main()
