"""Labels over a real store; the clock is a number."""

from __future__ import annotations

import pytest

from storage.sqlite import SqliteStore

NOW = 1_800_000_000_000


@pytest.fixture
async def store(data_dir):
    opened = SqliteStore(data_dir / "store.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def now():
    return lambda: NOW
