"""Everything by keys: each does what the dialog says, none while somebody types or while something lies on top."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.api.test_operators import until
from ui import components

pytestmark = pytest.mark.browser
PATIENCE_MS = 15_000
TABLE = Path(components.__file__).parent / "inbox" / "keys.js"
SHOP = "/inbox?tab=all&platform=shopee&sort=oldest"


def rows(page):
    return page.locator(".ib-row")


async def ready(logged_in, path=SHOP, **more):
    page = await logged_in(path, **{"name": "Ann Ho"} | more)
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible()
    await page.mouse.move(900, 500)
    return page


async def selected(page):
    return await page.locator('.ib-row[aria-selected="true"]').count()


async def test_the_dialog_explains_every_key_of_the_table(logged_in):
    page = await ready(logged_in)
    await page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys of the inbox")
    await expect(dialog).to_be_visible()
    entries = re.findall(r'\{ id: "(\w+)"', TABLE.read_text(encoding="utf-8"))
    assert len(entries) > 25
    await expect(dialog.locator("dt")).to_have_count(len(entries))
    assert "inbox.key." not in await dialog.inner_text()
    await page.keyboard.press("j")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_j_and_k_walk_enter_opens_and_escape_closes(logged_in):
    page = await ready(logged_in)
    for key, index in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("ArrowDown", 2)):
        await page.keyboard.press(key)
        await expect(page.locator(".ib-rows")).to_have_attribute("aria-activedescendant", f"ib-row-{index}")
    await page.keyboard.press("Enter")
    name = await rows(page).nth(2).locator(".ib-name").inner_text()
    await expect(page.locator(".ib-head-name")).to_contain_text(name)
    await expect(page).to_have_url(re.compile("key=shopee"))
    await page.keyboard.press("Escape")
    await expect(page.locator(".ib-none")).to_be_visible()
    await expect(page).not_to_have_url(re.compile("key="))


async def test_x_selects_shift_extends_and_escape_lets_go(logged_in):
    page = await ready(logged_in)
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    assert await selected(page) == 1
    await page.keyboard.press("Shift+J")
    await page.keyboard.press("Shift+J")
    assert await selected(page) == 3
    await page.keyboard.press("Shift+K")
    assert await selected(page) == 2
    await page.keyboard.press("Control+a")
    await expect(page.locator(".ib-bulk")).to_contain_text(re.compile(r"\d\d selected"))
    await page.keyboard.press("Escape")
    assert await selected(page) == 0


async def test_nothing_fires_while_somebody_types(logged_in):
    page = await ready(logged_in)
    box = page.get_by_role("searchbox")
    await box.focus()
    await page.keyboard.type("jxesam?gh[]")
    await expect(box).to_have_value("jxesam?gh[]")
    assert await selected(page) == 0
    assert await page.get_by_role("dialog").count() == 0
    await page.keyboard.press("Escape")
    await expect(box).not_to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator(".ib-rows")).to_have_attribute("aria-activedescendant", re.compile("ib-row-"))


async def test_r_and_n_go_to_the_composer_and_what_is_typed_there_stays_there(logged_in):
    page = await ready(logged_in, f"{SHOP}&key=shopee%2Fsg-1%2Fc7")
    await expect(page.locator(".ib-head-name")).to_contain_text("Bella Lim")
    await page.keyboard.press("r")
    text = page.locator(".ib-composer textarea")
    await expect(text).to_be_focused(timeout=PATIENCE_MS)
    await page.keyboard.type("e s a m")
    await expect(text).to_have_value("e s a m")
    assert await page.get_by_role("dialog").count() == 0
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.get_by_role("tab", name="Note")).to_have_attribute("aria-selected", "true")


async def test_g_and_a_letter_go_elsewhere(logged_in):
    page = await ready(logged_in)
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(page).to_have_url(re.compile(r"/$"))
    await page.go_back()
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("x")
    await expect(page).to_have_url(re.compile("/inbox"))


async def test_g_and_a_letter_lead_back_from_any_page_unless_somebody_types(logged_in):
    page = await logged_in("/search", name="Ann Ho")
    field = page.locator("main input").first
    await field.click()
    await page.keyboard.type("gift")
    await expect(field).to_have_value("gift")
    await expect(page).to_have_url(re.compile("/search"))
    await field.blur()
    await page.keyboard.press("g")
    await page.keyboard.press("i")
    await expect(page).to_have_url(re.compile("/inbox"))
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible()


async def test_brackets_fold_the_sides_and_they_stay_folded(logged_in):
    page = await ready(logged_in, f"{SHOP}&key=shopee%2Fsg-1%2Fc7")
    sides = page.locator(".ib-list-pane"), page.locator(".ib-context-pane")
    await page.keyboard.press("[")
    await page.keyboard.press("]")
    for side in sides:
        await expect(side).to_be_hidden()
    await page.reload()
    await expect(page.locator(".ib-head-name")).to_be_visible()
    for side in sides:
        await expect(side).to_be_hidden()
    await page.keyboard.press("[")
    await page.keyboard.press("]")
    for side in sides:
        await expect(side).to_be_visible()


async def test_m_takes_and_the_row_tells_at_once_with_a_way_back(logged_in, wrote, asking):
    await wrote("take-1", "Mine, please", name="Take Me")
    page = await ready(logged_in, "/inbox?tab=all&key=shopee%2Fsg-1%2Ftake-1")
    await expect(page.locator(".ib-take")).to_be_visible(timeout=PATIENCE_MS)
    await page.keyboard.press("m")
    await expect(page.locator(".ib-assign")).to_contain_text("Ann Ho")
    await page.locator(".ib-undo").get_by_role("button", name="Undo").click()
    await expect(page.locator(".ib-take")).to_be_visible()
    row = (await (await asking("Ann Ho")).get("/api/v1/conversations/shopee/sg-1/take-1")).json()
    assert row["assignee"] is None


async def test_a_gives_to_a_colleague_by_typing_his_name(logged_in, wrote):
    await wrote("give-1", "For Ben", name="Give Away")
    page = await ready(logged_in, "/inbox?tab=all&key=shopee%2Fsg-1%2Fgive-1")
    await expect(page.locator(".ib-head-name")).to_contain_text("Give Away")
    await page.keyboard.press("a")
    await expect(page.get_by_role("dialog", name="Assign to")).to_be_visible()
    await page.keyboard.type("oka")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ib-assign")).to_contain_text("Ben Okafor")


async def test_s_puts_off_and_the_next_one_comes_up(logged_in, wrote):
    await wrote("later-1", "Not now", name="Later One")
    page = await ready(logged_in, "/inbox?tab=all&platform=shopee&key=shopee%2Fsg-1%2Flater-1&sort=newest")
    await expect(page.locator(".ib-head-name")).to_contain_text("Later One")
    await page.keyboard.press("s")
    await expect(page.get_by_role("dialog", name="Snooze until")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ib-undo")).to_contain_text("Snoozed until")
    await expect(page.locator(".ib-head-name")).not_to_contain_text("Later One")
    await page.get_by_role("button", name="Snoozed, closed, archived").click()
    await page.get_by_role("dialog").get_by_role("option", name="Snoozed").click()
    await expect(page.locator(".ib-row", has_text="Later One")).to_be_visible()


async def test_e_resolves_and_undo_brings_it_back(logged_in, wrote):
    await wrote("done-1", "Thanks!", name="Done One")
    page = await ready(logged_in, "/inbox?tab=all&key=shopee%2Fsg-1%2Fdone-1")
    await expect(page.locator(".ib-head-name")).to_contain_text("Done One")
    await page.keyboard.press("e")
    await expect(page.locator(".ib-undo")).to_contain_text("Resolved")
    await page.locator(".ib-undo").get_by_role("button").click()
    await page.goto("/inbox?tab=all&key=shopee%2Fsg-1%2Fdone-1")
    await expect(page.locator(".ib-resolve")).to_contain_text("Resolve", timeout=PATIENCE_MS)


async def test_many_are_given_at_once_and_given_back(logged_in, wrote, asking):
    for number in range(3):
        await wrote(f"many-{number}", "One of many", name=f"Many {number}")
    page = await ready(logged_in, "/inbox?tab=all&platform=shopee&sort=newest")
    for number in range(3):
        await expect(page.locator(".ib-row", has_text=f"Many {number}")).to_be_visible(timeout=PATIENCE_MS)
        await page.locator(".ib-row", has_text=f"Many {number}").locator(".ib-row-face").click()
    await expect(page.locator(".ib-bulk")).to_contain_text("3 selected")
    await page.keyboard.press("a")
    await page.keyboard.type("ben")
    await page.keyboard.press("Enter")
    await expect(page.locator(".ib-undo")).to_contain_text("Assigned to Ben Okafor")
    client = await asking("Ann Ho")
    keys = [f"shopee/sg-1/many-{number}" for number in range(3)]
    found = (await client.post("/api/v1/inbox/rows", json={"keys": keys})).json()["items"]
    assert [row["assignee"] for row in found] == ["Ben Okafor"] * 3
    await page.locator(".ib-undo").get_by_role("button").click()
    await expect(page.locator(".w-toast, .ib-undo").filter(has_text="Undone")).to_be_visible()
    found = (await client.post("/api/v1/inbox/rows", json={"keys": keys})).json()["items"]
    assert [row["assignee"] for row in found] == [None] * 3


async def snoozes(client, keys):
    found = (await client.post("/api/v1/inbox/rows", json={"keys": keys})).json()["items"]
    return [row["snoozed_until"] for row in found]


async def mark_all(page, names):
    for name in names:
        await expect(page.locator(".ib-row", has_text=name)).to_be_visible(timeout=PATIENCE_MS)
        await page.locator(".ib-row", has_text=name).locator(".ib-row-face").click()


async def test_many_are_snoozed_at_once_and_undo_has_each_as_it_was(logged_in, wrote, asking):
    names, client = ["Nap 0", "Nap 1"], await asking("Ann Ho")
    keys = [f"shopee/sg-1/nap-{number}" for number in range(2)]
    for number, name in enumerate(names):
        await wrote(f"nap-{number}", "Later, please", name=name)
    page = await ready(logged_in, "/inbox?tab=all&platform=shopee&sort=newest")
    await mark_all(page, names)
    await page.keyboard.press("s")
    await page.get_by_role("dialog").get_by_role("option").first.click()
    await expect(page.locator(".ib-undo")).to_contain_text("Snoozed until")
    assert None not in await snoozes(client, keys)
    await page.locator(".ib-undo").get_by_role("button").click()
    await expect(page.locator(".w-toast").filter(has_text="Undone")).to_be_visible()
    assert await snoozes(client, keys) == [None, None]
    ends = [f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}T09:00:00.000Z" for days in (2, 3)]
    for key, end in zip(keys, ends, strict=True):
        answer = await client.post(f"/api/v1/conversations/{key}/status", json={"status": "snoozed", "until": end})
        assert answer.status_code == 200, answer.text
    await page.goto("/inbox?tab=snoozed&platform=shopee&sort=newest")
    await mark_all(page, names)
    await page.keyboard.press("s")
    await page.get_by_role("dialog").get_by_role("option").first.click()
    await expect(page.locator(".ib-undo")).to_contain_text("Snoozed until")
    assert set(await snoozes(client, keys)).isdisjoint(ends)
    await page.locator(".ib-undo").get_by_role("button").click()
    await expect(page.locator(".w-toast").filter(has_text="Undone").first).to_be_visible()
    await until_told(client, keys, ends)


async def until_told(client, keys, ends):
    """The ends are given back one after the other."""

    async def given_back():
        return await snoozes(client, keys) == ends

    assert await until(given_back)


async def test_what_did_not_work_of_many_is_told_one_by_one(logged_in):
    page = await ready(logged_in)

    async def answer(route):
        keys = json.loads(route.request.post_data)["keys"]
        refused = {"key": keys[1], "state": "refused", "reason": "Cem may not answer it"}
        told = [{"key": keys[0], "state": "done"}, refused]
        await route.fulfill(json={"items": told})

    await page.route("**/api/v1/inbox/bulk", answer)
    for _ in range(2):
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="What did not work")
    await expect(dialog).to_contain_text("1 done, 1 not")
    await expect(dialog.get_by_role("listitem")).to_contain_text(["Cem may not answer it"])
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert await selected(page) == 1


async def test_the_menu_keeps_the_focus_and_gives_it_back(logged_in):
    page = await ready(logged_in)
    button = page.get_by_role("button", name="Filter", exact=True)
    await button.focus()
    await page.keyboard.press("Enter")
    box = page.get_by_role("dialog").get_by_role("combobox")
    await expect(box).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(box).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(button).to_be_focused()
