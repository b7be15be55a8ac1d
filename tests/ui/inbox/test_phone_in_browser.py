"""On a phone: one pane at a time, the browser's way back, everything a thumb needs at the bottom and large enough."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
TARGET_PX = 44
PATIENCE_MS = 15_000
SHOP = "/inbox?tab=all&platform=shopee&sort=oldest"


async def opened(logged_in, path=SHOP):
    page = await logged_in(path, name="Ann Ho", phone=True)
    await expect(page.locator(".ib-row .ib-name").first).to_be_attached()
    return page


async def test_one_pane_at_a_time_and_the_way_back_is_the_browsers(logged_in):
    page = await opened(logged_in)
    await expect(page.locator(".ib-main-pane")).to_be_hidden()
    await page.locator(".ib-row").nth(4).tap()
    await expect(page.locator(".ib-head-name")).to_be_visible()
    await expect(page.locator(".ib-list-pane")).to_be_hidden()
    await page.locator(".ib-head").get_by_role("button", name="More", exact=True).tap()
    await page.get_by_role("dialog").get_by_role("option", name="Customer and order").tap()
    await expect(page.locator(".ib-context-pane")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".ib-context-pane")).to_be_hidden()
    await expect(page.locator(".ib-head-name")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".ib-list-pane")).to_be_visible()
    await page.go_forward()
    await expect(page.locator(".ib-head-name")).to_be_visible()
    await page.get_by_role("button", name="Back to the list").tap()
    await expect(page.locator(".ib-list-pane")).to_be_visible()
    await expect(page).not_to_have_url(re.compile("key="))


async def test_whatever_is_tapped_is_large_enough(logged_in):
    for path in (SHOP, f"{SHOP}&key=shopee%2Fsg-1%2Fc7"):
        page = await opened(logged_in, path)
        small = await page.evaluate(
            f"""() => [...document.querySelectorAll(".ib button, .ib [role=tab], .ib select, .rail a, .rail button")]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width)
                .map((one) => [one.className, one.getBoundingClientRect()])
                .filter(([, box]) => box.height < {TARGET_PX} - 0.5)
                .map(([name, box]) => `${{name}} ${{Math.round(box.width)}}x${{Math.round(box.height)}}`)"""
        )
        assert [one for one in small if one.startswith(("ib-", "w-btn", "rail"))] == []


async def test_tabs_and_composer_stand_at_the_bottom_and_nothing_is_wider_than_the_screen(logged_in):
    page = await opened(logged_in)
    tabs = await page.locator(".ib-tabs").bounding_box()
    assert tabs["y"] > 600
    await page.locator(".ib-row").first.tap()
    composer = page.locator(".ib-composer")
    await expect(composer).to_be_visible()
    box = await composer.bounding_box()
    assert box["y"] + box["height"] > 740
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_a_menu_comes_from_below(logged_in):
    page = await opened(logged_in)
    await page.get_by_role("button", name="Filter", exact=True).tap()
    box = await page.locator(".ib-menu").bounding_box()
    assert round(box["y"] + box["height"]) == 844
    assert box["width"] == 390


async def test_chinese_is_complete(logged_in):
    page = await logged_in(SHOP, name="Ann Ho", lang="zh", phone=True)
    await expect(page.locator(".ib-tab").first).to_contain_text("我的")
    words = await page.locator(".ib").inner_text()
    assert "inbox." not in words
