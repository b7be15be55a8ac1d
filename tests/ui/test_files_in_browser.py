"""Files beside their messages in a real browser: arriving, there, and what to do about those that are not."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.services_layer.album import picture
from ui.language import catalogue

pytestmark = pytest.mark.browser

KEY = "shopee/shop-sg-1/c-83624"
HREF = "/api/v1/conversations/shopee%2Fshop-sg-1%2Fc-83624/messages/m-1/attachments"
MESSAGES = json.loads((Path(__file__).parent / "fixtures" / "messages.json").read_text(encoding="utf-8"))
THERE = {
    "id": "a1",
    "kind": "image",
    "status": "ok",
    "found": {"mime": "image/jpeg", "size": 1_234_567, "width": 300, "height": 200},
    "href": f"{HREF}/a1",
    "thumb": f"{HREF}/a1/thumb",
}


class Thread:
    """What a conversation's first message is answered with, and what was asked of it."""

    def __init__(self):
        self.files, self.asked = [], []


@pytest.fixture
async def thread(visit, address):
    """Opens a conversation whose first message has `files`, which may be changed; `asked` are its fetches."""

    files_of = Thread()

    async def answer(route):
        told = json.loads(json.dumps(MESSAGES))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        told["items"][0] |= {"attachments": files_of.files, "at": now}
        await route.fulfill(json=told | {"next": None})

    async def refetch(route):
        files_of.asked.append(route.request.url)
        files_of.files = [THERE]
        await route.fulfill(status=202, json={})

    async def opened(files, **options):
        files_of.files, files_of.asked = files, []
        page = await visit("/", **options)
        await page.route(re.compile(r"/messages\?limit="), answer)
        await page.route(re.compile("/thumb$"), lambda route: route.fulfill(body=picture(), content_type="image/png"))
        await page.route(re.compile("/refetch$"), refetch)
        await page.goto(f"{address}/conversation?key={KEY}")
        page.thread = files_of
        return page

    return opened


async def test_a_file_is_arriving_until_it_is_there_and_the_page_shows_it_by_itself(thread):
    page = await thread([{"id": "a1", "kind": "image"}])
    await expect(page.get_by_text("File arriving…")).to_be_visible()
    assert await page.locator(".file img").count() == 0
    page.thread.files = [THERE]
    image = page.locator(".file img")
    await expect(image).to_be_visible(timeout=15_000)
    await expect(page.get_by_text("File arriving…")).to_have_count(0)
    await expect(image).to_have_attribute("alt", "Picture · 1.2 MB")
    await expect(page.locator(".file-picture")).to_have_attribute("href", THERE["href"])


async def test_a_file_that_did_not_come_says_why_and_is_fetched_again(thread):
    page = await thread(
        [{"id": "a1", "kind": "image", "status": "expired", "reason": "expired_url", "cure": "ask_customer"}]
    )
    await expect(page.locator(".file.is-bad")).to_contain_text("Its address at the platform is good no more.")
    await expect(page.locator(".file.is-bad")).to_contain_text("Ask the customer to send it again.")
    await page.get_by_role("button", name="Fetch again").click()
    await expect(page.locator(".file img")).to_be_visible(timeout=15_000)
    assert page.thread.asked[0].endswith(f"{HREF}/a1/refetch")


async def test_a_viewer_fetches_nothing_and_a_kind_that_is_not_shown_can_be_saved(thread):
    heic = {"id": "a1", "kind": "image", "status": "unsupported", "reason": "undecodable", "cure": "convert"}
    page = await thread([heic | {"href": f"{HREF}/a1"}], role="viewer", lang="zh")
    await expect(page.locator(".file.is-bad")).to_contain_text(catalogue("zh")["file.cure.convert"])
    await expect(page.locator(".file.is-bad .file-line")).to_have_attribute("href", f"{HREF}/a1")
    await expect(page.locator(".file button")).to_have_count(0)


async def test_what_a_stranger_calls_a_file_stays_text(thread):
    hostile = '<img src=x onerror="window.hacked=1">'
    files = [{"id": hostile, "kind": hostile, "status": "corrupt", "reason": hostile, "cure": hostile}]
    page = await thread(files)
    await expect(page.locator(".file.is-bad")).to_contain_text("It came damaged.")
    assert await page.evaluate("window.hacked") is None
