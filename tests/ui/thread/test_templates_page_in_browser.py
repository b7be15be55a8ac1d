"""The page of templates in a real browser: wordings by platform and language, changed by those who may."""

import pytest
from playwright.async_api import expect

from tests.ui.thread.product import HOSTILE

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


def row(page, name):
    return page.locator("tbody tr").filter(has=page.locator("td b bdi", has_text=name)).last


async def test_a_template_is_made_with_two_wordings_and_found_and_deleted(logged_in):
    page = await logged_in("/settings/templates")
    await expect(row(page, HOSTILE)).to_be_visible()
    await page.get_by_role("button", name="New template").click()
    editor = page.get_by_role("dialog", name="New template")
    await editor.get_by_label("Name", exact=True).fill("Out of stock")
    await editor.get_by_label("What it says").fill("Sorry, ")
    await editor.get_by_role("button", name="{contact.first_name}").click()
    await expect(editor.locator(".tp-preview")).to_contain_text("Sorry, Li")
    await editor.locator("select").last.select_option("de")
    await editor.get_by_label("What it says").fill("Leider ausverkauft, {wann}")
    await expect(editor.locator(".tp-preview mark")).to_have_text("{wann}")
    await editor.get_by_role("button", name="Save").click()
    made = row(page, "Out of stock")
    await expect(made.locator(".tp-wording")).to_have_text(["All platforms · any language", "All platforms · German"])
    await made.get_by_role("button", name="Edit").click()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete").last.click()
    await expect(row(page, "Out of stock")).to_have_count(0)
    assert await page.evaluate("window.hurt") is None


async def test_what_somebody_changed_meanwhile_is_told_and_not_written_over(logged_in):
    page, other = await logged_in("/settings/templates"), await logged_in("/settings/templates")
    for one in (page, other):
        await row(one, "Refund").get_by_role("button", name="Edit").click()
    await page.get_by_label("Folder", exact=True).fill("Money")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await other.get_by_label("Folder", exact=True).fill("Other")
    await other.get_by_role("button", name="Save").click()
    await expect(other.get_by_role("alert")).to_contain_text("Ada Lin changed this template meanwhile")
    await expect(page.locator(".tp-folder").filter(has_text="Money")).to_be_visible()


async def test_an_agent_reads_and_changes_nothing(logged_in):
    page = await logged_in("/settings/templates", name="Ben Okafor", lang="zh")
    await row(page, "Tracking").get_by_role("button").click()
    await expect(page.get_by_role("dialog").locator("textarea")).to_be_disabled()
    await expect(page.get_by_role("dialog").locator("button.is-primary")).to_have_count(0)
