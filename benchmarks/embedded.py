"""How fast the whole product is in one process: HTTP in, durable in the log, processed, stored.

A real `weir serve` on a data folder of its own; the events are posted over loopback by a few connections at once. The
second part posts at half of that rate on a fixed schedule and times the answers, waiting included.
`python -m benchmarks.embedded [--messages N]`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from benchmarks import traffic
from benchmarks.core import measure as measure_core
from benchmarks.figures import Figure, pretty, quantile
from loadtest.product import running_product

MESSAGES = 60_000
BATCH = 2_000
CONNECTIONS = 4
PACED_BATCH = 200
PACED_S = 20.0
ROUNDS = 3
CORE_FIGURE = "decode + apply, MessagePack frames"
DEMANDED = 0.1
"""Of the core's rate, from HTTP to stored."""
SYNC_BYTES = 50_000
SYNC_EVERY_S = 0.02
PROCESSED = "weir_events_processed_total"
"""Counted when saved; figures read from the database are refreshed every few seconds only, too coarse for a race."""
IDLE = ("weir_unsaved_events", "weir_gateway_waiting_events")


def measure(messages: int = MESSAGES, core: float | None = None) -> list[Figure]:
    """Rates and answer times of a product under load."""
    core = core or next(f.value for f in measure_core() if f.name == CORE_FIGURE)
    rates: list[float] = []
    acked: list[float] = []
    memory = 0.0
    for _ in range(ROUNDS):
        with _product() as (address, headers, pid):
            rate, accepted = asyncio.run(_flood(address, headers, messages))
            rates.append(rate)
            acked.append(accepted)
            memory = max(memory, _peak_mib(pid))
    rate = median(rates)
    figures = [
        Figure(
            name="HTTP to stored",
            value=rate,
            unit="events/s",
            spread=(min(rates), max(rates)),
            note=f"batches of {BATCH:,}, {CONNECTIONS} connections, client on the same machine",
        ),
        Figure(
            name="HTTP to durable (acknowledged)",
            value=median(acked),
            unit="events/s",
            spread=(min(acked), max(acked)),
        ),
        Figure(name="HTTP to stored / core", value=rate / core, unit=""),
        Figure(name="peak memory", value=memory, unit="MiB"),
    ]
    for what, per_second in (
        ("half of what is demanded", core * DEMANDED / 2),
        ("half of what was reached", rate / 2),
    ):
        runs: list[list[float]] = []
        for _ in range(ROUNDS):
            with _product() as (address, headers, _pid):
                runs.append(asyncio.run(_paced(address, headers, per_second)))
        note = f"{per_second:,.0f} events/s, {len(runs[0])} batches of {PACED_BATCH} a round"
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            each = [quantile(answers, share) for answers in runs]
            spread = (min(each), max(each))
            figures.append(
                Figure(name=f"answer at {what}, {name}", value=median(each), unit="ms", spread=spread, note=note)
            )
    syncs = _disk_alone()
    note = f"{SYNC_BYTES // 1000} kB written and synced every {SYNC_EVERY_S * 1000:.0f} ms"
    figures += [
        Figure(name=f"the disk alone, {name}", value=quantile(syncs, share), unit="ms", note=note)
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]
    return figures


@contextmanager
def _product() -> Iterator[tuple[str, dict[str, str], int]]:
    """A running `weir serve`: its address, the headers of a request that sends events, its process."""
    with running_product() as product:
        headers = {
            "Authorization": f"Bearer {product.token_file.read_text('utf-8')}",
            "Content-Type": "application/x-ndjson",
        }
        yield product.host, headers, product.pid


async def _flood(address: str, headers: dict[str, str], messages: int) -> tuple[float, float]:
    """(events/s until stored, events/s until acknowledged)."""
    lines = traffic.lines(messages)
    bodies = [b"\n".join(lines[i : i + BATCH]) for i in range(0, len(lines), BATCH)]
    waiting = iter(bodies)
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:

        async def post() -> None:
            for body in waiting:
                await _posted(client, body)

        started = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(CONNECTIONS)))
        acknowledged = time.perf_counter() - started
        while not await _all_stored(client, len(lines)):  # noqa: ASYNC110 # the other side is another process
            await asyncio.sleep(0.02)
        stored = time.perf_counter() - started
    return len(lines) / stored, len(lines) / acknowledged


async def _posted(client: httpx.AsyncClient, body: bytes) -> None:
    """Post until accepted; overload is answered by waiting."""
    while True:
        answer = await client.post("/api/v1/events", content=body)
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            answer.raise_for_status()
            return
        await asyncio.sleep(float(answer.headers.get("Retry-After", "0.1")))


async def _all_stored(client: httpx.AsyncClient, count: int) -> bool:
    text = (await client.get("/metrics")).raise_for_status().text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return float(values[PROCESSED]) >= count and not any(float(values.get(name, 0)) for name in IDLE)


async def _paced(address: str, headers: dict[str, str], per_second: float) -> list[float]:
    """How long answers took (ms) from the instant their batch was due."""
    wanted = int(per_second * PACED_S)
    lines = traffic.lines(max(1_000, wanted // 3))[:wanted]
    bodies = [b"\n".join(lines[i : i + PACED_BATCH]) for i in range(0, len(lines), PACED_BATCH)]
    every = PACED_BATCH / per_second
    took: list[float] = []
    limits = httpx.Limits(max_connections=32)
    async with httpx.AsyncClient(
        base_url=address, headers=headers, timeout=60, trust_env=False, limits=limits
    ) as client:
        started = time.perf_counter() + 0.1

        async def post(number: int, body: bytes) -> None:
            due = started + number * every
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await _posted(client, body)
            took.append((time.perf_counter() - due) * 1000)

        await asyncio.gather(*(post(n, body) for n, body in enumerate(bodies)))
    return took


def _disk_alone() -> list[float]:
    """How long the disk takes (ms) to sync what a batch weighs: no answer can be faster."""
    took: list[float] = []
    with tempfile.TemporaryFile() as file:
        for _ in range(int(PACED_S / SYNC_EVERY_S)):
            time.sleep(SYNC_EVERY_S)
            started = time.perf_counter()
            file.write(b"-" * SYNC_BYTES)
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1000)
    return took


def _peak_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    for figure in measure(parser.parse_args().messages):
        print(f"{figure.name:<45} {pretty(figure.value):>12} {figure.unit:<9} {figure.note}")


if __name__ == "__main__":
    main()
