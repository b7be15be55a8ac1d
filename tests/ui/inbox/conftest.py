"""The whole product in a process of its own, and windows of people logged in to it."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.ui.programs import PASSWORD, served, windows

PRODUCT = Path(__file__).parent / "product.py"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """The address of one product for all tests; each keeps to conversations of its own."""
    with served(PRODUCT, tmp_path_factory.mktemp("inbox")) as address:
        yield address


@pytest.fixture
async def logged_in(browser, desk):
    """`logged_in(path, name=, lang=, phone=)` opens a page for a person; script errors fail the test."""
    async with windows(browser, desk) as opened:
        yield opened


@pytest.fixture
async def asking(desk):
    """`asking(name)` is a client of the API as that person."""
    clients = []

    async def client(name="Ada Lin"):
        made = httpx.AsyncClient(base_url=desk, headers={"Origin": desk})
        clients.append(made)
        answer = await made.post("/auth/login", json={"name": name, "password": PASSWORD})
        answer.raise_for_status()
        return made

    yield client
    for made in clients:
        await made.aclose()


@pytest.fixture
async def wrote(asking):
    """`wrote(conversation, text)`: a customer writes now, on the team's shop unless another is named."""
    admin = await asking("Ada Lin")

    async def send(conversation, text="Hello?", *, platform="shopee", account="sg-1", name="Somchai", **more):
        number = next(_numbers)
        event = {
            "type": "message",
            "platform": platform,
            "account": account,
            "conversation": conversation,
            "message": f"new-{conversation}-{number}",
            "sent_at": datetime.now(UTC).isoformat(),
            "direction": "in",
            "sender": {"id": f"u-{conversation}", "role": "customer", "name": name},
            "text": text,
        }
        answer = await admin.post("/api/v1/events", json=[event | more])
        assert answer.status_code == 202, answer.text
        return event["message"]

    return send
