"""Teams in the settings, and what is said of channels that nobody or too many can answer."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"'


async def made(page, name, members, channels):
    """A new team, by hand."""
    await page.get_by_role("button", name="Add a team").click()
    dialog = page.get_by_role("dialog", name="Add a team")
    await dialog.get_by_label("Name").fill(name)
    for member in members:
        await dialog.get_by_role("checkbox", name=member).check()
    for channel in channels:
        await dialog.get_by_role("checkbox", name=channel, exact=True).check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)


async def test_teams_are_made_and_changed_and_what_they_leave_alone_is_told_at_once(logged_in):
    page = await logged_in("/settings/teams")
    await expect(page.get_by_text("No teams yet")).to_be_visible()
    await made(page, "Asia", ["Sam Wu"], ["Shopee · sg-1"])
    await expect(page.get_by_role("alert")).to_contain_text("belongs to no team")
    await made(page, HOSTILE, [re.compile("^<img")], ["All of Amazon"])
    row = page.get_by_role("row").filter(has_text="All of Amazon")
    await expect(row).to_contain_text(HOSTILE)
    await expect(page.get_by_role("alert")).to_have_count(0)
    reach = page.get_by_role("region", name="Who answers which channel")
    await expect(reach.get_by_role("row").filter(has_text="us/main")).to_contain_text("1 person")

    await row.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change")
    await dialog.get_by_role("checkbox", name=re.compile("^<img")).uncheck()
    await dialog.get_by_label("Give conversations out by themselves").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("By itself")
    await expect(page.get_by_role("alert")).to_contain_text("Nobody can answer this channel: Amazon · us/main")
    assert await page.evaluate("window.hurt") is None

    monitor = await logged_in("/")
    await expect(monitor.get_by_text("Nobody can answer this channel")).to_be_visible()
    channels = await logged_in("/settings/channels")
    await expect(channels.get_by_text("Nobody can answer this channel")).to_be_visible()
    people = await logged_in("/settings/users")
    await expect(people.get_by_role("row").filter(has_text="Sam Wu").get_by_role("link", name="Asia")).to_be_visible()

    overseer = await logged_in("/settings/teams", name="Sam Wu")
    await expect(overseer.get_by_role("row").filter(has_text="Asia").first).to_be_visible()
    await expect(overseer.get_by_role("button", name="Add a team")).to_have_count(0)

    await row.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("alert")).to_contain_text("belongs to no team")


async def test_a_persons_languages_and_room_are_kept(logged_in):
    page = await logged_in("/settings/users")
    row = page.get_by_role("row").filter(has_text="Sam Wu")
    await row.get_by_role("button", name="Languages").click()
    dialog = page.get_by_role("dialog", name="Languages")
    await dialog.get_by_label("Languages").fill("DE, zh")
    await dialog.get_by_label("Open conversations at most").fill("7")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await page.reload()
    await row.get_by_role("button", name="Languages").click()
    await expect(dialog.get_by_label("Languages")).to_have_value("de, zh")
    await dialog.get_by_label("Languages").fill("german")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("codes such as")
