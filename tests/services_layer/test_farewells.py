"""Sessions ended in one process are over in the others."""

import asyncio

import pytest

from services.people.accounts import Accounts
from services.people.farewells import Farewells
from streams.bus import LocalBus


@pytest.fixture
async def process(store, clock, light):
    """Makes a process of a deployment; all share the store and the bus."""
    bus, running = LocalBus(), []

    async def made():
        accounts = Accounts(store, clock, light)
        running.append(asyncio.create_task(Farewells(accounts, bus).run()))
        await asyncio.sleep(0)
        return accounts

    yield made
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_a_person_disabled_here_is_sent_away_there_at_once(process):
    here, there = await process(), await process()
    await here.add("root", "admin", "correct horse battery", who="test")
    await here.add("ann", "agent", "correct horse battery", who="test")
    secret, _ = await there.log_in("ann", "correct horse battery", "10.0.0.1")
    assert await there.caller(secret)
    sent_away = asyncio.Queue()
    there.on_revoked(sent_away.put_nowait)
    heard = []
    here.on_revoked(heard.append)
    await here.change("ann", who="root", disabled=True)
    assert await asyncio.wait_for(sent_away.get(), 30) == "ann"
    assert await there.caller(secret) is None
    assert sent_away.empty()
    assert set(heard) == {"ann"}
