"""When changes are saved: how long they gather."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from streams import persister
from streams.bus import LocalBus
from streams.persister import Persister

ENDLESS_S = 3_600.0


@asynccontextmanager
async def changing(monkeypatch, waiting, **seconds):
    """A persister whose engines change one event a turn of the loop; yields the counts of unsaved events it flushed."""
    for name, value in seconds.items():
        monkeypatch.setattr(persister, name, value)
    flushed: asyncio.Queue[int] = asyncio.Queue()

    class Counting(Persister):
        async def flush_all(self):
            flushed.put_nowait(self.unsaved)
            self.unsaved = 0

    under_test = Counting(LocalBus(), {}, lambda: 0, waiting=lambda: waiting)

    async def change():
        while True:
            under_test.changed(1)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(work) for work in (change(), under_test.run())]
    try:
        yield flushed
    finally:
        tasks[0].cancel()
        under_test.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_while_runs_wait_changes_gather_until_there_are_enough(monkeypatch):
    async with changing(monkeypatch, persister.BACKLOG_BYTES, BACKLOG_S=ENDLESS_S, FLUSH_S=0.0) as flushed:
        assert min([await flushed.get() for _ in range(2)]) >= persister.FLUSH_EVENTS


async def test_without_a_backlog_a_flush_does_not_wait_for_more(monkeypatch):
    async with changing(monkeypatch, 0, BACKLOG_S=ENDLESS_S, FLUSH_S=0.0, IDLE_S=0.0) as flushed:
        assert await flushed.get() < persister.FLUSH_EVENTS


async def test_a_store_that_was_quick_is_written_to_again_at_once(monkeypatch):
    patched = {"FLUSH_S": ENDLESS_S, "QUICKEST_S": 0.0, "IDLE_S": 0.0}
    async with changing(monkeypatch, 0, **patched) as flushed:
        first, second = [await flushed.get() for _ in range(2)]
    assert first >= persister.FLUSH_EVENTS  # nothing is known of the store yet
    assert second < persister.FLUSH_EVENTS
