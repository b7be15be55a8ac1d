"""The frame and the pages behind the numbers in a real browser; hostile text stays text."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hacked=1">'
KEY = "shopee/shop-sg-1/c-83624"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/anomalies",
        f"/anomalies?platform={HOSTILE}",
        "/conversations?q=parcel",
        f"/conversation?key={KEY}",
        f"/trace?key={KEY}&message=2948271006531",
        f"/channels?key={HOSTILE}",
    ],
)
async def test_whatever_customers_write_stays_text(visit, path):
    page = await visit(path)
    await expect(page.get_by_text(HOSTILE).first).to_be_attached()
    assert await page.evaluate("window.hacked") is None
    assert await page.locator('img[src="x"], script:text("hacked")').count() == 0


async def test_a_message_is_told_hop_by_hop_with_the_gaps(visit):
    page = await visit(f"/trace?key={KEY}&message=2948271006531")
    names = page.locator(".hop-name")
    await expect(names).to_have_text(
        ["Sent", "Received", "Logged", "Processed", "Stored", "Notified", "Translated", "Seen", "Answered"]
    )
    await expect(page.locator(".hop.is-guilty")).to_contain_text("+3 m 51 s")
    await expect(page.locator(".hop.is-missing")).to_contain_text("not yet")


async def test_the_id_of_a_message_leads_to_its_life(visit):
    page = await visit("/conversations?q=m-1")
    link = page.get_by_role("region", name="Messages of this id").get_by_role("link")
    await expect(link).to_have_count(1)
    await link.click()
    await expect(page).to_have_url(re.compile(r"/trace\?key=shopee%2Fshop-sg-1%2Fc-83624&message=m-1$"))
    await expect(page.locator(".hop").first).to_be_visible()


async def test_words_that_are_no_id_show_conversations_alone(visit, asked):
    page = await visit("/conversations?q=parcel")
    await expect(page.locator(".conv-row").first).to_be_visible()
    await expect(page.get_by_role("region", name="Messages of this id")).to_have_count(0)
    assert {"path": "conversations", "q": "parcel", "limit": "50"} in asked()


async def test_a_key_with_slashes_and_signs_finds_its_conversation(visit, asked):
    page = await visit()
    await page.locator(".sample", has_text="消息-44").click()
    await expect(page).to_have_url(re.compile("/trace"))
    await expect(page.locator(".hop").first).to_be_visible()
    assert "messages/shopee/shop-sg-1/客服%2F对话%251/消息-44/trace" in [one.get("path") for one in asked()]


async def test_moving_between_pages_loads_no_page_and_stops_the_pushes(visit):
    page = await visit()
    await expect(page.locator(".mx-row").first).to_be_visible()
    await page.evaluate("window.same = true")
    await page.get_by_role("link", name="Search").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    await expect(page).to_have_title("Search · Weir")
    await page.get_by_role("link", name="Monitor").click()
    await expect(page.locator(".mx-row").first).to_be_visible()
    assert await page.evaluate("window.same") is True


async def test_an_unknown_page_says_so_in_the_visitors_language(visit):
    page = await visit("/nowhere", lang="zh")
    await expect(page.get_by_role("heading", level=1)).to_have_text("此处没有内容")


async def test_theme_and_language_are_switched_and_kept(visit):
    page = await visit()
    await page.get_by_role("button", name="Dark theme").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("消息健康")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    other = await visit()
    await expect(other.get_by_role("heading", level=1)).to_have_text("消息健康")


async def test_an_ended_session_sends_its_pages_to_the_login(visit, address):
    page = await visit()
    await expect(page.locator(".mx-row").first).to_be_visible()
    await page.request.post(f"{address}/test/revoke/admin")
    await expect(page).to_have_url(re.compile("/login"))
    await expect(page.get_by_role("alert")).to_contain_text("session has ended")


async def test_a_lost_connection_is_told_on_every_page(visit):
    page = await visit("/anomalies")
    await expect(page.locator(".rows")).to_be_visible()
    await page.evaluate("window.socket.disconnect()")
    await expect(page.locator(".w-toast")).to_contain_text("Connection lost")
    await page.evaluate("window.socket.connect()")
    await expect(page.locator(".w-toast")).to_have_count(0)


async def test_a_failed_answer_of_the_api_is_told_in_its_own_words(visit):
    page = await visit("/trace?key=x&message=y")
    await page.route(
        "**/api/v1/messages/**", lambda route: route.fulfill(status=404, json={"detail": "no such message"})
    )
    await page.reload()
    await expect(page.get_by_text("no such message")).to_be_visible()
