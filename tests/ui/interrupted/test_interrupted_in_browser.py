"""Redis is killed under an open screen: the page says so, goes on by polling, and recovers by itself."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.ui.programs import served, windows

pytestmark = [pytest.mark.browser, pytest.mark.services]

PRODUCT = Path(__file__).parent / "product.py"
PATIENCE_MS = 30_000


@pytest.fixture
def product(tmp_path, redis_server):
    """The address of the whole product, its live bus on the test's Redis."""
    with served(PRODUCT, tmp_path, redis_server.url) as address:
        yield address


@pytest.fixture
async def logged_in(browser, product):
    """`logged_in(lang=)` opens the monitor; script errors fail the test."""
    async with windows(browser, product) as opened:
        yield opened


async def tell(page, account):
    """A customer wrote, on a channel of its own."""
    now = round(time.time() * 1000)
    event = {
        "type": "message",
        "platform": "ebay",
        "account": account,
        "conversation": "c1",
        "message": "m1",
        "sent_at": now,
        "direction": "in",
        "text": "where is my parcel?",
    }
    answer = await page.context.request.post("/api/v1/events", data=[event], headers={"Origin": page.url.rstrip("/")})
    assert answer.status == 202, await answer.text()


async def test_the_page_says_that_live_updates_are_interrupted_and_goes_on(logged_in, redis_server):
    page = await logged_in()
    badge, note = page.locator(".badge"), page.locator(".w-banner", has_text="Live updates are interrupted")
    await expect(badge).to_have_class(re.compile("is-live"), timeout=PATIENCE_MS)
    await tell(page, "before")
    await expect(page.locator(".mx-row", has_text="before")).to_be_visible(timeout=PATIENCE_MS)
    await expect(note).to_have_count(0)

    await asyncio.to_thread(redis_server.kill)
    await expect(note).to_have_text(re.compile(r"reads anew every 2 s"), timeout=PATIENCE_MS)
    await expect(badge).to_contain_text("Polling")
    await tell(page, "meanwhile")
    await expect(page.locator(".mx-row", has_text="meanwhile")).to_be_visible(timeout=PATIENCE_MS)
    await expect(note).to_be_visible()
    chinese = await logged_in(lang="zh")
    await expect(chinese.locator(".w-banner")).to_contain_text("实时更新已中断", timeout=PATIENCE_MS)

    await asyncio.to_thread(redis_server.start)
    for open_page in (page, chinese):
        await expect(open_page.locator(".badge")).to_have_class(re.compile("is-live"), timeout=PATIENCE_MS)
        await expect(open_page.locator(".w-banner", has_text=re.compile("interrupted|中断"))).to_have_count(0)
    await tell(page, "after")
    await expect(page.locator(".mx-row", has_text="after")).to_be_visible(timeout=PATIENCE_MS)
