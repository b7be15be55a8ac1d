"""What waits in a platform's queue is taken in, then confirmed; whatever ends in between, it comes again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from actors.errors import RetriableError
from connectors.contract.calling import BusyError, DeniedError
from connectors.contract.connector import Drawn, Refused
from services.arrivals.queues import FIRST_BACKOFF_S, IDLE_S, Queues
from services.arrivals.readers import LOOK_S
from tests.services_layer.bazaar import Bazaar, opened_town


class Counter(Bazaar):
    """A platform that keeps what it tells until it is confirmed; `trouble` is raised at the next draws."""

    platform = "counter"

    def __init__(self, binding):
        super().__init__(binding)
        self.waiting = {}
        self.trouble = []
        self.drawn = 0

    def queued(self):
        return True

    async def draw(self, api):
        del api
        self.drawn += 1
        if self.trouble:
            raise self.trouble.pop(0)
        found = list(self.waiting.items())[:2]
        return Drawn(parsed=[one for _, one in found], done=tuple(name for name, _ in found))

    async def confirm(self, drawn, api):
        del api
        for name in drawn.done:
            del self.waiting[name]

    def puts(self, town, *numbers):
        self.waiting |= {f"h{number}": self.message(number, town.now) for number in numbers}


class Naps:
    """Sleeps of nobody: `asked` remembers how long each was to be."""

    def __init__(self):
        self.asked = []
        self.another = asyncio.Event()

    async def __call__(self, seconds):
        self.asked.append(seconds)
        self.another.set()
        await asyncio.sleep(0)

    async def until(self, holds):
        """Return when it holds, which is looked at whenever somebody goes to sleep."""
        async with asyncio.timeout(20):
            while not holds():
                self.another.clear()
                await self.another.wait()


@pytest.fixture
async def town(data_dir):
    async with opened_town(data_dir) as made:
        yield made


@pytest.fixture
def naps():
    return Naps()


@pytest.fixture
def queues(town, naps):
    return Queues(channels=town, arrivals=town.arrivals, apis=town.apis, locks=town.locks, sleep=naps)


@asynccontextmanager
async def running(queues):
    task = asyncio.create_task(queues.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_all_that_waits_is_taken_in_once_and_confirmed(town, queues, naps):
    counter = town.bound(Counter)
    counter.puts(town, 1, 2, 3)
    told = []
    queues.observe = lambda *what: told.append(what)

    async with running(queues):
        await naps.until(lambda: not counter.waiting)
    assert set(await town.texts(platform="counter")) == {"m1", "m2", "m3"}
    assert told == [("drawn", 2), ("drawn", 1)]


async def test_what_could_not_be_taken_in_is_not_confirmed_and_comes_again(town, queues, monkeypatch):
    counter = town.bound(Counter)
    counter.puts(town, 1)
    take = town.arrivals.take

    async def full(*what, **more):
        del what, more
        raise RetriableError("the log is full")

    monkeypatch.setattr(town.arrivals, "take", full)
    with pytest.raises(RetriableError):
        await queues.draw(counter)
    assert set(counter.waiting) == {"h1"}
    monkeypatch.setattr(town.arrivals, "take", take)
    assert await queues.draw(counter) == 1
    assert (set(counter.waiting), set(await town.texts(platform="counter"))) == (set(), {"m1"})


async def test_one_that_was_taken_in_and_not_confirmed_is_still_one_message(town, queues, monkeypatch):
    counter = town.bound(Counter)
    counter.puts(town, 1)

    async def lost(*about):
        del about
        raise BusyError("later", 1.0)

    with monkeypatch.context() as patched:
        patched.setattr(Counter, "confirm", lost)
        with pytest.raises(BusyError):
            await queues.draw(counter)
    await queues.draw(counter)
    assert set(await town.texts(platform="counter")) == {"m1"}
    assert counter.waiting == {}


async def test_what_cannot_be_read_is_journalled_and_confirmed(town, queues):
    counter = town.bound(Counter)
    counter.waiting = {"h1": Refused(b"?", "cannot be read")}
    await queues.draw(counter)
    (line,) = town.lines
    assert (line.reason, line.raw) == ("cannot be read", b"?")
    assert counter.waiting == {}


async def test_trouble_is_waited_out_longer_and_longer_and_as_long_as_the_platform_wishes(town, queues, naps):
    counter = town.bound(Counter)
    counter.trouble = [DeniedError("no"), RetriableError("no"), BusyError("no", 77.0), ValueError("odd")]
    counter.puts(town, 1)

    async with running(queues):
        await naps.until(lambda: not counter.waiting)
    waits = [one for one in naps.asked if one not in {LOOK_S, IDLE_S}]
    assert waits == [FIRST_BACKOFF_S, 2 * FIRST_BACKOFF_S, 77.0, 8 * FIRST_BACKOFF_S]
    assert set(await town.texts(platform="counter")) == {"m1"}


async def test_channels_without_a_queue_are_left_alone(town, queues, naps):
    town.bound(Bazaar)
    counter = town.bound(Counter)

    async with running(queues):
        await naps.until(lambda: counter.drawn > 2 and naps.asked.count(LOOK_S) > 1)
    assert town.lines == []
