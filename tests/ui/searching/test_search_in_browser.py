"""The search's page and the palette: what is found, shown as text, marked where it is written, reached by keys."""

import re

import pytest
from playwright.async_api import expect

from tests.ui.searching.product import HOSTILE

pytestmark = pytest.mark.browser


def hits(page):
    return page.locator("a.find-hit")


def palette(page):
    return page.get_by_role("dialog", name="Search everything")


def options(page):
    return palette(page).get_by_role("option")


def group(page, name):
    return palette(page).get_by_role("group", name=name, exact=True)


async def typed(page, words):
    """Open the palette and type."""
    await page.keyboard.press("Control+k")
    await palette(page).get_by_role("combobox").fill(words)


async def test_messages_stand_by_day_marked_where_the_words_are(logged_in):
    page = await logged_in("/search?q=%E9%80%80%E6%AC%BE")
    await expect(hits(page)).to_have_count(1)
    await expect(hits(page).locator("mark")).to_have_text("退款")
    await expect(page.locator(".find-divider")).to_have_count(1)
    await page.get_by_role("searchbox").fill("3456")
    await expect(hits(page).locator("mark")).to_have_text("3456")
    await expect(hits(page).locator(".find-text")).to_have_text(re.compile("^\\s*😀 注文番号12-3456のキャンセル\\s*$"))
    await page.get_by_role("searchbox").fill("上海")
    await expect(hits(page).locator("mark")).to_have_text("上海")
    await expect(page).to_have_url(re.compile("q=%E4%B8%8A%E6%B5%B7"))


async def test_customers_words_are_text_and_nothing_else(logged_in):
    page = await logged_in("/search?q=refund")
    await expect(hits(page)).to_have_count(2)
    first = hits(page).first
    await expect(first).to_contain_text(HOSTILE)
    await expect(first.locator("mark")).to_have_text("refund")
    await typed(page, "refund")
    await expect(options(page).filter(has_text=HOSTILE).first).to_be_visible()
    assert await page.evaluate("window.hurt") is None
    await expect(page.locator(".find-results img, .pal img")).to_have_count(0)


async def test_an_earlier_version_says_so(logged_in):
    page = await logged_in("/search?q=first")
    await expect(hits(page)).to_contain_text("the first words")
    await expect(hits(page)).to_contain_text("In an earlier version")


async def test_filters_narrow_and_stand_in_the_address(logged_in):
    page = await logged_in("/search?q=refund")
    await page.get_by_label("Direction").select_option("out")
    await expect(hits(page)).to_have_count(1)
    await expect(hits(page)).to_contain_text("Your refund")
    await expect(page).to_have_url(re.compile("direction=out"))
    await page.reload()
    await expect(hits(page)).to_have_count(1)
    await page.get_by_role("button", name="Clear filters").click()
    await page.get_by_label("Platform").select_option("line")
    await expect(hits(page)).to_have_count(1)
    await expect(hits(page)).to_contain_text(HOSTILE)
    await page.get_by_label("To", exact=True).fill("2020-01-01")
    await expect(page.locator(".find-results .w-empty")).to_contain_text("Every message ever held was looked through")


async def test_scrolling_goes_on_to_the_first_message_and_says_when_it_ends(logged_in):
    page = await logged_in("/search?q=parcel")
    await expect(hits(page).first).to_contain_text("parcel number 0")
    for _ in range(5):
        await page.mouse.wheel(0, 100_000)
        await hits(page).last.scroll_into_view_if_needed()
    await expect(hits(page)).to_have_count(130)
    await expect(page.locator(".find-end")).to_contain_text("back to the first message")


async def test_arrows_go_from_hit_to_hit_and_enter_opens_the_conversation_at_the_message(logged_in):
    page = await logged_in("/search?q=words")
    box = page.get_by_role("searchbox")
    await expect(hits(page)).to_have_count(1)
    await box.fill("parcel")
    await expect(hits(page).first).to_contain_text("parcel number 0")
    await box.press("ArrowDown")
    await expect(hits(page).first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(hits(page).nth(1)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/inbox\\?tab=all&key=shopee%2Fshop%2Fmany1&message=p1"))


async def test_a_failed_search_says_so_and_can_be_tried_again(logged_in):
    page = await logged_in("/search")
    await expect(hits(page).first).to_be_visible()
    await page.route("**/api/v1/search/messages?*", lambda route: route.abort())
    await page.get_by_role("searchbox").fill("refund")
    again = page.get_by_role("button", name="Try again")
    await expect(again).to_be_visible()
    await page.unroute("**/api/v1/search/messages?*")
    await again.click()
    await expect(hits(page)).to_have_count(2)


async def test_the_palette_finds_every_kind_and_goes_there_by_keys(logged_in):
    page = await logged_in("/mutes")
    await typed(page, "lin shan")
    await expect(options(page).filter(has_text="Lin Shan")).to_have_count(4)
    await expect(group(page, "Customers")).to_contain_text("u-l")
    await palette(page).get_by_role("combobox").fill("ord20249")
    await expect(group(page, "Messages")).to_contain_text("我家在上海东边。")
    await palette(page).get_by_role("combobox").fill("5001")
    await expect(group(page, "Orders")).to_contain_text("#5001")
    await palette(page).get_by_role("combobox").fill("上海")
    await expect(palette(page).locator("mark").first).to_have_text("上海")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/inbox\\?tab=all&key=shopee%2Fshop%2Fshanghai"))
    await page.keyboard.press("Control+k")
    await expect(group(page, "Recent")).to_contain_text("Lin Shan")


async def test_the_palette_goes_to_pages_one_may_open_and_no_others(logged_in):
    page = await logged_in("/mutes", name="Vic Ho")
    await typed(page, "users")
    await expect(options(page).filter(has_text="Go to Users")).to_have_count(0)
    await palette(page).get_by_role("combobox").fill("search")
    await expect(options(page).first).to_have_text("Go to Search")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/search$"))


async def test_the_palette_keeps_the_focus_and_gives_it_back(logged_in):
    page = await logged_in("/search")
    box = page.get_by_role("searchbox")
    await box.focus()
    await page.keyboard.press("Control+k")
    combobox = palette(page).get_by_role("combobox")
    await expect(combobox).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(combobox).to_be_focused()
    first = await combobox.get_attribute("aria-activedescendant")
    await page.keyboard.press("ArrowDown")
    await expect(combobox).not_to_have_attribute("aria-activedescendant", first)
    await expect(palette(page).locator("[aria-selected=true]")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(palette(page)).to_have_count(0)
    await expect(box).to_be_focused()


async def test_a_phone_has_all_of_it_without_a_sideways_scroll(logged_in):
    page = await logged_in("/search?q=refund", phone=True)
    await expect(hits(page)).to_have_count(2)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("button", name="Search everything").click()
    await palette(page).get_by_role("combobox").fill("refund")
    await expect(options(page).first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = "[...document.querySelectorAll('.pal-item, .pal-close')].filter(e => e.getBoundingClientRect().height < 44)"
    assert await page.evaluate(f"{small}.length") == 0
    await palette(page).get_by_role("button", name="Close").click()
    await expect(palette(page)).to_have_count(0)


async def test_the_page_speaks_chinese(logged_in):
    page = await logged_in("/search?q=nothing-has-this", lang="zh")
    await expect(page.get_by_role("heading", name="搜索")).to_be_visible()
    await expect(page.locator(".find-results .w-empty")).to_contain_text("已查找全部保存的消息")
