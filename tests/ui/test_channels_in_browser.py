"""The page of channels: each channel says whether it works, why not, and what to do; by text, not by colour alone."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hacked=1">'


def card(page, account):
    return page.locator(".ch").filter(has=page.locator("h3", has_text=account))


async def test_every_channel_says_how_it_does(visit):
    page = await visit("/settings/channels")
    await expect(page.locator(".ch")).to_have_count(6)
    lost = card(page, "shop-th-2")
    await expect(lost.locator(".ch-head .w-pill")).to_have_text("Not working")
    for told in ("was revoked", "sends us no webhooks", "Comparing fails since", "the platform answers 403"):
        await expect(lost.locator(".ch-troubles")).to_contain_text(told)
    await expect(card(page, "sg-1")).to_contain_text("Ends in 5 d")
    await expect(card(page, "sg-1").locator(".w-pill")).to_have_text("Needs a look")
    await expect(card(page, "de-1")).to_contain_text("renewed by itself")
    await expect(card(page, "de-1").get_by_role("progressbar")).to_have_attribute("value", "0.43")
    await expect(card(page, "bot")).to_contain_text("Signatures fail since")
    await expect(card(page, "own").locator(".w-pill")).to_have_text("Bound")
    await expect(card(page, "own")).to_contain_text("Not asked for yet")


async def test_what_platforms_say_is_text(visit):
    page = await visit("/settings/channels")
    await expect(card(page, "page <img")).to_contain_text(f"the page says {HOSTILE}")
    await expect(card(page, "page <img")).to_contain_text("Permissions were not given: pages_messaging")
    assert await page.evaluate("window.hacked") is None


async def test_a_channel_is_authorised_where_the_platform_has_that(visit):
    page = await visit("/settings/channels")
    link = card(page, "shop-th-2").get_by_role("link", name="Authorise")
    await expect(link).to_have_attribute("href", "/api/v1/bindings/shopee/shop-th-2/authorise")
    await expect(card(page, "own").get_by_role("link", name="Authorise")).to_have_count(0)


async def test_whoever_comes_back_from_a_platform_is_told_of_a_channel_that_is_bound(visit):
    page = await visit("/settings/channels?authorised=ebay%2Fde-1")
    await expect(page.locator(".w-toast")).to_contain_text("eBay · de-1 is authorised")
    await expect(page).to_have_url(re.compile(r"/settings/channels$"))
    page = await visit("/settings/channels?authorised=your%20password%20is%20needed")
    await expect(page.locator(".ch")).to_have_count(6)
    await expect(page.locator(".w-toast")).to_have_count(0)


async def test_a_live_test_shows_the_next_message_and_can_be_broken_off(visit):
    page = await visit("/settings/channels")
    latest = {"last_at": "2026-11-22T10:00:00Z", "contact_name": HOSTILE, "conversation": "c1", "last_text": "hello"}

    async def answer(route):
        await route.fulfill(json={"items": [latest], "next": None})

    await page.route("**/api/v1/conversations?*", answer)
    here = card(page, "bot")
    await here.get_by_role("button", name="Test").click()
    await expect(here.get_by_role("status")).to_contain_text("Send yourself a message")
    await expect(here.get_by_role("button", name="Test")).to_be_disabled()
    await here.get_by_role("button", name="Cancel").click()
    await expect(here.get_by_role("status")).to_have_count(0)
    async with page.expect_response(re.compile("conversations")):
        await here.get_by_role("button", name="Test").click()
    latest["last_at"], latest["last_text"] = "2026-11-22T10:00:09Z", "is it there?"
    await expect(here.get_by_role("status")).to_contain_text("is it there?")
    await expect(here.get_by_role("status")).to_contain_text(HOSTILE)
    await here.get_by_role("button", name="Close").click()
    assert await page.evaluate("window.hacked") is None


async def test_a_channel_is_compared_by_hand(visit, asked):
    page = await visit("/settings/channels")
    await card(page, "shop-th-2").get_by_role("button", name="Compare the last 24 hours").click()
    await expect(page.locator(".w-toast")).to_contain_text("compared: 2 new")
    (post,) = [one for one in asked() if one.get("post", "").startswith("sweeps/")]
    assert post["post"] == "sweeps/shopee/shop-th-2"
    assert post["body"]["until"] - post["body"]["since"] == 86_400_000


async def test_on_a_phone_nothing_is_wider_than_the_screen(visit):
    page = await visit("/settings/channels", phone=True, lang="zh", theme="dark")
    await expect(page.locator(".ch")).to_have_count(6)
    await expect(page.locator(".ch").first).to_contain_text("自动续期")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
