"""People, tokens, the log of changes, dead letters and one's own account, on the real product."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hurt=1"> & "Bo"'
SECRET = re.compile(r"^weir_[\w-]{40,}$")
PASSWORD = re.compile(r"^\w{5}(-\w{5}){3}$")


async def test_a_new_person_gets_a_password_that_is_shown_once_and_works(logged_in):
    page = await logged_in("/settings/users")
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    await dialog.get_by_label("Name").fill("Nia Okoye")
    await dialog.get_by_label("Supervisor").check()
    await dialog.get_by_role("button", name="Add", exact=True).click()
    once = page.get_by_role("dialog", name="Password of Nia Okoye")
    await expect(once.locator("code")).to_have_text(PASSWORD)
    password = await once.locator("code").inner_text()
    await once.get_by_role("button", name="I have noted it").click()
    await page.reload()
    await expect(page.get_by_role("row", name=re.compile("Nia Okoye"))).to_be_visible()
    await expect(page.get_by_text(password)).to_have_count(0)
    hers = await logged_in("/settings", name="Nia Okoye", password=password)
    await expect(hers.locator(".set-who")).to_contain_text("Supervisor")
    await expect(hers.get_by_role("link", name="People")).to_have_count(0)


async def test_a_name_that_is_taken_is_refused_with_a_reason(logged_in):
    page = await logged_in("/settings/users")
    await page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    await dialog.get_by_label("Name").fill("sam wu")
    await dialog.get_by_role("button", name="Add", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("choose another name")


async def test_a_hostile_name_stays_text_and_can_be_disabled(logged_in):
    page = await logged_in("/settings/users")
    row = page.get_by_role("row").filter(has_text=HOSTILE)
    await row.get_by_role("button", name="Disable").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Disable {HOSTILE}?")
    await dialog.get_by_role("button", name="Disable").click()
    await expect(row).to_contain_text("Disabled")
    await row.get_by_role("button", name="Enable").click()
    await expect(row).to_contain_text("Active")
    assert await page.evaluate("window.hurt") is None


async def test_a_role_is_changed_after_a_question_and_a_no_changes_nothing(logged_in):
    page = await logged_in("/settings/users")
    role = page.get_by_label("Role of Vic Ho")
    await role.select_option("finance")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await expect(role).to_have_value("viewer")
    await role.select_option("finance")
    await page.get_by_role("dialog").get_by_role("button", name="Change role").click()
    await expect(page.get_by_text("Vic Ho was changed")).to_be_visible()
    await page.reload()
    await expect(role).to_have_value("finance")


async def test_a_token_is_shown_once_works_and_ends_when_revoked(logged_in):
    page = await logged_in("/settings/tokens")
    await page.get_by_role("button", name="Create a token").click()
    dialog = page.get_by_role("dialog", name="Create a token")
    await dialog.get_by_label("Name").fill(HOSTILE)
    await dialog.get_by_role("button", name="30 days").click()
    await dialog.get_by_role("button", name="Create", exact=True).click()
    once = page.get_by_role("dialog", name=re.compile("^Token"))
    await expect(once.locator("code")).to_have_text(SECRET)
    headers = {"Authorization": f"Bearer {await once.locator('code').inner_text()}"}
    assert (await page.request.get("/api/v1/stats", headers=headers)).status == 200
    await once.get_by_role("button", name="I have noted it").click()
    await page.reload()
    row = page.get_by_role("row").filter(has_text=HOSTILE)
    await expect(row.locator("td").nth(3)).not_to_have_text("never")
    await row.get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("Revoked")
    assert (await page.request.get("/api/v1/stats", headers=headers)).status == 401
    assert await page.evaluate("window.hurt") is None


async def test_a_channel_is_bound_and_its_secret_is_shown_to_nobody(logged_in):
    page = await logged_in("/settings/channels")
    await page.get_by_role("button", name="Bind a channel").click()
    dialog = page.get_by_role("dialog", name="Bind a channel")
    await dialog.get_by_role("combobox").select_option("telegram")
    await dialog.get_by_label("Account").fill("shop/1")
    await expect(dialog.get_by_label("Webhook address")).to_have_value(re.compile(r"/webhooks/telegram/shop%2F1$"))
    await dialog.get_by_label("Secret token").fill("a-token_of-the-shop")
    await dialog.get_by_role("button", name="Bind", exact=True).click()
    row = page.locator(".ch").filter(has_text="shop/1")
    await expect(row).to_contain_text("Bound")
    address = await row.locator(".set-address").inner_text()
    update = {"update_id": 1, "message": {"message_id": 7, "date": 1_700_000_000, "chat": {"id": 5, "type": "private"}}}
    strange = await page.request.post(address, data=update)
    assert strange.status == 401
    genuine = await page.request.post(
        address, data=update, headers={"X-Telegram-Bot-Api-Secret-Token": "a-token_of-the-shop"}
    )
    assert genuine.status == 200
    await page.reload()
    await row.get_by_role("button", name="Change").click()
    change = page.get_by_role("dialog", name=re.compile("^Change Telegram"))
    await expect(change.get_by_label("Secret token")).to_have_value("")
    await change.get_by_label("Webhook address").fill("no address")
    await change.get_by_role("button", name="Save").click()
    await expect(change.get_by_role("alert")).to_contain_text("url")
    await change.get_by_role("button", name="Cancel").click()
    assert "a-token_of-the-shop" not in await page.content()
    await row.get_by_role("button", name="Change").click()
    await change.get_by_text("Further settings").click()
    await change.get_by_label("Address of the API").fill("https://proxy.example")
    await change.get_by_role("button", name="Save").click()
    await expect(change).to_have_count(0)
    await row.get_by_role("button", name="Change").click()
    await change.get_by_text("Further settings").click()
    await change.get_by_role("button", name="Take away").click()
    await expect(change.get_by_label("Address of the API")).to_be_disabled()
    await change.get_by_role("button", name="Save").click()
    await expect(change).to_have_count(0)
    bound = (await (await page.request.get("/api/v1/bindings")).json())["items"]
    assert [one["settings"] for one in bound] == [[]]
    await row.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("No channel is bound yet")).to_be_visible()
    assert (await page.request.post(address, data=update)).status == 404


async def test_the_log_of_changes_shows_before_and_after_and_can_be_narrowed(logged_in):
    page = await logged_in("/settings/audit")
    await page.get_by_label("Sort of change").select_option("thresholds.")
    rows = page.locator(".set-log > li")
    await expect(rows.first).to_contain_text("changed thresholds")
    await expect(rows.first.get_by_role("row")).to_contain_text(
        ["", re.compile(r"shopee:loss.grace_s\s*default\s*→\s*45")]
    )
    await expect(rows.filter(has_text="added a person")).to_have_count(0)
    await expect(page).to_have_url(re.compile("what=thresholds"))
    await page.get_by_label("Sort of change").select_option("")
    await page.get_by_role("searchbox", name="On what, exactly").fill(HOSTILE)
    await expect(rows.filter(has_text="added a person")).to_have_count(1)
    await page.get_by_role("searchbox", name="Who, exactly").fill("nobody at all")
    await expect(page.get_by_text("No change fits this filter")).to_be_visible()
    assert await page.evaluate("window.hurt") is None


async def test_dead_letters_are_masked_text_and_can_be_dismissed_or_tried_again(logged_in):
    page = await logged_in("/settings/dead-letters")
    letter = page.locator(".set-letters > li").filter(has_text="ValueError")
    await letter.locator("summary").click()
    await expect(letter.locator("pre")).to_contain_text('"text": "[masked]"')
    await expect(page.get_by_text("9123")).to_have_count(0)
    await letter.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("alert")).to_contain_text("still cannot be read")
    await letter.get_by_role("button", name="Dismiss").click()
    await page.get_by_role("dialog").get_by_role("button", name="Dismiss").click()
    await expect(letter).to_have_count(0)
    await page.get_by_role("button", name="All").click()
    await expect(letter).to_contain_text("Dealt with")
    assert await page.evaluate("window.hurt") is None


async def test_failed_replies_say_why_and_are_sent_again_one_by_one_or_all_at_once(logged_in):
    page = await logged_in("/settings/outbox", name="Sam Wu")
    row = page.locator(".set-letters > li")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("the platform refused it: <img")
    await expect(row).to_contain_text("failed words")
    await row.get_by_role("button", name="Send again").click()
    await expect(row.get_by_role("status")).to_contain_text("is not bound")
    await page.reload()
    await expect(row.get_by_role("status")).to_have_count(0)
    await page.get_by_role("button", name="Send all again").click()
    await expect(row.get_by_role("status")).to_contain_text("is not bound")
    await expect(page.get_by_text("0 of 1 are on their way again")).to_be_visible()
    await page.get_by_role("button", name="Perhaps sent").click()
    await expect(row).to_contain_text("unknown words")
    await row.get_by_role("button", name="It was not sent").click()
    await page.get_by_role("dialog").get_by_role("button", name="It was not sent").click()
    await expect(row.get_by_role("status")).to_contain_text("is not bound")
    await row.get_by_role("button", name="It was sent").click()
    await expect(page.get_by_text("Nothing is waiting here")).to_be_visible()
    assert await page.evaluate("window.hurt") is None


async def test_one_changes_ones_own_password_and_must_log_in_again(logged_in, browser, desk):
    page = await logged_in("/settings", name="Sam Wu")
    await page.get_by_label("Current password").fill("not this one")
    await page.get_by_label("New password", exact=True).fill("a quite different one")
    await page.get_by_label("New password again").fill("a quite different two")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_contain_text("two different ways")
    await page.get_by_label("New password again").fill("a quite different one")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_contain_text("current password is wrong")
    await page.get_by_label("Current password").fill("correct horse battery")
    await page.get_by_role("button", name="Change password").click()
    await expect(page).to_have_url(re.compile("/login"))
    await logged_in("/settings", name="Sam Wu", password="a quite different one")
    refused = await (await browser.new_context(base_url=desk)).request.post(
        "/auth/login", data={"name": "Sam Wu", "password": "correct horse battery"}
    )
    assert refused.status == 401


async def test_language_and_theme_are_kept_with_the_person(logged_in):
    page = await logged_in("/settings", name="Vic Ho")
    await page.get_by_role("button", name="Dark", exact=True).click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="中文").last.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("设置")
    again = await logged_in("/settings", name="Vic Ho", lang="en")
    await expect(again.get_by_role("heading", level=1)).to_have_text("设置")
    await expect(again.locator("html")).to_have_attribute("data-theme", "dark")


async def test_signing_out_everywhere_ends_the_other_window_too(logged_in):
    here = await logged_in("/settings", name="Ada Lin")
    there = await logged_in("/settings/users", name="Ada Lin")
    await here.get_by_role("button", name="Sign out everywhere").click()
    await here.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(here).to_have_url(re.compile("/login"))
    await expect(there).to_have_url(re.compile("/login"))


async def test_pages_of_administration_do_not_exist_for_a_viewer(logged_in):
    page = await logged_in("/settings", name="Lee Park")
    await expect(page.locator(".set-tabs a")).to_have_text(["My account"])
    for path in ("users", "tokens", "audit", "dead-letters", "outbox"):
        await page.goto(f"/settings/{path}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    assert (await page.request.get("/api/v1/users")).status == 403


async def test_on_a_phone_nothing_sticks_out(logged_in):
    page = await logged_in("/settings", phone=True, lang="zh")
    for path in ("", "/users", "/tokens", "/audit", "/dead-letters", "/outbox"):
        await page.goto(f"/settings{path}")
        await expect(page.locator(".set-table tbody tr, .set-log li, .set-letters li, .set-form").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path


async def test_what_cannot_be_bound_says_why_and_offers_the_way_by_mail(logged_in):
    page = await logged_in("/settings/channels")
    note = page.get_by_role("region", name="Other platforms")
    told = note.get_by_role("definition")
    await expect(told).to_have_count(3)
    await expect(note.get_by_role("term")).to_have_text(["Walmart", "Temu", "Wish"])
    for number, words in enumerate(("customer-care e-mail address", "they stay in its Seller Center", "sold in 2024")):
        await expect(told.nth(number)).to_contain_text(words)
    await note.get_by_role("button", name="Bind a mailbox").click()
    form = page.get_by_role("dialog")
    await expect(form.get_by_role("combobox")).to_have_value("email")
    await expect(form.get_by_label("IMAP server", exact=True)).to_be_visible()
