"""The monitor in a real browser: live, honest when it is not, usable by keyboard and on a phone."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

CALM = {"value": 0, "oldest_at": None, "spark": []}


def tiles(snapshot_tiles, **changes):
    return {**snapshot_tiles, **changes}


@pytest.fixture
def sample():
    return json.loads((Path(__file__).parent / "fixtures" / "monitor.json").read_text(encoding="utf-8"))


async def test_a_push_changes_the_open_screen(visit, tell, sample):
    page = await visit()
    value = page.locator(".tile").first.locator(".tile-value")
    await expect(value).to_have_text("80")
    tell(tiles=tiles(sample["tiles"], at_risk={**CALM, "value": 93}))
    await expect(value).to_have_text("93")
    await expect(page.locator(".badge")).to_contain_text("Live")


async def test_the_numbers_stand_in_the_order_in_which_they_need_somebody(visit):
    page = await visit()
    await expect(page.locator(".tile-label")).to_have_text(
        ["At risk now", "Oldest wait", "Delay p95", "Lost", "Failed replies", "Not notified"]
    )
    await expect(page.locator(".small-age")).to_contain_text("11/11 channels")


async def test_the_worst_channel_stands_first_and_says_so_by_shape_word_and_colour(visit):
    page = await visit()
    first = page.locator(".mx-row").first
    await expect(first).to_contain_text("shop-my-1")
    await expect(first.locator(".w-state")).to_have_text("Down")
    await expect(first.locator(".w-glyph rect")).to_be_attached()


async def test_a_channel_in_trouble_is_named_after_its_trouble(visit, tell, sample):
    rows = [row for row in sample["channels"] if row["state"] == "ok"][:4]
    reasons = ["notification_missed", "delay", "loss_outbound", "loss"]
    tell(channels=[row | {"state": "slow", "reason": why} for row, why in zip(rows, reasons, strict=True)])
    page = await visit()
    states = page.locator(".mx-row .w-state")
    await expect(states).to_have_text(["Loss", "Unsent", "Slow", "Not notified"])
    await expect(page.locator(".mx-key .w-state")).to_have_text(["Loss", "Unsent", "Slow", "Not notified"])
    shapes = [await state.locator(".w-glyph").inner_html() for state in await states.all()]
    assert len(set(shapes)) == len(shapes)


async def test_a_number_opens_the_rows_behind_it(visit, asked):
    page = await visit()
    await page.locator(".mx-row", has_text="shop-fr-1").locator('a[href*="kind=loss"]').click()
    await expect(page).to_have_url(re.compile(r"/anomalies\?.*account=shop-fr-1"))
    await expect(page.locator(".rows tbody tr").first).to_be_visible()
    queries = [one for one in asked() if one.get("path") == "anomalies"]
    assert [(one["unresolved"], one["kind"]) for one in queries] == [("true", "loss")]


async def test_without_news_the_screen_turns_grey_by_itself(visit, tell):
    page = await visit()
    await expect(page.locator(".mx-row .w-state.is-ok")).to_have_count(5)
    await page.clock.install()
    tell(pushing=False)
    await page.context.set_offline(True)
    await page.clock.fast_forward(12_000)
    await expect(page.locator(".badge")).to_contain_text("Stale")
    await expect(page.locator(".mx-row .w-state.is-ok")).to_have_count(0)
    await expect(page.locator(".tiles")).to_have_class(re.compile("is-dead"))
    await expect(page.locator(".w-banner")).to_contain_text("No news since")


async def test_a_stopped_monitor_shows_no_figures_at_all(visit, tell):
    page = await visit()
    await expect(page.locator(".tile-value").first).to_have_text("80")
    tell(state="no_data")
    await expect(page.locator(".tile-value")).to_have_text(["No data"] * 6)
    await expect(page.locator(".mx-row .w-state.is-ok")).to_have_count(0)
    await expect(page.get_by_role("alert")).to_contain_text("silent since")


async def test_an_authorisation_that_ends_soon_counts_down_and_is_coloured_a_week_and_a_day_before(visit, tell, sample):
    hour, rows = 3_600_000, [row for row in sample["channels"] if row["state"] == "ok"]
    left = {rows[0]["account"]: 8 * 24 + 1, rows[1]["account"]: 6 * 24 + 1, rows[2]["account"]: 5.5}
    ends = {account: {"status": "ok", "expires_at": sample["at"] + int(h * hour)} for account, h in left.items()}
    tell(channels=[row | {"auth": ends.get(row["account"], row["auth"])} for row in rows])
    page = await visit()
    shown = {"8 d": "is-plain", "6 d": "is-amber", "5 h": "is-red"}
    for account, (text, tone) in zip(left, shown.items(), strict=True):
        told = page.locator(".mx-row", has_text=account).locator(".mx-auth span")
        await expect(told).to_have_text(text)
        await expect(told).to_have_class(tone)


async def test_a_channel_that_is_not_checked_is_told(visit, tell, sample):
    tell(monitor={**sample["monitor"], "channels_checked": 10})
    page = await visit()
    await expect(page.get_by_role("alert")).to_contain_text("Only 10 of 11 channels")


async def test_a_missed_push_makes_the_browser_fetch_the_whole(visit, asked, address):
    page = await visit()
    await expect(page.locator(".tile-value").first).to_have_text("80")
    before = len(asked())
    await page.request.post(f"{address}/test/skip")
    async with page.expect_response(re.compile("/api/v1/monitor")):
        assert len(asked()) >= before


async def test_while_paused_nothing_moves_and_the_title_counts_new_incidents(visit, tell, sample):
    page = await visit()
    value = page.locator(".tile-value").first
    await expect(value).to_have_text("80")
    await page.keyboard.press("p")
    fresh = {**sample["incidents"][0], "id": "f" * 32}
    tell(incidents=[*sample["incidents"], fresh], tiles=tiles(sample["tiles"], at_risk={**CALM, "value": 1}))
    await expect(page).to_have_title(re.compile(r"^\(1\) Monitor"))
    await expect(value).to_have_text("80")
    await page.keyboard.press("p")
    await expect(value).to_have_text("1")
    await expect(page).to_have_title(re.compile(r"^Monitor"))


async def test_filters_live_in_the_address_line(visit, asked):
    page = await visit("/?range=6h&platform=shopee")
    await expect(page.locator(".mx-row")).to_have_count(2)
    assert {"range": "6h", "platform": "shopee", "account": ""} in asked()
    await page.locator(".bar-select select").last.select_option("shop-my-1")
    await expect(page.locator(".mx-row")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"range=6h&platform=shopee&account=shop-my-1"))


async def test_an_incident_shows_its_evidence_and_its_messages_lead_to_traces(visit):
    page = await visit()
    await page.locator(".inc-row", has_text="Channel silent").click()
    await expect(page.locator(".det")).to_contain_text("0 of 64 expected messages")
    await expect(page.locator(".hopbar .is-guilty")).to_have_count(1)
    await page.locator(".sample", has_text="2948271006531").click()
    await expect(page).to_have_url(re.compile(r"/trace\?"))
    await expect(page.locator(".hop")).to_have_count(9)


async def test_incidents_are_worked_by_keyboard(visit, asked, sample):
    page = await visit()
    await expect(page.locator(".det")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("a")
    second = sample["incidents"][2]["id"]
    await expect(page.locator(".w-toast")).to_contain_text("Acknowledged")
    assert {"post": f"incidents/{second}/acknowledge", "body": {}} in asked()
    await page.keyboard.press("r")
    await page.get_by_label("Network").check()
    await page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    await expect(page.locator(".w-toast").last).to_contain_text("Resolved")
    assert {"post": f"incidents/{second}/resolve", "body": {"cause": "network"}} in asked()


async def test_who_may_not_act_sees_no_buttons(visit):
    page = await visit(role="viewer")
    await expect(page.locator(".det")).to_be_visible()
    await expect(page.locator(".det-actions")).to_have_count(0)
    await page.keyboard.press("r")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_wall_shows_the_figures_and_the_channels_only(visit):
    page = await visit()
    await expect(page.locator(".mx-row").first).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.locator(".rail")).to_be_hidden()
    await expect(page.locator(".inc")).to_be_hidden()
    await expect(page.locator(".tile-value").first).to_have_css("font-size", "32px")
    await page.keyboard.press("f")
    await expect(page.locator(".rail")).to_be_visible()


async def test_help_opens_and_closes_by_keyboard(visit):
    page = await visit()
    await expect(page.locator(".mx-row").first).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Wall mode")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_on_a_phone_healthy_channels_fold_and_nothing_overflows(visit):
    page = await visit(phone=True)
    await expect(page.locator(".mx-row:visible")).to_have_count(6)
    await page.get_by_role("button", name="5 channels fine").click()
    await expect(page.locator(".mx-row:visible")).to_have_count(11)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_chinese_and_dark_are_there_from_the_first_paint(visit):
    page = await visit(lang="zh", theme="dark")
    await expect(page.get_by_role("heading", level=1)).to_have_text("消息健康")
    assert await page.locator("html").get_attribute("lang") == "zh-CN"
    assert await page.locator("html").get_attribute("data-theme") == "dark"
