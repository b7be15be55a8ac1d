"""A file that is opened for somebody who was cancelled meanwhile is closed again."""

import asyncio
from threading import Event

import pytest

from storage import files


@pytest.mark.parametrize("sooner", [True, False])
async def test_what_is_opened_for_a_cancelled_asker_is_closed(tmp_path, sooner):
    started, go_on, closed = Event(), Event(), Event()
    opened = []

    def opening():
        started.set()
        go_on.wait(10)
        opened.append((tmp_path / "file").open("xb"))
        return opened[0]

    def close(file):
        file.close()
        closed.set()

    task = asyncio.create_task(files._kept_open(opening, close))
    await asyncio.to_thread(started.wait, 10)
    if sooner:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        go_on.set()
    else:
        go_on.set()
        while not opened:  # noqa: ASYNC110 # a thread's list tells nobody
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if task.cancelled():
        assert await asyncio.to_thread(closed.wait, 10)
    else:
        close(task.result())
    assert opened[0].closed
