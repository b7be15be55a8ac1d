from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from actors.events import Clock, Message
from actors.keys import channel_key, conversation_key
from storage.records import AnomalyFilter, PartitionMark
from storage.sqlite import SqliteStore
from streams.embedded.log import EmbeddedLog
from streams.engine import Engine
from streams.frames import decode_frame
from tests.crash.traffic import LONGEST_GRACE_MS, thresholds

PROGRAM = Path(__file__).with_name("program.py")
KILLS = 30
SEED = 20261122
BATCH = 20
OUTSTANDING = 6


class Nursery:
    """Where programs are born and their deaths are noted."""

    def __init__(self, data_dir):
        self.data_dir = data_dir

    async def __aenter__(self):
        self.born = asyncio.Queue()
        self.folder = TemporaryDirectory(prefix="weir-")
        socket = str(Path(self.folder.name) / "socket")
        self.server = await asyncio.start_unix_server(lambda *streams: self.born.put_nowait(streams), socket)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAM),
            str(self.data_dir),
            socket,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        assert await self.process.wait() == 0
        self.server.close()
        self.folder.cleanup()

    async def program(self):
        self.process.stdin.write(b"one more\n")
        reader, writer = await self.born.get()
        return Victim(self, int(await reader.readline()), reader, writer)

    async def death(self):
        return int(await self.process.stdout.readline())


class Victim:
    """One life of the program."""

    def __init__(self, nursery, pid, reader, writer):
        self.nursery = nursery
        self.pid = pid
        self.reader = reader
        self.writer = writer

    def tell(self, *words):
        self.writer.write((" ".join(map(str, words)) + "\n").encode())

    async def hear(self):
        try:
            return (await self.reader.readline()).decode().split()
        except ConnectionResetError:
            return []

    async def expect(self, word):
        heard = await self.hear()
        assert heard == [word], f"the program said {heard}"

    async def forget(self):
        self.writer.transport.abort()
        await asyncio.sleep(0)

    async def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        status = await self.nursery.death()
        assert status == -signal.SIGKILL, f"the program had ended by itself with {status}"


class Sender:
    """Submits numbered batches and sends again, after a crash, what was not acknowledged."""

    def __init__(self):
        self.next = 0
        self.unanswered = {}
        self.acknowledged = set()
        self.sent_again = 0

    def send_again(self, victim):
        for (first, last), sent_at in self.unanswered.items():
            self.sent_again += last - first
            victim.tell("submit", first, last, sent_at)

    def send(self, victim):
        while len(self.unanswered) < OUTSTANDING:
            batch = (self.next, self.next + BATCH)
            self.next += BATCH
            self.unanswered[batch] = time.time_ns() // 1_000_000
            victim.tell("submit", *batch, self.unanswered[batch])

    def answered(self, heard):
        if heard and heard[0] == "done":
            first, last = int(heard[1]), int(heard[2])
            del self.unanswered[first, last]
            self.acknowledged.update(range(first, last))

    async def load(self, victim):
        """Keep the victim busy until it dies."""
        self.send_again(victim)
        while True:
            self.send(victim)
            heard = await victim.hear()
            if not heard:
                return
            self.answered(heard)

    async def finish(self, victim):
        """Have everything acknowledged."""
        self.send_again(victim)
        while self.unanswered:
            self.answered(await victim.hear())


async def crash_again_and_again(data_dir, sender):
    """Kill the program at random moments under load, also while it opens; the last one ends in peace."""
    moments = Random(SEED)  # noqa: S311 # moments, no secrets
    async with Nursery(data_dir) as nursery:
        for _ in range(KILLS):
            victim = await nursery.program()
            victim.tell("open")
            if moments.random() < 0.2:
                await asyncio.sleep(moments.uniform(0, 0.05))
                await victim.kill()
                await victim.forget()
                continue
            await victim.expect("ready")
            loading = asyncio.ensure_future(sender.load(victim))
            await asyncio.sleep(moments.uniform(0.02, 0.8))
            await victim.kill()
            await loading
            await victim.forget()
        survivor = await nursery.program()
        survivor.tell("open")
        await survivor.expect("ready")
        await sender.finish(survivor)
        survivor.tell("quiet")
        await survivor.expect("quiet")
        survivor.tell("stop")
        await survivor.expect("stopped")
        assert await nursery.death() == 0
        await survivor.forget()


async def uninterrupted(log):
    """The engines' anomalies and ledger when they read the whole log at one go, and every entry they read."""
    anomalies, ledger, entries = {}, Counter(), []
    for number in range(log.partitions):
        engine = Engine(number, thresholds(), PartitionMark(partition=number))
        async for record in log.records(number):
            frame = decode_frame(record.data)
            assert engine.apply(record.offset, record.wall, frame.entries) == []
            entries += [entry for entry in frame.entries if number == 0 or not isinstance(entry, Clock)]
        engine.tick(engine.time + LONGEST_GRACE_MS + 1000)
        batch = engine.take(0)
        anomalies |= {anomaly.id: anomaly for anomaly in batch.effects.anomalies}
        for row in batch.ledger:
            ledger[row.channel] = (row.accepted, row.stored, row.duplicates, row.rejected)
    return anomalies, ledger, entries


async def all_anomalies(store):
    found, cursor = {}, None
    while True:
        page = await store.anomalies(AnomalyFilter(), 500, cursor)
        found |= {anomaly.id: anomaly for anomaly in page.items}
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.crash
async def test_thirty_kills_lose_nothing_double_nothing_and_change_no_anomaly(data_dir, record_property):
    sender = Sender()
    await crash_again_and_again(data_dir, sender)
    log, store = EmbeddedLog(data_dir / "log.db", partitions=4), SqliteStore(data_dir / "store.db")
    await log.open()
    await store.open()
    expected, ledger, entries = await uninterrupted(log)

    assert await log.check() == []
    assert all(place.committed == place.end for place in await log.positions())
    assert sender.acknowledged == set(range(sender.next))
    rows = {
        row.channel: (row.accepted, row.stored, row.duplicates, row.rejected)
        for row in await store.ledger()
        if row.accepted
    }
    assert rows == {channel: row for channel, row in ledger.items() if row[0]}
    assert sum(row[0] for row in rows.values()) == len(entries)
    assert all(accepted == stored + duplicates + rejected for accepted, stored, duplicates, rejected in rows.values())

    in_log = {(conversation_key(m.platform, m.account, m.conversation), m.message) for m in entries if is_message(m)}
    held = Counter(channel_key("ebay", key.split("/")[1]) for key, _ in in_log)
    counts = await store.counts()
    assert {channel: row["stored"] + row["merged"] for channel, row in counts.items()} == dict(held)
    for key, message in list(in_log)[:: max(1, len(in_log) // 500)]:
        assert await store.message(key, message) is not None

    found = await all_anomalies(store)
    assert found.keys() == expected.keys()
    assert [found[i] for i in found if found[i] != expected[i]] == []
    kinds = Counter(anomaly.kind for anomaly in found.values())
    assert len(kinds) >= 7, kinds
    for name, value in {
        "kills": KILLS,
        "numbered events": sender.next,
        "sent again": sender.sent_again,
        "entries in the log": len(entries),
        "messages": len(in_log),
        "anomalies": dict(kinds),
    }.items():
        record_property(name, value)
        sys.stdout.write(f"{name}: {value}\n")
    await log.close()
    await store.close()


def is_message(entry):
    return isinstance(entry, Message)
