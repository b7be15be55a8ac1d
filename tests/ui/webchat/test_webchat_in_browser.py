"""The chat on a shop's page: nothing that a visitor writes is lost, doubled or run, whatever breaks meanwhile."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.ui.webchat.conftest import PAGE, SHOP

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
HOSTILE = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>\u202e"


async def opened(page):
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    return page.get_by_role("textbox", name="Write a message")


async def write(page, text):
    box = page.get_by_role("textbox", name="Write a message")
    await box.fill(text)
    await box.press("Enter")


async def all_sent(page, count):
    """Every message is shown, and none waits any more."""
    await expect(page.locator(".m")).to_have_count(count, timeout=PATIENCE_MS)
    await expect(page.locator(".m .meta", has_text="Waiting")).to_have_count(0, timeout=PATIENCE_MS)


async def held(product, count):
    """The texts that Weir holds of the visitor, in order."""
    async with asyncio.timeout(PATIENCE_MS / 1_000):
        while True:
            key, messages = await asyncio.to_thread(product.conversation)
            if len(messages) >= count:
                return key, messages
            await asyncio.sleep(0.1)


async def texts(page):
    return [text.strip() for text in await page.locator(".m .b").all_inner_texts()]


async def test_what_is_written_while_the_server_is_dead_arrives_once_and_in_order(shop, product):
    page = await shop()
    await opened(page)
    await write(page, "the very first")
    await all_sent(page, 1)
    wanted = ["the very first", *(f"message number {number}" for number in range(1, 21))]
    for text in wanted[1:6]:
        await write(page, text)
    await asyncio.to_thread(product.kill)  # with answers on their way
    for text in wanted[6:]:
        await write(page, text)
    await expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator(".m")).to_have_count(21)
    await asyncio.to_thread(product.start)
    await all_sent(page, 21)
    _, messages = await held(product, 21)
    assert [one["text"] for one in messages] == wanted
    assert [one["seq"] for one in messages] == list(range(1, 22))
    assert await texts(page) == wanted
    await page.reload()
    await opened(page)
    await all_sent(page, 21)
    assert await texts(page) == wanted


async def test_what_waits_is_still_there_when_the_page_is_loaded_anew(shop, product):
    page = await shop()
    cut = re.compile(r"/chat/shop/(session|messages|seen|typing)")
    await page.route(cut, lambda route: route.abort())
    await page.route_web_socket(re.compile("/socket$"), lambda socket: socket.close())
    await opened(page)
    for number in range(3):
        await write(page, f"before {number}")
    await expect(page.locator(".m .meta", has_text="Waiting")).to_have_count(3)
    await page.reload()
    await opened(page)
    await write(page, "after")
    await expect(page.locator(".m .meta", has_text="Waiting")).to_have_count(4)
    await page.unroute(cut)  # sockets stay cut: it must do without
    await all_sent(page, 4)
    _, messages = await held(product, 4)
    assert [one["text"] for one in messages] == ["before 0", "before 1", "before 2", "after"]


async def test_an_answer_comes_by_itself_and_markup_is_text_on_both_ways(shop, product):
    page = await shop()
    await opened(page)
    await write(page, HOSTILE)
    await all_sent(page, 1)
    key, messages = await held(product, 1)
    assert messages[0]["text"] == HOSTILE
    await page.keyboard.press("Escape")
    await asyncio.to_thread(product.reply, key, f"{HOSTILE} indeed")
    await expect(page.locator(".badge")).to_have_text("1", timeout=PATIENCE_MS)
    await opened(page)
    await expect(page.locator(".m.ours .b")).to_have_text(f"{HOSTILE} indeed")
    await expect(page.locator(".badge")).to_be_hidden()
    assert await page.evaluate("window.broken") is None
    assert await page.locator(".log script, .log img").count() == 0


async def test_a_visitor_without_sockets_is_answered_too(shop, product):
    page = await shop()
    await page.route_web_socket(re.compile("/socket$"), lambda socket: socket.close())
    await opened(page)
    await write(page, "no sockets here")
    await all_sent(page, 1)
    key, _ = await held(product, 1)
    await asyncio.to_thread(product.reply, key, "never mind")
    await expect(page.locator(".m.ours .b")).to_have_text("never mind", timeout=PATIENCE_MS)


async def test_it_is_worked_by_keyboard_alone(shop):
    page = await shop()
    launch = page.get_by_role("button", name="Open chat")
    await launch.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Write a message")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(launch).to_be_focused()


async def test_who_comes_when_nobody_is_there_leaves_an_address(shop, product):
    page = await shop(account="away", lang="zh")
    await page.get_by_role("button", name="打开聊天").click()
    await expect(page.get_by_role("heading", name="Weir Outfitters")).to_be_visible(timeout=PATIENCE_MS)
    box = page.get_by_role("textbox", name="输入消息")
    await box.fill("请回复我")
    await box.press("Enter")
    await expect(page.get_by_role("textbox", name="您的邮箱")).to_be_focused()
    await page.get_by_role("textbox", name="您的邮箱").fill("mia@shop.example")
    await box.press("Enter")
    await expect(page.locator(".m")).to_have_count(1)
    _, messages = await held(product, 1)
    assert messages[0]["text"] == "请回复我"
    await expect(page.get_by_role("textbox", name="您的邮箱")).to_be_hidden()


async def test_only_admins_try_it_out_and_the_widget_is_kept_for_ever(browser, product):
    context = await browser.new_context(base_url=product.address)
    page = await context.new_page()
    await page.goto("/chat/shop/try")
    assert "/login" in page.url
    await context.request.post("/auth/login", data={"name": "Ada Lin", "password": "correct horse battery"})
    async with page.expect_response(re.compile(r"weir-chat\.js\?v=")) as widget:
        await page.goto("/chat/shop/try")
    response = await widget.value
    assert "immutable" in response.headers["cache-control"]
    assert len(await response.body()) < 20_000
    await opened(page)


async def test_two_windows_of_one_visitor_show_the_same_once(shop, product):
    first = await shop()
    await opened(first)
    await write(first, "from the first window")
    await all_sent(first, 1)
    again = await first.context.new_page()
    body = PAGE.format(src=f"{product.address}/chat/shop/widget.js", more="")
    await again.route(f"{SHOP}/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    await again.goto(f"{SHOP}/")
    await opened(again)
    await all_sent(again, 1)
    for number in range(5):
        await write(first, f"first says {number}")
        await write(again, f"second says {number}")
    for page in (first, again):
        await all_sent(page, 11)
    _, messages = await held(product, 11)
    assert len({one["text"] for one in messages}) == len(messages) == 11
    assert sorted(await texts(first)) == sorted(await texts(again))
