"""The app: it can be installed, keeps nothing of customers, and has a page for when there is no network."""

import struct

import httpx
import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 30_000


async def test_what_a_browser_wants_of_an_app_is_there_for_strangers_too(desk):
    async with httpx.AsyncClient(base_url=desk) as stranger:
        told = await stranger.get("/manifest.webmanifest")
        assert told.headers["content-type"].startswith("application/manifest+json")
        manifest = told.json()
        assert (manifest["start_url"], manifest["display"], manifest["scope"]) == ("/inbox", "standalone", "/")
        purposes = set()
        for icon in manifest["icons"]:
            png = (await stranger.get(icon["src"])).content
            assert png.startswith(b"\x89PNG")
            size = struct.unpack(">II", png[16:24])
            assert f"{size[0]}x{size[1]}" == icon["sizes"]
            purposes.add((icon["sizes"], icon["purpose"]))
        assert purposes == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
        assert "javascript" in (await stranger.get("/sw.js")).headers["content-type"]
        assert (await stranger.get("/offline")).status_code == 200


async def test_without_a_network_there_is_a_page_and_nothing_of_customers_was_kept(logged_in):
    page = await logged_in("/inbox?tab=all", name="Ann Ho")
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible(timeout=PATIENCE_MS)
    assert await page.locator('link[rel="manifest"]').get_attribute("href") == "/manifest.webmanifest"
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await page.wait_for_function("navigator.serviceWorker.controller !== null", timeout=PATIENCE_MS)
    kept = """async () => {
        const found = [];
        for (const name of await caches.keys()) {
            for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
        }
        return found;
    }"""
    assert await page.evaluate(kept) == ["/offline"]
    await page.context.set_offline(True)
    await page.goto("/inbox")
    await expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    await page.context.set_offline(False)
    await page.get_by_role("link", name="Try again").click()
    await expect(page.locator(".ib-row .ib-name, .ib-empty").first).to_be_attached(timeout=PATIENCE_MS)


async def test_an_agent_begins_in_the_inbox_and_others_at_the_monitor(desk):
    for name, home in (("Ann Ho", "/inbox"), ("Ada Lin", "/")):
        async with httpx.AsyncClient(base_url=desk, headers={"Origin": desk}) as client:
            form = {"name": name, "password": "correct horse battery", "next": "/"}
            answer = await client.post("/auth/login", data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, home)
