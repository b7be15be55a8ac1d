"""Mutes on the screens: shown for what they are, made from wherever the trouble stands, lifted early."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hacked=1">'


def dialog(page):
    return page.get_by_role("dialog", name="Mute a trouble")


def made(asked):
    return [one["body"] for one in asked() if one.get("post") == "mutes"]


async def test_a_silenced_channel_says_so_by_shape_word_colour_and_end(visit):
    page = await visit()
    row = page.locator(".mx-row.is-silenced")
    await expect(row).to_contain_text("shop-th-2")
    await expect(row.locator(".mx-state")).to_have_text(re.compile(r"Silenced\s*until \d\d:\d\d"))
    await expect(row).to_have_css("background-image", re.compile("repeating-linear-gradient"))
    await expect(page.locator(".tile").first).to_contain_text("6 of them muted")


async def test_the_head_counts_the_mutes_and_lists_them_as_text(visit, asked):
    page = await visit()
    await page.get_by_role("button", name="2 muted").click()
    menu = page.get_by_role("region", name="What is muted")
    await expect(menu.get_by_role("listitem")).to_have_count(2)
    await expect(menu).to_contain_text(HOSTILE)
    assert await page.evaluate("window.hacked") is None
    await menu.get_by_role("button", name="Lift").first.click()
    await expect(page.locator(".w-toast")).to_contain_text("no longer muted")
    assert {"delete": "mutes/a1b2c3d4e5f60718"} in asked()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)


async def test_a_muted_incident_asks_for_nobody_and_says_until_when(visit):
    page = await visit()
    await expect(page.get_by_role("button", name=re.compile(r"Open\s*7"))).to_be_visible()
    await page.get_by_role("button", name=re.compile(r"Muted\s*1")).click()
    await page.locator(".inc-row.is-muted").click()
    await expect(page.locator(".det-quiet")).to_contain_text("by Li Na: Lazada announced slow pushes")


async def test_an_incident_is_muted_with_its_trouble_and_channel(visit, asked):
    page = await visit()
    await page.locator(".inc-row", has_text="Failed replies").click()
    await page.locator(".det-actions").get_by_role("button", name="Mute").click()
    await dialog(page).get_by_label("Reason").fill("the platform is repairing it")
    await dialog(page).get_by_role("button", name="4 hours").click()
    await dialog(page).get_by_role("button", name="Mute").click()
    await expect(page.locator(".w-toast")).to_contain_text("muted")
    assert made(asked) == [
        {
            "kind": "loss_outbound",
            "platform": "tiktok",
            "account": "shop-my-1",
            "reason": "the platform is repairing it",
            "minutes": 240,
        }
    ]


async def test_a_channel_is_muted_until_a_time(visit, asked):
    page = await visit()
    await page.get_by_role("button", name="Mute Shopee · shop-sg-1").click()
    await dialog(page).get_by_role("button", name="Until").click()
    ends = dialog(page).get_by_label("Until")
    wanted = await ends.get_attribute("max")
    await ends.fill(wanted)
    await dialog(page).get_by_label("Reason").fill("moving house")
    await page.keyboard.press("Enter")
    await expect(dialog(page)).to_have_count(0)
    (body,) = made(asked)
    assert (body["kind"], body["platform"], body["account"]) == (None, "shopee", "shop-sg-1")
    assert body["until"] == await page.evaluate("(at) => new Date(at).getTime()", wanted)


async def test_a_cell_of_the_heat_map_is_muted_by_keyboard(visit, asked):
    page = await visit()
    button = page.get_by_role("button", name="Mute Shopee, Delayed")
    await button.focus()
    await expect(button).to_have_css("opacity", "1")
    await page.keyboard.press("Enter")
    await expect(dialog(page).get_by_label("Trouble")).to_have_value("delay")
    await expect(dialog(page).get_by_label("Platform")).to_have_value("shopee")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    await expect(button).to_be_focused()
    assert made(asked) == []


async def test_muting_everything_is_not_offered(visit):
    page = await visit("/mutes")
    await page.get_by_role("button", name="Mute something").click()
    await dialog(page).get_by_label("Reason").fill("x")
    await expect(dialog(page).get_by_role("button", name="Mute")).to_be_disabled()
    await dialog(page).get_by_label("Trouble").select_option("delay")
    await expect(dialog(page).get_by_role("button", name="Mute")).to_be_enabled()


async def test_a_refused_mute_keeps_what_was_typed_and_says_why(visit):
    page = await visit("/mutes")
    answer = {"detail": "reason: say why in 1 to 500 characters"}
    await page.route("**/api/v1/mutes", lambda route: route.fulfill(status=422, json=answer))
    await page.get_by_role("button", name="Mute something").click()
    await dialog(page).get_by_label("Trouble").select_option("delay")
    await dialog(page).get_by_label("Reason").fill("because")
    await dialog(page).get_by_role("button", name="Mute").click()
    await expect(dialog(page).get_by_role("alert")).to_contain_text("say why")
    await expect(dialog(page).get_by_label("Reason")).to_have_value("because")


async def test_the_page_of_mutes_tells_those_in_force_from_those_that_are_over(visit):
    page = await visit("/mutes")
    await expect(page.get_by_role("region", name="In force").locator("tbody tr")).to_have_count(2)
    await expect(page.get_by_role("region", name="Over").locator("tbody tr")).to_have_count(2)
    await expect(page.get_by_role("region", name="Over")).to_contain_text("lifted early")
    assert await page.evaluate("window.hacked") is None


async def test_who_may_not_mute_sees_the_mutes_and_no_buttons(visit):
    page = await visit(role="agent")
    await page.get_by_role("button", name="2 muted").click()
    await expect(page.get_by_role("region", name="What is muted")).to_contain_text("Li Na")
    await expect(page.get_by_role("button", name=re.compile(r"^(Lift|Mute( .*)?)$"))).to_have_count(0)


async def test_the_heat_map_by_hours_leads_to_the_anomalies_of_that_hour(visit, asked):
    page = await visit()
    await page.get_by_role("button", name="By hour").click()
    await expect(page).to_have_url(re.compile("heat=hours"))
    cells = page.locator(".heat-table.is-hours tbody tr").first.locator("a.heat-cell")
    await expect(cells.first).to_be_visible()
    await cells.last.focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/anomalies\?kind=delay&since=[^&]+&until="))
    await expect(page.locator(".rows tbody tr").first).to_be_visible()
    (query,) = [one for one in asked() if one.get("path") == "anomalies"]
    assert query["since"] < query["until"]
    assert query["kind"] == "delay"


async def test_the_heat_map_keeps_its_side_over_a_reload_and_a_filter(visit, asked):
    page = await visit("/?heat=hours")
    await expect(page.locator(".heat-table.is-hours thead th")).to_have_count(25)
    await page.locator(".bar-select select").first.select_option("shopee")
    await expect(page).to_have_url(re.compile("platform=shopee&heat=hours"))
    await expect(page.locator(".heat-table.is-hours")).to_be_visible()
    assert {"path": "stats/hours", "platform": "shopee"} in asked()


async def test_platforms_are_compared_and_the_time_lost_is_explained(visit):
    page = await visit()
    compared = page.get_by_role("region", name="Platforms compared")
    await expect(compared.locator("tbody tr").first).to_contain_text("WhatsApp")
    await expect(compared.locator("tbody tr").first).to_contain_text("9,350")
    lost = page.get_by_role("region", name="Response time lost on the way")
    await expect(lost.locator("tbody tr").first).to_contain_text("Shopee")
    await expect(lost.locator("tbody tr").first).to_contain_text("22 h 33 m")
    await expect(lost).to_contain_text("A response clock starts when the customer writes")
    await lost.locator("tbody tr").first.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"/anomalies\?platform=shopee&kind=delay&since="))


async def test_on_a_phone_the_new_parts_do_not_stick_out(visit):
    for path in ("/?heat=hours", "/mutes"):
        page = await visit(path, phone=True, lang="zh")
        await expect(page.locator(".heat-table, .mute-table").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390, path
