"""The settings of labels: the catalogue, the words behind it and the try-out, on the real product."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hurt=1">'


async def test_a_text_is_tried_and_told_why(logged_in):
    page = await logged_in("/settings/labels")
    box = page.get_by_role("textbox", name="Write what a customer might write")
    await box.fill("快递丢了 再不处理我就向银行拒付")
    found = page.get_by_role("status").filter(has_text="Logistics")
    await expect(found).to_contain_text("Sensitive")
    await expect(found).to_contain_text("Language: Chinese")
    await expect(found).to_contain_text("快递 → Logistics")
    await box.fill("谢谢")
    await expect(page.get_by_text("Neutral: it changes nothing")).to_be_visible()


async def test_a_label_of_ones_own_and_its_words_work_at_once(logged_in):
    page = await logged_in("/settings/labels")
    await page.get_by_role("button", name="Add a label").click()
    dialog = page.get_by_role("dialog", name="Add a label")
    await dialog.get_by_label("Short name").fill("wholesale")
    await dialog.get_by_label("Name in English").fill(HOSTILE)
    await dialog.get_by_label("Violet").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.locator(".w-table .w-label.is-violet", has_text=HOSTILE)).to_have_count(1)
    assert await page.evaluate("window.hurt") is None
    words = page.get_by_role("region", name="Words")
    await words.get_by_label("Label").select_option("wholesale")
    await words.get_by_label("Word or phrase").fill("container load")
    await words.get_by_role("button", name="Add", exact=True).click()
    await expect(words.locator(".is-accent", has_text="container load")).to_be_visible()
    await page.get_by_role("textbox", name="Write what").fill("I want a whole container load of them")
    await expect(page.locator(".lab-found .w-label", has_text=HOSTILE)).to_be_visible()
    await words.get_by_role("button", name="Remove “container load”").click()
    await expect(words.get_by_text("None yet.")).to_be_visible()


async def test_a_packaged_word_and_a_label_are_switched_off_and_on(logged_in):
    page = await logged_in("/settings/labels")
    words = page.get_by_role("region", name="Words")
    await words.get_by_label("Label").select_option("promotion")
    word = words.get_by_role("button", name="black friday", exact=True)
    await expect(word).to_have_attribute("aria-pressed", "true")
    await word.click()
    await expect(word).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await words.get_by_label("Label").select_option("promotion")
    await expect(word).to_have_attribute("aria-pressed", "false")
    row = page.get_by_role("row", name=re.compile("^Account"))
    await row.get_by_role("button", name="Turn off").click()
    await page.get_by_role("dialog").get_by_role("button", name="Turn off").click()
    await expect(row).to_contain_text("Off")
    await row.get_by_role("button", name="Turn on").click()
    await expect(row).to_contain_text("In use")


async def test_what_somebody_else_saved_meanwhile_is_not_lost(logged_in):
    here, there = await logged_in("/settings/labels"), await logged_in("/settings/labels")
    for page, name in ((here, "first_one"), (there, "second_one")):
        await page.get_by_role("button", name="Add a label").click()
        dialog = page.get_by_role("dialog", name="Add a label")
        await dialog.get_by_label("Short name").fill(name)
        await dialog.get_by_label("Name in English").fill(name)
        await dialog.get_by_role("button", name="Save").click()
        if page is there:
            await expect(dialog.get_by_role("alert")).to_contain_text("read again")
            await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0)
    await expect(there.locator(".w-table .w-label", has_text="first_one")).to_be_visible()
    await expect(there.locator(".w-table .w-label", has_text="second_one")).to_be_visible()


async def test_on_a_phone_nothing_sticks_out_and_only_admins_may_open_it(logged_in):
    page = await logged_in("/settings/labels", phone=True, lang="zh")
    await expect(page.locator(".lab-word").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    small = (
        "[...document.querySelectorAll('.lab-word')].filter((one) => one.getBoundingClientRect().height < 44).length"
    )
    assert await page.evaluate(small) == 0
    other = await logged_in("/settings/labels", name="Sam Wu")
    await expect(other.get_by_role("heading", level=1)).to_have_text("There is nothing here")
