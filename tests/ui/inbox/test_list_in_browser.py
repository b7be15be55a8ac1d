"""The list: tabs and filters in the address, live rows, an order that never changes under the pointer, any length."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.ui.inbox.product import HOSTILE

pytestmark = pytest.mark.browser
LONG = 100_000
ROW_PX = 84
PATIENCE_MS = 15_000


def row_of(page, text):
    return page.locator(".ib-row", has_text=text)


def choice(page, name):
    return page.get_by_role("dialog").get_by_role("option", name=name)


async def test_the_list_opens_with_what_is_mine_and_every_tab_counts(logged_in):
    page = await logged_in("/inbox", name="Ann Ho")
    await expect(page.get_by_role("tab", name=re.compile("Mine"))).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("option").first).to_be_visible()
    tabs = page.get_by_role("tab").locator("b")
    await expect(tabs).to_have_count(5)
    for number in range(5):
        await expect(tabs.nth(number)).to_have_text(re.compile(r"^\d+$"))


async def test_a_tab_and_a_filter_are_in_the_address_and_survive_a_reload(logged_in):
    page = await logged_in("/inbox", name="Ann Ho")
    await page.get_by_role("tab", name=re.compile("All")).click()
    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.keyboard.type("Platf")
    await page.keyboard.press("Enter")
    await choice(page, "eBay").click()
    await expect(page).to_have_url(re.compile(r"/inbox\?tab=all&platform=ebay$"))
    await expect(page.get_by_role("button", name=re.compile("Platform: eBay"))).to_be_visible()
    await expect(page.locator(".ib-foot")).to_contain_text("260 conversations")
    await page.reload()
    await expect(page.locator(".ib-foot")).to_contain_text("260 conversations")
    await page.get_by_role("button", name=re.compile("Platform: eBay")).click()
    await expect(page).to_have_url(re.compile(r"/inbox\?tab=all$"))


async def test_a_conversation_in_the_address_is_opened(logged_in):
    page = await logged_in("/inbox?tab=all&key=shopee%2Fsg-1%2Fc5", name="Ann Ho")
    await expect(page.locator(".ib-head-name")).to_contain_text("Mei Abdullah")
    await expect(page.locator(".ib-head-line")).to_contain_text("Shopee · sg-1")


async def test_whatever_customers_write_stays_text(logged_in):
    page = await logged_in("/inbox?tab=all&platform=shopee&key=shopee%2Fsg-1%2Fc6", name="Ann Ho")
    await expect(page.locator(".ib-head-name")).to_contain_text(HOSTILE)
    await expect(page.get_by_role("option").first).to_be_visible()
    assert await page.locator('img[src="x"]').count() == 0
    assert await page.evaluate("window.hurt") is None


async def test_a_row_changes_where_it_stands_as_soon_as_the_customer_writes(logged_in, wrote):
    await wrote("live-1", "The first word", name="Live One")
    page = await logged_in("/inbox?tab=all&platform=shopee&sort=newest", name="Ann Ho")
    row = row_of(page, "Live One")
    await expect(row).to_contain_text("The first word", timeout=PATIENCE_MS)
    await page.locator(".ib-list").hover()
    index = await row.get_attribute("aria-posinset")
    await wrote("live-1", "And a second one", name="Live One")
    await expect(row).to_contain_text("And a second one", timeout=PATIENCE_MS)
    await expect(row.locator(".ib-unread")).to_contain_text("2")
    assert await row.get_attribute("aria-posinset") == index


COVERED = """() => {
  const box = document.querySelector(".ib-rows").getBoundingClientRect();
  const pill = document.querySelector(".ib-pill").getBoundingClientRect();
  return [...document.querySelectorAll(".ib-row")].filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return Math.min(bottom, box.bottom) > pill.top && Math.max(top, box.top) < pill.bottom;
  }).map((row) => row.textContent);
}"""


async def test_under_the_pointer_nothing_moves_until_one_asks(logged_in, wrote):
    page = await logged_in("/inbox?tab=all&platform=shopee&sort=newest", name="Ann Ho")
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.locator(".ib-rows").hover()
    top = await page.get_by_role("option").first.locator(".ib-name").inner_text()
    await wrote("fresh-1", "I am new here", name="Fresh Face")
    pill = page.locator(".ib-pill")
    await expect(pill).to_contain_text(re.compile(r"\d+ changed: refresh"), timeout=PATIENCE_MS)
    assert await page.get_by_role("option").first.locator(".ib-name").inner_text() == top
    assert await page.evaluate(COVERED) == []
    await pill.click()
    await expect(page.get_by_role("option").first).to_contain_text("Fresh Face")


async def test_away_from_the_pointer_the_list_puts_itself_in_order(logged_in, wrote):
    page = await logged_in("/inbox?tab=all&platform=shopee&sort=newest", name="Ann Ho")
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.mouse.move(900, 500)
    await wrote("fresh-2", "I am new, too", name="Second Face")
    await expect(page.get_by_role("option").first).to_contain_text("Second Face", timeout=PATIENCE_MS)


async def test_a_search_that_finds_nothing_says_so_and_can_be_taken_back(logged_in):
    page = await logged_in("/inbox?tab=all", name="Ann Ho")
    box = page.get_by_role("searchbox")
    await box.fill("nothing like this anywhere")
    await box.press("Enter")
    await expect(page.locator(".ib-empty")).to_contain_text("Nothing fits these filters")
    await page.locator(".ib-empty").get_by_role("button").click()
    await expect(page.get_by_role("option").first).to_be_visible()


async def test_an_empty_tab_says_what_would_stand_there(logged_in):
    page = await logged_in("/inbox?tab=archived", name="Ann Ho")
    await expect(page.locator(".ib-empty")).to_contain_text("Nothing is archived")


async def test_an_error_is_told_and_tried_again(logged_in):
    page = await logged_in("/inbox?tab=all", name="Ann Ho")
    await expect(page.get_by_role("option").first).to_be_visible()
    broken = {"on": True}

    async def answer(route):
        if broken["on"]:
            await route.fulfill(status=503, json={"title": "busy", "detail": "the database is busy"})
        else:
            await route.fallback()

    await page.route("**/api/v1/inbox?*", answer)
    await page.get_by_role("tab", name=re.compile("Team")).click()
    await expect(page.get_by_role("alert").filter(has_text="the database is busy")).to_be_visible()
    broken["on"] = False
    await page.locator(".ib-error").get_by_role("button").click()
    await expect(page.get_by_role("option").first).to_be_visible()


async def test_a_view_is_saved_shared_and_found_by_others(logged_in):
    page = await logged_in("/inbox?tab=all&platform=ebay&sort=oldest", name="Ann Ho")
    await page.get_by_role("button", name="Saved views").click()
    await choice(page, "Save this view").click()
    await page.keyboard.type("Island shop")
    await page.keyboard.press("Enter")
    await expect(page.locator(".w-toast", has_text="Island shop")).to_be_visible()
    await page.get_by_role("button", name="Saved views").click()
    await choice(page, re.compile("Share “Island shop”")).click()
    other = await logged_in("/inbox", name="Ben Okafor")
    await other.get_by_role("button", name="Saved views").click()
    await choice(other, re.compile("Island shop")).click()
    await expect(other).to_have_url(re.compile(r"tab=all&sort=oldest&platform=ebay"))


class TestAHundredThousand:
    """The same page over a list that no test could write: the server's answers are made up, by offset."""

    @pytest.fixture
    async def page(self, logged_in):
        page = await logged_in("/login", name="Ann Ho")
        self.asked = []

        async def answer(route):
            query = parse_qs(urlsplit(route.request.url).query)
            offset, limit = int(query["offset"][0]), int(query["limit"][0])
            self.asked.append(offset)
            items = [self.row(number) for number in range(offset, min(offset + limit, LONG))]
            await route.fulfill(body=json.dumps({"items": items, "total": LONG, "offset": offset, "counts": None}))

        await page.route("**/api/v1/inbox?*", answer)
        await page.goto("/inbox?tab=all")
        await expect(row_of(page, "Buyer 0").first).to_be_visible()
        return page

    def row(self, number):
        return {
            "key": f"shopee/sg-1/x{number}",
            "platform": "shopee",
            "account": "sg-1",
            "conversation": f"x{number}",
            "status": "open",
            "contact_name": f"Buyer {number}",
            "last_text": "Hello",
            "last_at": "2026-11-30T10:00:00.000Z",
            "labels": [],
            "troubles": [],
            "unread": 0,
        }

    async def test_only_what_is_in_sight_exists(self, page):
        await expect(page.locator(".ib-foot")).to_contain_text("100,000 conversations")
        assert await page.get_by_role("option").count() < 40
        assert await page.locator(".ib-rows-all").evaluate("one => one.offsetHeight") == LONG * ROW_PX
        await expect(page.get_by_role("option").first).to_have_attribute("aria-setsize", str(LONG))

    async def test_a_jump_far_down_fetches_only_what_is_seen_there(self, page):
        await page.locator(".ib-rows").evaluate(f"box => (box.scrollTop = 61234 * {ROW_PX})")
        await expect(row_of(page, "Buyer 61240")).to_be_visible()
        assert set(self.asked) <= {0, 61200, 61250}
        assert await page.get_by_role("option").count() < 40

    async def test_while_it_flies_by_nothing_is_fetched(self, page):
        await page.evaluate(
            f"""() => new Promise((done) => {{
                const box = document.querySelector(".ib-rows");
                let at = 0;
                const step = () => {{
                    box.scrollTop = (at += 700) * {ROW_PX};
                    at < 80000 ? requestAnimationFrame(step) : done();
                }};
                step();
            }})"""
        )
        await expect(row_of(page, "Buyer 80500")).to_be_visible()
        assert len(self.asked) < 15

    async def test_the_last_row_is_reached_by_one_key(self, page):
        await page.locator(".ib-rows").focus()
        await page.keyboard.press("End")
        await expect(row_of(page, "Buyer 99999")).to_be_visible()
        await expect(page.locator(".ib-rows")).to_have_attribute("aria-activedescendant", "ib-row-99999")

    async def test_no_more_than_five_hundred_are_selected_at_once(self, page):
        await page.locator(".ib-rows").focus()
        await page.keyboard.press("Control+a")
        await expect(page.locator(".ib-bulk")).to_contain_text("500 selected")
        await expect(page.locator(".w-toast")).to_contain_text("500 of 100,000")
