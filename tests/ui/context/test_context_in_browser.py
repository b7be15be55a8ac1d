"""The customer beside a conversation in a real browser, on the whole product."""

from contextlib import suppress

import pytest
from playwright.async_api import expect

from tests.ui.context.product import HOSTILE

pytestmark = pytest.mark.browser

CHAT, MAIL, BAD = "lazada/th-1/c-1", "email/help/mail-1", "shopee/sg/c-3"


@pytest.fixture
async def beside(logged_in):
    """`beside(key, tab)` opens a conversation with this tab of its context."""

    async def opened(key, tab=None, **options):
        path = f"/inbox?tab=all&key={key}" + ("&pane=context" if options.get("phone") else "")
        page = await logged_in(path, **options)
        await expect(page.locator(".ctx-panel")).to_be_visible()
        if tab:
            await page.get_by_role("tab", name=tab).click()
        return page

    return opened


async def test_the_order_stands_with_its_steps_items_and_linked_parcel(beside):
    page = await beside(CHAT)
    order = page.locator(".ctx-order").first
    await expect(order).to_contain_text("#1001")
    await expect(order).to_contain_text("1,290.00")
    await expect(order.locator(".ctx-steps .is-done")).to_have_count(2)
    await expect(order.locator(".ctx-steps .is-now")).to_contain_text("Handed to the carrier")
    link = order.get_by_role("link", name="1Z37EJ8B0322420403")
    await expect(link).to_have_attribute("href", "https://www.ups.com/track?tracknum=1Z37EJ8B0322420403")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(page.get_by_text("Tracking numbers in the conversation")).to_be_visible()


async def test_a_suggestion_is_merged_undone_and_dismissed_for_good(beside):
    page = await beside(CHAT)
    hint = page.get_by_role("button", name="1 customer may be the same person")
    for _ in range(20):  # customers are met some seconds after they wrote
        with suppress(AssertionError):
            await expect(hint).to_be_visible(timeout=1_500)
            break
        await page.reload()
    await hint.click()
    card = page.locator(".ctx-same.is-strong")
    await expect(card).to_contain_text("Same order")
    await expect(card).to_contain_text("Arun Linh")
    await card.get_by_role("button", name="Merge", exact=True).click()
    await expect(page.locator(".ctx-identities > li")).to_have_count(2)
    await expect(page.locator(".ctx-facts")).to_contain_text("arun.linh@example.com")
    await expect(page.locator(".ctx-facts")).to_contain_text("฿1,740.00")
    await page.get_by_role("tab", name="History").click()
    await expect(page.locator(".ctx-span")).to_have_count(2)
    await page.get_by_role("tab", name="Customer").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".ctx-identities > li")).to_have_count(1)
    await card.get_by_role("button", name="Not the same").click()
    await expect(card).to_have_count(0)
    await page.reload()
    await page.get_by_role("tab", name="Customer").click()
    await expect(page.locator(".ctx-facts")).to_be_visible()
    await expect(page.locator(".ctx-same")).to_have_count(0)


async def test_tags_and_a_note_are_kept(beside):
    page = await beside("line/shop/c-2", "Customer")
    await page.get_by_placeholder("Add a tag").fill("gift")
    await page.get_by_placeholder("Add a tag").press("Enter")
    await expect(page.locator(".ctx-tags .w-pill")).to_have_text(["gift"])
    await page.get_by_role("button", name="Add a note").click()
    await page.get_by_role("textbox", name="Note").fill("likes <b>grey</b>")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator(".ctx-note-text")).to_have_text("likes <b>grey</b>")
    await page.reload()
    await page.get_by_role("tab", name="Customer").click()
    await page.get_by_role("button", name="Remove the tag gift").click()
    await expect(page.locator(".ctx-tags .w-pill")).to_have_count(0)
    await expect(page.locator(".ctx-note-text")).to_have_text("likes <b>grey</b>")


async def test_the_local_time_is_that_of_the_customers_place(beside):
    page = await beside(CHAT, "Customer")
    await expect(page.locator(".ctx-facts")).to_contain_text("Bangkok")


async def test_history_opens_another_conversation_of_the_customer(beside):
    page = await beside(MAIL, "History")
    await expect(page.locator(".ctx-span[aria-current]")).to_contain_text("Email")
    await expect(page.locator(".ctx-span")).to_have_count(1)
    await page.locator(".ctx-span").click()
    assert "mail-1" in page.url


async def test_health_links_each_trouble_and_message_to_its_trace(beside):
    page = await beside(CHAT, "Health")
    link = page.locator(".ctx-last a").first
    await expect(link).to_have_attribute("href", "/trace?key=lazada%2Fth-1%2Fc-1&message=c-1-58")
    await link.click()
    await expect(page.get_by_role("heading", name="c-1-58")).to_be_visible()


async def test_tabs_are_walked_by_arrows(beside):
    page = await beside(CHAT, "Order")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Customer")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("tab", name="Health")).to_have_attribute("aria-selected", "true")


async def test_whatever_a_customer_or_a_shop_calls_itself_stays_text(beside, logged_in):
    page = await beside(BAD)
    await expect(page.locator(".ctx-order").first).to_contain_text("<img src=x")
    assert await page.locator(".ctx-panel img, .ctx-panel a[href^='javascript']").count() == 0
    for tab in ("Customer", "History", "Health", "Order"):
        await page.get_by_role("tab", name=tab).click()
    await expect(page.locator(".ctx-head")).to_contain_text(HOSTILE[:30])
    assert await page.evaluate("window.hurt") is None
    other = await logged_in("/customers?q=onerror")
    await other.locator(".cust-row").first.click()
    await expect(other.locator(".cust-text").first).to_contain_text("onerror")
    assert await other.evaluate("window.hurt") is None


async def test_who_may_not_answer_sees_no_buttons(beside):
    page = await beside(MAIL, "Customer", name="Vic Ho")
    await expect(page.locator(".ctx-facts")).to_be_visible()
    for name in ("Merge", "Add a note", "Take back"):
        assert await page.get_by_role("button", name=name).count() == 0
    assert await page.get_by_placeholder("Add a tag").count() == 0


async def test_customers_are_found_filtered_and_read_over_all_channels(logged_in):
    page = await logged_in("/customers")
    await expect(page.locator(".cust-row").first).to_be_visible()
    await page.get_by_placeholder("Name, id, whole e-mail or phone").fill("ARUN.linh@example.com")
    await page.keyboard.press("Enter")
    await expect(page.locator(".cust-row")).to_have_count(1)
    await page.locator(".cust-row").click()
    await expect(page.locator(".cust-said")).to_have_count(3)
    await expect(page.locator(".ctx-facts")).to_contain_text("฿1,740.00")
    assert "contact=" in page.url
    await page.reload()
    await expect(page.locator(".cust-said")).to_have_count(3)
    await page.get_by_placeholder("Name, id, whole e-mail or phone").fill("nobody at all")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No customer fits")).to_be_visible()


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_phone_has_targets_for_a_thumb_and_nothing_wider_than_it(beside, logged_in, lang):
    page = await beside(CHAT, phone=True, lang=lang)
    for tab in range(4):
        await page.get_by_role("tab").nth(tab).click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        small = await page.eval_on_selector_all(
            ".ctx button, .ctx .w-field, .ctx-span",
            "all => all.filter((e) => e.offsetParent && e.getBoundingClientRect().height < 40).map((e) => e.className)",
        )
        assert small == []
    other = await logged_in("/customers", phone=True, lang=lang)
    await other.locator(".cust-row").first.click()
    await expect(other.locator(".cust-one-head")).to_be_visible()
    assert await other.evaluate("document.documentElement.scrollWidth") <= 390
    await other.locator(".cust-back").first.click()
    await expect(other.locator(".cust-row").first).to_be_visible()
