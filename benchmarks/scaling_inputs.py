"""What capacity is reckoned from and no other benchmark measures: sizes, and what an event costs on the way in.

Sizes come from the simulator's traffic through the real frames, engine and documents; they are the same on every
machine. The way in is a real `weir connect` on a real Kafka: processor time of its process per request.
"""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from msgspec import Struct

from actors.thresholds import ThresholdSet
from benchmarks import traffic
from benchmarks.pipeline import servers
from loadtest.product import new_token, running_weir
from storage.mongodb.compose import Findings, _build  # what a flush writes is decided there and nowhere else
from storage.mongodb.flushes import Holding
from storage.records import PartitionMark
from streams.engine import Engine
from streams.frames import assemble, decode_frame, encode_entry
from streams.topics import PARTITIONS

MESSAGES = 20_000
FLUSH_EVENTS = 1_500
"""Events of one partition in one flush: a busy worker with 8 partitions that flushes every 250 ms."""
SINGLES = 4_000
BATCHES = 60
BATCH = 1_000
CONNECTIONS = 8
BATCH_CONNECTIONS = 2
"""A compressed batch is let in as if it were of the largest size: more at a time would be refused."""
WARMING = 300


class Inputs(Struct, frozen=True, kw_only=True):
    """Measured once, kept in benchmarks/scaling.json.

    Attributes:
        at, machine: when and where.
        events_per_message: a message and what follows from it.
        json_bytes: an event as platforms send it.
        log_bytes: an event in a frame on the log, one copy.
        store_rows: documents written per event.
        store_bytes: bytes of them per event, as BSON.
        kept_bytes: of them what is new and stays, per message; indexes left out.
        state_bytes: a conversation's state as it is saved.
        single_cpu_ms: processor time of the way in for a request with one event.
        batch_cpu_us: processor time of the way in for an event in a compressed batch of a thousand.
        way_in_mib: memory of the way in at its most.
    """

    at: str
    machine: str
    events_per_message: float
    json_bytes: float
    log_bytes: float
    store_rows: float
    store_bytes: float
    kept_bytes: float
    state_bytes: float
    single_cpu_ms: float
    batch_cpu_us: float
    way_in_mib: float


class Sizes(Struct, frozen=True, kw_only=True):
    """The part that needs no server; as in `Inputs`."""

    events_per_message: float
    json_bytes: float
    log_bytes: float
    store_rows: float
    store_bytes: float
    kept_bytes: float
    state_bytes: float


def sizes(messages: int = MESSAGES) -> Sizes:
    """Send a sale through frames, engine and documents, and weigh what comes out."""
    lines = traffic.lines(messages)
    rows = traffic.frames_by_partition(messages, PARTITIONS)
    frames = [(partition, assemble(0, [encode_entry(e) for e in group])) for partition, group in rows]
    written, written_bytes, kept, states = _stored(frames)
    return Sizes(
        events_per_message=len(lines) / messages,
        json_bytes=sum(map(len, lines)) / len(lines),
        log_bytes=sum(len(data) for _, data in frames) / len(lines),
        store_rows=written / len(lines),
        store_bytes=written_bytes / len(lines),
        kept_bytes=kept / messages,
        state_bytes=sum(states.values()) / max(1, len(states)),
    )


def _stored(frames: Sequence[tuple[int, bytes]]) -> tuple[int, int, int, dict[str, int]]:
    """Documents and bytes of all flushes, bytes of those that were new, size of each conversation's last state."""
    engines = [Engine(p, ThresholdSet(), PartitionMark(partition=p)) for p in range(PARTITIONS)]
    known: set[str] = set()
    states: dict[str, int] = {}
    written = size = kept = 0
    waiting = [0] * PARTITIONS

    def flush(engine: Engine, stamp: int) -> None:
        nonlocal written, size, kept
        waiting[engine.partition] = 0
        batch = engine.take(0)
        if batch is None:
            return
        states.update({row.key: len(row.state) for row in batch.conversations})
        composed = _build(batch, Findings(known, {}), Holding(epoch=1, stamp=stamp))
        known.update(composed.conversations)
        for group in composed.writes.groups:
            weight = sum(map(len, group.documents))
            written += len(group.documents)
            size += weight
            kept += weight if group.kind == "insert" else 0

    for number, (partition, data) in enumerate(frames):
        frame = decode_frame(data)
        engines[partition].apply(number, frame.wall, frame.entries)
        waiting[partition] += len(frame.entries)
        if waiting[partition] >= FLUSH_EVENTS:
            flush(engines[partition], number)
    for engine in engines:
        flush(engine, len(frames))
    return written, size, kept, states


def way_in() -> tuple[float, float, float]:
    """(ms a request of one event, us an event of a batch, MiB) of `weir connect`."""
    with servers.running() as started, _connect(started) as (address, token, pid):
        return asyncio.run(_way_in(address, token, psutil.Process(pid)))


async def _way_in(address: str, token: str, process: psutil.Process) -> tuple[float, float, float]:
    lines = traffic.lines(MESSAGES)
    plain = {"Content-Type": "application/x-ndjson"}
    packed = plain | {"Content-Encoding": "gzip"}
    bearer = {"Authorization": f"Bearer {token}"}
    batches = [b"\n".join(lines[i : i + BATCH]) for i in range(0, BATCHES * BATCH, BATCH)]
    async with httpx.AsyncClient(base_url=address, headers=bearer, timeout=60, trust_env=False) as client:
        await _cost(client, process, lines[:WARMING], plain, CONNECTIONS)
        single = await _cost(client, process, lines[WARMING : WARMING + SINGLES], plain, CONNECTIONS)
        batched = await _cost(client, process, [gzip.compress(body, 3) for body in batches], packed, BATCH_CONNECTIONS)
    return single * 1e3 / SINGLES, batched * 1e6 / (BATCHES * BATCH), process.memory_info().rss / 2**20


async def _cost(
    client: httpx.AsyncClient,
    process: psutil.Process,
    bodies: Sequence[bytes],
    headers: dict[str, str],
    connections: int,
) -> float:
    """Processor seconds of the process while these were sent."""
    waiting = iter(bodies)

    async def post() -> None:
        for body in waiting:
            answer = await client.post("/api/v1/events", content=body, headers=headers)
            while answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                await asyncio.sleep(float(answer.headers.get("Retry-After", "0.1")))
                answer = await client.post("/api/v1/events", content=body, headers=headers)
            answer.raise_for_status()

    before = process.cpu_times()
    await asyncio.gather(*(post() for _ in range(connections)))
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system


@contextmanager
def _connect(started: servers.Servers) -> Iterator[tuple[str, str, int]]:
    """A way in alone: its address, a token that may send events, its process."""
    with tempfile.TemporaryDirectory(prefix="weir-scaling-") as name:
        folder = Path(name)
        settings = folder / "weir.toml"
        settings.write_text(
            f'broker = "kafka://{started.bootstrap}"\ndatabase = "{started.database()}"\nredis = "{started.redis()}"\n'
            f'data_dir = "{folder}"\nlog_level = "error"\n',
            "utf-8",
        )
        configured = ("--config", str(settings))
        token = new_token("scaling", "supervisor", *configured)
        with running_weir(("connect", *configured), folder / "connect.txt") as (address, pid):
            yield address, token, pid
