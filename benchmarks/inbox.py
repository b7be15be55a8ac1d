"""How soon an open inbox shows what came in, and what an open inbox costs.

A real `weir serve` with SCREENS inboxes open over their sockets, each with a window of the list and a thread in sight,
while messages flow in over HTTP on a fixed schedule. Shown is timed from the instant the message's 202 came back: until
the frame with its row is with the client, and in a real browser until the row stands in the document.
`python -m benchmarks inbox`
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.figures import Figure, quantile
from benchmarks.inbox_window import Window, opened_window
from loadtest.product import Product, running_product

SCREENS = 200
SCREENS_A_PERSON = 10
CONVERSATIONS = 12_000
CHANNELS = 20
IN_SIGHT = 40
PER_SECOND = 2_000
BATCH = 100
LASTS_S = 30.0
ROUNDS = 3
PROMISED_MS = 500
MARK = re.compile(rb"mark-(\d+)-")
EVENTS = "/api/v1/events"
IDLE_S = 10.0


class Marks:
    """When each marked message was acknowledged, and how long it took until it was seen (ms)."""

    def __init__(self) -> None:
        self.acknowledged: dict[int, tuple[float, float]] = {}
        """By mark, on the steady clock and on the wall's."""
        self.frames: list[float] = []
        self.early = 0

    def seen(self, mark: int) -> None:
        """A screen has it."""
        found = self.acknowledged.get(mark)
        if found is None:
            self.early += 1  # shown before its sender had read the answer: no time at all
            self.frames.append(0.0)
        else:
            self.frames.append(max(0.0, (time.perf_counter() - found[0]) * 1000))


def measure() -> list[Figure]:
    """Times from 202 to screen, and what 200 open inboxes cost."""
    each = [asyncio.run(_round()) for _ in range(ROUNDS)]
    note = f"{SCREENS} screens, {PER_SECOND:,} messages/s, {CONVERSATIONS:,} conversations"
    figures: list[Figure] = []
    for name in each[0]:
        values = [one[name][0] for one in each]
        unit = each[0][name][1]
        spread = (min(values), max(values))
        figures.append(Figure(name=name, value=median(values), unit=unit, spread=spread, note=note))
        note = ""
    for name in ("202 to frame, p99", "202 to document, p99"):
        value = next(figure.value for figure in figures if figure.name == name)
        figures.append(Figure(name=f"{name} / what is promised", value=value / PROMISED_MS, unit=""))
    return figures


async def _round() -> dict[str, tuple[float, str]]:
    with running_product() as product:
        token = product.token_file.read_text("utf-8")
        async with httpx.AsyncClient(
            base_url=product.host, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
        ) as client:
            await filled(client, CONVERSATIONS)
            empty = _memory(product.pid)
            idle = await _busy(product.pid, IDLE_S)
            marks = Marks()
            async with _screens(product, client, marks), opened_window(product, client) as window:
                memory = (_memory(product.pid) - empty) / SCREENS
                watched = await _busy(product.pid, IDLE_S)
                loaded = await _loaded(product.pid, client, marks)
                await asyncio.sleep(2)
                shown = await _in_document(window, marks)
    return {
        "202 to frame, p50": (quantile(marks.frames, 0.5), "ms"),
        "202 to frame, p99": (quantile(marks.frames, 0.99), "ms"),
        "202 to document, p50": (quantile(shown, 0.5), "ms"),
        "202 to document, p99": (quantile(shown, 0.99), "ms"),
        "rows told": (len(marks.frames), "rows"),
        "rows in the document": (len(shown), "rows"),
        "processor, nothing open": (idle, "% of a core"),
        "processor, screens open and nothing new": (watched, "% of a core"),
        "processor, under load": (loaded, "% of a core"),
        "memory of an open inbox": (memory, "KiB"),
    }


async def filled(client: httpx.AsyncClient, conversations: int) -> None:
    """Conversations of many channels, a message each."""
    for start in range(0, conversations, 2_000):
        numbers = range(start, min(start + 2_000, conversations))
        lines = [_line(number, 0, f"hello {number}") for number in numbers]
        (await client.post(EVENTS, content=b"\n".join(lines))).raise_for_status()
    total = 0
    while total < conversations:
        await asyncio.sleep(0.2)
        total = (await client.get("/api/v1/inbox?limit=1")).raise_for_status().json()["total"]


def _line(conversation: int, number: int, text: str) -> bytes:
    now = int(time.time() * 1000)
    return msgspec.json.encode(
        {
            "type": "message", "platform": ("ebay", "shopee", "lazada", "whatsapp")[conversation % 4],
            "account": f"shop-{conversation % CHANNELS}", "conversation": f"c{conversation}",
            "message": f"m{conversation}-{number}", "sent_at": now, "direction": "in", "text": text,
            "sender": {"id": f"u{conversation}", "name": f"Customer {conversation}"},
        }
    )  # fmt: skip


@asynccontextmanager
async def _screens(product: Product, client: httpx.AsyncClient, marks: Marks) -> AsyncIterator[None]:
    """So many inboxes, each with a window of its own in sight."""
    tokens: list[str] = []
    for number in range(-(-SCREENS // SCREENS_A_PERSON)):
        made = await client.post("/api/v1/tokens", json={"name": f"screen {number}", "role": "agent"})
        tokens.append(made.raise_for_status().json()["secret"])
    address = product.host.replace("http://", "ws://") + "/api/v1/inbox/live"
    tasks: list[asyncio.Task[None]] = []
    sockets: list[ClientConnection] = []
    for number in range(SCREENS):
        window = await client.get(f"/api/v1/inbox?tab=all&limit={IN_SIGHT}&offset={number * IN_SIGHT}")
        keys = [row["key"] for row in window.raise_for_status().json()["items"]]
        headers = {"Authorization": f"Bearer {tokens[number // SCREENS_A_PERSON]}"}
        socket = await connect(address, additional_headers=headers, max_size=None, compression=None)
        await socket.send('{"type":"hello"}')
        await socket.send(msgspec.json.encode({"type": "watch", "keys": keys, "thread": keys[0]}).decode())
        sockets.append(socket)
        tasks.append(asyncio.create_task(_hear(socket, marks)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for socket in sockets:
            await socket.close()


async def _hear(socket: ClientConnection, marks: Marks) -> None:
    told: set[int] = set()
    async for frame in socket:
        raw = frame.encode() if isinstance(frame, str) else frame
        for found in MARK.finditer(raw):
            mark = int(found[1])
            if mark not in told:
                told.add(mark)
                marks.seen(mark)


async def _loaded(pid: int, client: httpx.AsyncClient, marks: Marks) -> float:
    """Let messages flow in on schedule; how busy the product is, in % of a core."""
    batches = int(LASTS_S * PER_SECOND / BATCH)
    began, used = time.perf_counter(), _processor_s(pid)
    late: set[asyncio.Task[None]] = set()
    for number in range(batches):
        await asyncio.sleep(max(0.0, began + number * BATCH / PER_SECOND - time.perf_counter()))
        task = asyncio.create_task(_post(client, number, marks))
        late.add(task)
        task.add_done_callback(late.discard)
    await asyncio.gather(*late)
    return 100 * (_processor_s(pid) - used) / (time.perf_counter() - began)


async def _post(client: httpx.AsyncClient, number: int, marks: Marks) -> None:
    first = number * BATCH
    # A stride that meets every conversation once before any twice.
    lines = [
        _line((mark * 7_919) % CONVERSATIONS, 1 + mark, f"mark-{mark}- where is my parcel?")
        for mark in range(first, first + BATCH)
    ]
    (await client.post(EVENTS, content=b"\n".join(lines))).raise_for_status()
    at = time.perf_counter(), time.time()
    marks.acknowledged.update((mark, at) for mark in range(first, first + BATCH))


async def _in_document(window: Window, marks: Marks) -> list[float]:
    """How long each message of the window took (ms) until it stood in the document."""
    return [
        max(0.0, at - marks.acknowledged[mark][1] * 1000)
        for mark, at in (await window.seen()).items()
        if mark in marks.acknowledged
    ]


async def _busy(pid: int, seconds: float) -> float:
    before = _processor_s(pid)
    await asyncio.sleep(seconds)
    return 100 * (_processor_s(pid) - before) / seconds


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """The process's memory in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    return float("nan")
