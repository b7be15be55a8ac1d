"""The threshold studio on the real product: a try is counted at once, what is activated holds and can be undone."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"'


def effect(page):
    return page.get_by_role("region", name="What it would have done")


def counts(page, kind):
    """Kind, proposed, in force, found."""
    return effect(page).get_by_role("row").filter(has=page.get_by_role("rowheader", name=kind)).locator("th, td")


def pending(page):
    return page.get_by_role("region", name="Not saved yet")


def value(page):
    return page.get_by_role("textbox", name="Proposed value")


def versions(page):
    return page.get_by_role("region", name="Versions").locator("tbody tr")


async def test_a_typed_value_shows_at_once_what_it_would_have_done(logged_in):
    page = await logged_in("/thresholds")
    await expect(counts(page, "Delay")).to_have_text(["Delay", "60", "60", "60"])
    await value(page).fill("90")
    await expect(effect(page).locator(".w-pill")).to_have_text("46 fewer than with the values in force")
    await expect(counts(page, "Delay")).to_have_text(["Delay", "14", "60", "60"])
    await expect(pending(page)).to_contain_text("Everything · Late after 40 s → 1 m 30 s")


async def test_the_line_is_moved_by_keys_and_by_hand(logged_in):
    page = await logged_in("/thresholds")
    line = page.locator(".tun-handle")
    await expect(line).to_have_attribute("aria-valuenow", "40")
    await line.press("ArrowUp")
    raised = float(await value(page).input_value())
    assert raised > 40
    grip = await page.locator(".tun-grip").bounding_box()
    await page.mouse.move(grip["x"] + 20, grip["y"] + 12)
    await page.mouse.down()
    await page.mouse.move(grip["x"] + 20, grip["y"] + 92)
    await page.mouse.up()
    assert float(await value(page).input_value()) < 40
    await expect(line).to_have_attribute("aria-valuenow", await value(page).input_value())


async def test_a_wrong_value_is_explained_and_cannot_be_saved(logged_in):
    page = await logged_in("/thresholds")
    await value(page).fill("45")
    await value(page).fill("-3")
    await expect(page.locator("#tun-wrong")).to_have_text("Write a number from 1 ms to 7 d.")
    await expect(pending(page).get_by_role("button", name="Activate")).to_be_disabled()
    await expect(value(page)).to_have_attribute("aria-invalid", "true")


async def test_languages_are_typed_and_checked(logged_in):
    page = await logged_in("/thresholds?name=translation.team_languages")
    await value(page).fill("en,,zh")
    await expect(page.locator("#tun-wrong")).to_contain_text("commas between them")
    await value(page).fill("en,zh,th")
    await expect(page.locator("#tun-wrong")).to_have_text("")
    await expect(pending(page)).to_contain_text("en, zh → en, zh, th")


async def test_an_activated_value_holds_and_one_click_takes_it_back(logged_in):
    page = await logged_in("/thresholds?name=notification.grace_s")
    await expect(versions(page).first).to_be_visible()
    before = await versions(page).count()
    await value(page).fill("25")
    await page.get_by_placeholder(re.compile("Why")).fill(HOSTILE)
    await pending(page).get_by_role("button", name="Activate").click()
    await expect(page.get_by_role("status").filter(has_text="effective since")).to_be_visible()
    await expect(versions(page)).to_have_count(before + 1)
    await expect(versions(page).first).to_contain_text("Everything · Nobody notified 15 s → 25 s")
    await expect(versions(page).first).to_contain_text(HOSTILE)
    await expect(pending(page)).to_have_count(0)
    await versions(page).nth(1).get_by_role("button", name="Roll back").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Everything · Nobody notified 25 s → 15 s")
    await dialog.get_by_role("button", name="Activate").click()
    await expect(versions(page)).to_have_count(before + 2)
    await expect(value(page)).to_have_value("15")
    assert await page.evaluate("window.hurt") is None


async def test_rolling_back_leaves_what_is_not_saved_yet(logged_in):
    page = await logged_in("/thresholds?name=translation.grace_s")
    await value(page).fill("44")
    await expect(versions(page).first).to_be_visible()
    before = await versions(page).count()
    await versions(page).nth(1).get_by_role("button", name=re.compile("Roll back|Activate")).click()
    await page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    await expect(versions(page)).to_have_count(before + 1)
    await expect(pending(page)).to_contain_text("Translation missing 20 s → 44 s")


async def test_a_draft_changes_nothing_until_it_is_activated(logged_in):
    page = await logged_in("/thresholds?name=sync.grace_s&scope=shopee")
    await value(page).fill("77")
    await page.get_by_role("button", name="Save as draft").click()
    await expect(versions(page).first).to_contain_text("Draft")
    await expect(value(page)).to_have_value("30")
    await versions(page).first.get_by_role("button", name="Open").click()
    await expect(value(page)).to_have_value("77")
    await page.get_by_role("button", name="Discard").click()
    await expect(value(page)).to_have_value("30")


async def test_a_false_alarm_leads_to_its_threshold_and_place(logged_in):
    page = await logged_in("/thresholds?kind=attachment_failed&scope=amazon/us%252Fmain")
    await expect(page.get_by_role("heading", level=2, name="Attachment not ready")).to_be_visible()
    await expect(page.get_by_label("Where it applies")).to_have_value("amazon/us%2Fmain")
    await expect(page.get_by_text("In force: 1 m, the default.")).to_be_visible()
    await value(page).fill("200")
    await expect(pending(page)).to_contain_text("Amazon · us/main · Attachment not ready as elsewhere → 3 m 20 s")


async def test_a_place_named_as_on_the_platform_is_found_too(logged_in):
    page = await logged_in("/thresholds?kind=delay&scope=amazon/us/main")
    await expect(page.get_by_label("Where it applies")).to_have_value("amazon/us%2Fmain")


async def test_an_optional_one_can_be_switched_off(logged_in):
    page = await logged_in("/thresholds?name=attachment.grace_s")
    await expect(counts(page, "Attachment")).to_have_text(["Attachment", "10", "10", "10"])
    await page.get_by_label("Switched off").check()
    await expect(counts(page, "Attachment")).to_have_text(["Attachment", "0", "10", "10"])
    await expect(pending(page)).to_contain_text("1 m → off")


async def test_somebody_elses_change_in_between_is_told_and_nothing_is_overwritten(logged_in):
    mine = await logged_in("/thresholds?name=loss.outbound_grace_s")
    await value(mine).fill("90")
    other = await logged_in("/thresholds?name=silence.min_s")
    await value(other).fill("120")
    await pending(other).get_by_role("button", name="Activate").click()
    await expect(other.get_by_role("status").filter(has_text="effective since")).to_be_visible()
    await pending(mine).get_by_role("button", name="Activate").click()
    await expect(mine.get_by_role("alert").filter(has_text="somebody changed them")).to_be_visible()
    await mine.get_by_role("button", name="Read again").click()
    await expect(pending(mine)).to_contain_text("1 m → 1 m 30 s")


async def test_a_supervisor_may_try_but_not_change(logged_in):
    page = await logged_in("/thresholds", name="Sam Wu")
    await value(page).fill("90")
    await expect(effect(page).locator(".w-pill")).to_contain_text("fewer")
    await expect(page.get_by_role("button", name="Activate")).to_have_count(0)
    await expect(page.get_by_role("button", name="Roll back")).to_have_count(0)
    refused = await page.request.put("/api/v1/settings/thresholds", data={"set": ["delay.threshold_s=1"]})
    assert refused.status == 403


async def test_a_viewer_sees_values_but_cannot_try(logged_in):
    page = await logged_in("/thresholds", name="Vic Ho")
    await expect(page.get_by_role("navigation", name="Thresholds").get_by_text("40 s")).to_be_visible()
    await expect(page.locator(".tun-handle")).to_have_count(0)
    await expect(value(page)).to_be_disabled()
    await expect(effect(page)).to_have_count(0)


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_on_a_phone_nothing_sticks_out(logged_in, lang):
    page = await logged_in("/thresholds?kind=loss&scope=shopee", phone=True, lang=lang)
    await expect(page.locator(".tun-effect table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
