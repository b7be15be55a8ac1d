"""The inbox in a real browser: when which marked message stood in its document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Page, async_playwright

from loadtest.product import Product
from tests.services import chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
NAME, PASSWORD = "window", "a long password of a benchmark"  # of a product that lives for a minute
WATCH = """() => {
  window.marks = {};
  const look = (text) => { for (const [, mark] of text.matchAll(/mark-(\\d+)-/g)) window.marks[mark] ??= Date.now(); };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") look(change.target.data);
      for (const node of change.addedNodes) look(node.textContent || "");
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class Window:
    """An open inbox."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def seen(self) -> dict[int, float]:
        """When (ms of the wall clock) each mark stood in the document first."""
        found: dict[str, Any] = await self._page.evaluate("window.marks")
        return {int(mark): float(at) for mark, at in found.items()}


def _chromium() -> str:
    said = chromium.ensure()
    found = chromium.find()
    if found is None:
        raise RuntimeError(said)
    return str(found)


@asynccontextmanager
async def signed_in(product: Product, client: httpx.AsyncClient) -> AsyncIterator[BrowserContext]:
    """A browser in which a supervisor has logged in."""
    person = {"name": NAME, "password": PASSWORD, "role": "supervisor"}
    (await client.post("/api/v1/users", json=person)).raise_for_status()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", base_url=product.host
        )
        login = await context.request.post(
            "/auth/login", data={"name": NAME, "password": PASSWORD}, headers={"Accept": "application/json"}
        )
        if not login.ok:
            raise RuntimeError(f"no login for the benchmark's window: {login.status}")
        yield context
        await browser.close()


@asynccontextmanager
async def opened_window(product: Product, client: httpx.AsyncClient) -> AsyncIterator[Window]:
    """Somebody's inbox, all conversations listed, the list in sight."""
    async with signed_in(product, client) as context:
        page = await context.new_page()
        await page.goto("/inbox?tab=all&sort=newest")
        await page.locator(".ib-row .ib-name").first.wait_for()
        await page.evaluate(WATCH)
        yield Window(page)
