"""Links to a real Redis; every test has names of its own in it."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from streams.redis import RedisBus, RedisLink

PATIENCE_S = 15.0
"""A machine busy with other tests is no broken link."""


async def until(condition):
    """Wait on a state."""
    while not condition():  # noqa: ASYNC110 # the states of a link have no events of their own
        await asyncio.sleep(0.005)


async def until_it(ask):
    """Wait until `await ask()` holds; returns what it answered."""
    while not (answer := await ask()):  # noqa: ASYNC110 # what a service holds has no events of its own
        await asyncio.sleep(0.005)
    return answer


@pytest.fixture
def prefix():
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
async def linked(redis_server, prefix):
    """`await linked()` gives a started link; all are closed at the end."""
    links = []

    async def make(**options):
        link = RedisLink(redis_server.url, **({"prefix": prefix, "timeout_s": PATIENCE_S} | options))
        links.append(link)
        await link.start()
        return link

    yield make
    for link in links:
        await link.close()


@pytest.fixture
async def bussed(linked):
    """`await bussed()` gives a bus on a link of its own, as another process would have."""
    buses = []

    async def make(kept=256, **options):
        bus = RedisBus(await linked(**options), kept)
        buses.append(bus)
        await bus.start()
        await until(lambda: bus.trouble is None)
        return bus

    yield make
    for bus in buses:
        await bus.close()


@pytest.fixture
def server(redis_server):
    """The server's switches, off the loop."""

    class Server:
        async def kill(self):
            await asyncio.to_thread(redis_server.kill)

        async def start(self):
            await asyncio.to_thread(redis_server.start)

        async def pause(self):
            await asyncio.to_thread(redis_server.pause)

        async def resume(self):
            await asyncio.to_thread(redis_server.resume)

    return Server()
