"""People to tell, over a real store."""

from __future__ import annotations

import pytest

from services.alerts.alerts import Alerts
from storage.records import User
from storage.sqlite import SqliteStore
from tests.services_layer.alerts.bell import AUDIT, Gate


@pytest.fixture
async def store():
    opened = SqliteStore()
    await opened.open()
    for name, role in (("ann", "agent"), ("bob", "agent"), ("cem", "viewer"), ("sam", "supervisor")):
        await opened.put_user(User(id=name, name=name, role=role, password_hash="", created_at=0), AUDIT)
    yield opened
    await opened.close()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def online():
    return {"ann", "bob", "cem", "sam"}


@pytest.fixture
def alerts(store, gate, online):
    async def concerned(_row):
        return [["bob", "cem", "dan"]]

    async def there():
        return online

    return Alerts(store, gate, concerned=concerned, online=there)
