"""Fixtures of the log's tests."""

from __future__ import annotations

import pytest

from actors.events import Message
from streams.embedded.log import EmbeddedLog
from tests.streams.machine import Machine
from tests.streams.product import Product


@pytest.fixture
async def log(data_dir):
    """An empty log of four partitions."""
    opened = EmbeddedLog(data_dir / "log.db", partitions=4)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def message():
    """Makes the n-th message of a channel."""

    def make(number, account="shop", text="hello", at=None):
        return Message(
            platform="ebay",
            account=account,
            at=at,
            conversation=f"c{number % 7}",
            message=f"m{number}",
            sent_at=1_700_000_000_000 + number,
            direction="in",
            text=text,
        )

    return make


@pytest.fixture
async def product(data_dir):
    """Starts the product on the test's data directory; what still runs at the end is stopped."""
    opened = Product(data_dir)
    yield opened
    if not opened.exits:
        await opened.stop()


@pytest.fixture
def machine():
    """The clocks of a machine, wound by hand."""
    return Machine()
