"""Fixtures of the monitor's tests."""

from __future__ import annotations

import pytest

from tests.services_health.town import Town


@pytest.fixture
async def town(data_dir):
    """A town in which nothing has happened yet."""
    built = Town(data_dir)
    await built.open()
    yield built
    await built.close()
