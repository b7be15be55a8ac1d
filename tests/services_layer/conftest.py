"""Services over a real store; the clock is a number that tests move."""

import pytest
from argon2 import PasswordHasher

from services.people.accounts import Accounts
from services.people.passwords import Passwords
from services.people.tokens import Tokens
from storage.sqlite import SqliteStore
from tests.services_layer.desk import Desk


class Clock:
    def __init__(self):
        self.ms = 1_800_000_000_000

    def __call__(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def light():
    """Hashes that are quick to make: strength is argon2's business."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def accounts(store, clock, light):
    return Accounts(store, clock, light)


@pytest.fixture
def tokens(store, clock):
    return Tokens(store, clock)


@pytest.fixture
async def desk(data_dir, store, clock):
    """Replies on their way out, with a platform that does what a test wants."""
    opened = Desk(data_dir, store, clock)
    await opened.open()
    yield opened
    await opened.close()
