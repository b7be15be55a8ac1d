"""The product with conversations in it, and windows of the people who answer them."""

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.ui.programs import served, windows

PRODUCT = Path(__file__).parent / "product.py"
TALK, LONG, BAD, UNBOUND = "webchat/shop/c1", "webchat/shop/long", "webchat/shop/bad", "shopee/sg-1/s1"


STORED = """async ([key, text]) =>
  (await (await fetch(`/api/v1/conversations/${key}/messages?limit=500`)).text()).includes(text)"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The address of one product for all tests of a file; each test that writes has a conversation of its own."""
    with served(PRODUCT, tmp_path_factory.mktemp("thread")) as address:
        yield address


@pytest.fixture
async def logged_in(browser, desk):
    """`logged_in(path, name=, lang=, phone=)` opens a page for a person; script errors fail the test."""
    async with windows(browser, desk) as opened:
        yield opened


@pytest.fixture
def at(logged_in):
    """`at(key, name=, …)` opens the inbox with a conversation."""

    async def opened(key, **person):
        return await logged_in(place(key), **person)

    return opened


@pytest.fixture
def heard(at):
    """`heard(page, *texts, conversation=)` has a customer say something, over the API, and waits until it is stored."""
    del at

    async def told(page, *texts, conversation, **more):
        about = {"platform": "webchat", "account": "shop", "conversation": conversation, "direction": "in"}
        for text in texts:
            name = f"{conversation}-{abs(hash((text, conversation))):x}"
            clock = await page.evaluate("Date.now()")
            event = {"type": "message", **about, "message": name, "sent_at": clock, "text": text}
            event |= {"sender": {"id": f"u-{conversation}", "name": "Wei Cruz", "role": "customer"}, **more}
            answer = await page.request.post("/api/v1/events", data=event)
            assert answer.status == 202, await answer.text()
        key = quote(f"webchat/shop/{conversation}", safe="")
        await page.wait_for_function(STORED, arg=[key, texts[-1]])

    return told


def place(key):
    """The inbox's address with a conversation open."""
    return f"/inbox?tab=all&key={quote(key, safe='')}"
