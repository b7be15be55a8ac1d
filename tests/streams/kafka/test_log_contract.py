from __future__ import annotations

import pytest

from tests.streams.log_contract import LogContract

pytestmark = pytest.mark.services


@pytest.fixture
def commit(client):
    return client.commit


class TestKafkaLog(LogContract):
    pass
