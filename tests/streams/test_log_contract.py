from __future__ import annotations

import pytest

from streams.embedded.gateway import EmbeddedGateway
from tests.streams.log_contract import LogContract


@pytest.fixture
async def gateway(log):
    opened = EmbeddedGateway(log)
    yield opened
    await opened.close()


@pytest.fixture
def commit(log):
    return log.commit


class TestEmbeddedLog(LogContract):
    pass
