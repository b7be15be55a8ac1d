"""The first admin of a deployment."""

import asyncio

import pytest

from services.people.accounts import Accounts
from storage.sqlite import SqliteStore
from streams.coordination.locks import LocalLocks
from weir.roles.first_admin import first_admin


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


async def test_of_many_processes_that_start_at_once_one_makes_the_first_admin(store):
    locks = LocalLocks()
    made = await asyncio.gather(*(first_admin(Accounts(store, lambda: 0), locks) for _ in range(5)))
    assert sum(password is not None for password in made) == 1
    assert [user.name for user in await store.users()] == ["admin"]


async def test_where_there_are_people_none_is_made(store):
    accounts = Accounts(store, lambda: 0)
    await accounts.add("ann", "admin", "correct horse battery", who="test")
    assert await first_admin(accounts, LocalLocks()) is None
