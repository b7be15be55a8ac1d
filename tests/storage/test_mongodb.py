"""The MongoDB adapter passes the contract on a real server, and fails the way the port says."""

from __future__ import annotations

import pytest

from storage.mongodb import MongoStore
from tests.storage.contract import StoreContract

pytestmark = pytest.mark.services


@pytest.fixture
async def store(mongo):
    found = MongoStore(mongo.fresh())
    await found.open()
    yield found
    await found.close()


class TestMongoStore(StoreContract):
    """Every test of the contract, on a database of its own."""
