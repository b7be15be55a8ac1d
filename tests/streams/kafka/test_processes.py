from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from actors.keys import partition_of
from streams.kafka.consumer import SESSION_S
from tests.streams.kafka.store_service import StoreService
from tests.streams.product import MoodyStore, until

pytestmark = [pytest.mark.services, pytest.mark.crash, pytest.mark.timeout(240)]

PROGRAM = Path(__file__).parent / "program.py"
SHOPS = [next(f"shop{n}" for n in range(100) if partition_of("ebay", f"shop{n}", 4) == p) for p in range(4)]
TAKE_OVER_S = 10.0
ENDED_ITSELF = 70


class Crew:
    """Worker processes on one topic and one database, under load."""

    def __init__(self, log, gateway, store, service, logs):
        self.log, self.gateway, self.store, self.service = log, gateway, store, service
        self.workers = []
        self._logs = logs
        self._stop = asyncio.Event()
        self._rounds = 0

    async def start(self, count):
        """Start workers and wait until all of them share the partitions."""
        self.workers += [await self._started() for _ in range(count)]
        await self.shared()

    async def _started(self):
        url = f"kafka://{','.join(self.log.servers)}"
        with (self._logs / "workers.log").open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, PROGRAM, url, self.log.topic, self.log.group, "4", self.service.path), stderr=out
            )

    async def _tend(self):
        """Do what a supervisor does: start anew who ended itself, which a worker that was fenced must do."""
        for place, worker in enumerate(self.workers):
            if worker.returncode == ENDED_ITSELF:
                self.workers[place] = await self._started()

    def held(self, worker):
        return self.service.reports.get(worker.pid, {}).get("held", [])

    async def shared(self):
        """Wait until the workers that live have shared out the partitions."""
        living = [worker for worker in self.workers if worker.returncode is None]
        await until(
            lambda: (
                all(self.held(worker) for worker in living)
                and sorted(n for worker in living for n in self.held(worker)) == [0, 1, 2, 3]
            )
        )

    async def load(self, message):
        while not self._stop.is_set():
            await self.gateway.submit([message(self._rounds, account=shop) for shop in SHOPS])
            self._rounds += 1

    async def all_saved(self, feeding):
        """End the load; everything accepted is stored, once."""
        self._stop.set()
        await feeding
        expected = {f"ebay/{shop}": (self._rounds, self._rounds, 0) for shop in SHOPS}
        while (stored := await self.stored()) != expected:
            assert all(saved <= self._rounds and not twice for _, saved, twice in stored.values()), stored
            await self._tend()
            await asyncio.sleep(0.05)  # the database tells nobody

    async def stored(self):
        return {
            row.channel: (row.accepted, row.stored, row.duplicates) for row in await self.store.ledger() if row.accepted
        }

    async def moved(self, shop, beyond):
        """Wait until more than so many of a shop's messages are stored."""
        while (await self.stored()).get(f"ebay/{shop}", (0, 0, 0))[1] <= beyond:
            await self._tend()
            await asyncio.sleep(0.02)  # as above

    async def end(self):
        for worker in self.workers:
            if worker.returncode is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            await worker.wait()


@pytest.fixture
async def crew(kafka_log, gateway, data_dir):
    store = MoodyStore(data_dir / "store.db")
    await store.open()
    service = StoreService(store, str(data_dir / "store.sock"))
    await service.open()
    opened = Crew(kafka_log, gateway, store, service, data_dir)
    yield opened
    await opened.end()
    await service.close()
    await store.close()


@pytest.fixture
async def feeding(crew, message):
    task = asyncio.create_task(crew.load(message))
    yield task
    crew._stop.set()
    await task


async def test_a_killed_worker_is_replaced_within_ten_seconds_and_nothing_is_lost_or_doubled(crew, feeding):
    await crew.start(2)
    victim, heir = crew.workers
    shop = SHOPS[crew.held(victim)[0]]
    await crew.moved(shop, 10)
    victim.kill()
    killed = time.monotonic()
    done = (await crew.stored())[f"ebay/{shop}"][1]
    await crew.moved(shop, done + 5)
    assert time.monotonic() - killed < TAKE_OVER_S
    await crew.all_saved(feeding)
    assert heir.returncode is None


async def test_a_worker_paused_past_its_session_does_no_harm_when_it_wakes(crew, feeding):
    await crew.start(2)
    sleeper, heir = crew.workers
    await crew.moved(SHOPS[crew.held(sleeper)[0]], 10)
    os.kill(sleeper.pid, signal.SIGSTOP)
    await until(lambda: len(crew.held(heir)) == 4)
    os.kill(sleeper.pid, signal.SIGCONT)
    done = sum(row[1] for row in (await crew.stored()).values())
    await crew.moved(SHOPS[0], done // 4 + 20)
    await crew.all_saved(feeding)
    assert sleeper.returncode in (None, ENDED_ITSELF)
    assert heir.returncode in (None, ENDED_ITSELF)


async def test_a_worker_whose_loop_is_blocked_past_its_session_does_no_harm(crew, feeding):
    await crew.start(2)
    blocked, heir = crew.workers
    await crew.moved(SHOPS[crew.held(blocked)[0]], 10)
    os.kill(blocked.pid, signal.SIGUSR1)
    since = time.monotonic()
    await until(lambda: len(crew.held(heir)) == 4)
    assert time.monotonic() - since < SESSION_S + 4
    await crew.all_saved(feeding)
    assert heir.returncode in (None, ENDED_ITSELF)


async def test_a_worker_told_to_stop_hands_over_at_once(crew, feeding):
    await crew.start(2)
    leaver, heir = crew.workers
    await crew.moved(SHOPS[crew.held(leaver)[0]], 10)
    leaver.terminate()
    assert await leaver.wait() == 0
    told = time.monotonic()
    await until(lambda: len(crew.held(heir)) == 4)
    assert time.monotonic() - told < SESSION_S
    await crew.all_saved(feeding)


async def test_killing_every_worker_under_load_loses_nothing_and_doubles_nothing(crew, feeding):
    await crew.start(2)
    await crew.moved(SHOPS[0], 10)
    for worker in crew.workers:
        worker.kill()
        await worker.wait()
    crew.service.reports.clear()
    await crew.start(1)
    await crew.all_saved(feeding)
