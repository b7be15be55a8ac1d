"""Workload and SLA on the real product: each number opens its rows, and what changes is shown to who may see it."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 15_000

# Every count of open conversations with its address; a deadline is no count.
COUNTS = """() => [...document.querySelectorAll(".wl-table td:not(.wl-due) > a.figure, .wl-tiles a.tile-in")]
  .map((link) => [link.getAttribute("href"), Number((link.querySelector(".tile-value") || link).textContent)])"""


async def looked_at(logged_in, name="Sam Wu", path="/workload", **more):
    page = await logged_in(path, name=name, **more)
    await expect(page.locator(".wl-team").first).to_be_visible()
    return page


def people(page):
    return page.get_by_role("region", name="By team and person")


def line(page, name):
    return people(page).locator("tbody tr").filter(has=page.locator("th", has_text=name))


async def test_every_number_opens_exactly_the_rows_behind_it(logged_in):
    page = await looked_at(logged_in)
    found = {}
    for href, count in await page.evaluate(COUNTS):
        assert found.setdefault(href, count) == count
    assert len(found) > 25
    assert {name for href in found for name in parse_qs(urlsplit(href).query)} >= {
        "tab", "team", "assignee", "platform", "sla", "waiting",
    }  # fmt: skip
    for href, count in found.items():
        await page.goto(href)
        words = "1 conversation" if count == 1 else f"{count} conversations"
        await expect(page.locator(".ib-foot [role=status]"), href).to_have_text(words)
        await expect(page.locator(".ib-row .ib-name").first, href).to_be_visible()


async def test_a_click_leads_there_and_the_filters_have_names(logged_in):
    page = await looked_at(logged_in)
    late = line(page, "Asia").get_by_role("link", name="Asia, Breached")
    count = await late.inner_text()
    await late.click()
    await expect(page.locator(".ib-chips")).to_contain_text("Team: Asia")
    await expect(page.locator(".ib-chips")).to_contain_text("Deadline: Breached")
    await expect(page.locator(".ib-foot [role=status]")).to_have_text(f"{count} conversations")
    assert await page.locator('.ib-row [class*="ib-due is-red"]').count() == int(count)


async def test_a_supervisor_sees_own_teams_an_admin_all(logged_in):
    sam, ada = await looked_at(logged_in), await looked_at(logged_in, "Ada Lin")
    await expect(sam.locator(".wl-team th")).to_have_text(["Asia", "No team"])
    await expect(ada.locator(".wl-team th")).to_have_text(["Asia", "Europe", "No team"])
    await expect(ada.locator(".wl-platform th")).to_have_text(["eBay", "Lazada", "Shopee", "Telegram"])
    assert await ada.evaluate("window.hurt") is None
    await expect(line(ada, "window.hurt=1")).to_be_visible()


async def test_a_new_message_is_counted_without_a_reload(logged_in):
    page = await looked_at(logged_in, "Ada Lin")
    europe = line(page, "Europe").get_by_role("link", name="Europe, Open")
    before = int(await europe.inner_text())
    event = {
        "type": "message", "platform": "ebay", "account": "uk", "conversation": "fresh", "message": "fresh-1",
        "sent_at": datetime.now(UTC).isoformat(), "direction": "in", "sender": {"id": "u", "role": "customer"},
        "text": "Hello?",
    }  # fmt: skip
    answer = await page.context.request.post("/api/v1/events", data=[event])
    assert answer.status == 202, await answer.text()
    await expect(europe).to_have_text(str(before + 1))


async def test_whoever_opens_an_inbox_is_online(logged_in):
    page = await looked_at(logged_in, "Ada Lin")
    await logged_in("/inbox", name="Ben Okafor")
    await expect(line(page, "Ben Okafor").locator(".wl-dot")).to_have_text("Online")
    await expect(line(page, "Eva Roth").locator(".wl-dot")).to_have_text("Offline")


async def test_the_period_is_chosen_and_kept_in_the_address(logged_in):
    page = await looked_at(logged_in, "Ada Lin")
    share = page.locator(".wl-tiles li").last
    day = await share.locator(".tile-side").inner_text()
    await page.get_by_role("button", name="7 days").click()
    await expect(page).to_have_url(re.compile(r"/workload\?period=week$"))
    week = await share.locator(".tile-side").inner_text()
    assert [int(words.split()[2]) for words in (day, week)] == sorted(int(words.split()[2]) for words in (day, week))
    assert day != week
    await page.reload()
    await expect(page.get_by_role("button", name="7 days")).to_have_attribute("aria-pressed", "true")
    await expect(people(page).locator("thead").first).to_contain_text("Clocks that ended in the last 7 days")


async def test_what_each_number_means_is_one_click_away(logged_in):
    page = await looked_at(logged_in, phone=True)
    terms = page.locator(".wl-terms")
    await expect(terms.locator("dl")).to_be_hidden()
    await terms.locator("summary").click()
    await expect(terms.locator("dl")).to_contain_text("who answered is not kept with a clock")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_agents_have_no_such_page(logged_in):
    page = await logged_in("/workload", name="Ann Ho")
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await expect(page.locator(".rail-item", has_text="Workload")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "key", "path"), [("Sam Wu", "r", "/workload"), ("Sam Wu", "t", "/thresholds"), ("Ann Ho", "r", "/")]
)
async def test_g_and_a_letter_lead_there_from_the_inbox(logged_in, name, key, path):
    page = await logged_in("/inbox?tab=all", name=name)
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press(key)
    await expect(page).to_have_url(re.compile(rf"[0-9]{re.escape(path)}(\?|$)"), timeout=PATIENCE_MS)


async def test_who_may_not_see_it_any_more_has_nothing_left_on_the_screen(logged_in):
    page, ada = await looked_at(logged_in, "Eva Roth"), await logged_in("/settings", name="Ada Lin")
    answer = await ada.context.request.patch("/api/v1/users/Eva%20Roth", data={"role": "agent"})
    assert answer.ok, await answer.text()
    await expect(page.get_by_role("alert")).to_contain_text("view_workload needs the role admin or supervisor")
    await expect(page.locator(".wl-table, .wl-tiles")).to_have_count(0)
