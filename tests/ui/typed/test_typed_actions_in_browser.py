"""Messages that are begun, in a real browser, against emulated platforms: offered, written, sent once, shown."""

import re

import pytest
from playwright.async_api import expect

from emulator.pictures import png
from tests.ui.typed.product import AFTER, BEFORE, SALE

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


OFFERED = [
    ("order_on_its_way", "en-US"),
    ("back_soon", "es"),
    ("hello_again", "en-US"),
    ("with_a_picture", "en-US"),
    ("follow_it", "en-US"),
]


def card(page, name="Messages about the order"):
    return page.get_by_role("region", name=name)


def bubble(page, text):
    return page.locator(".th-msg").filter(has_text=text)


async def test_a_message_of_a_kind_is_sent_to_amazon_once_and_stands_in_the_thread(beside, desk):
    page = await beside("amazon/seller/before")
    kinds = card(page).get_by_role("group", name="Kinds that are allowed now").get_by_role("button")
    await expect(kinds).to_have_text(["Confirm delivery", "Confirm the order", "Tell of a problem"])
    await expect(card(page)).to_contain_text(BEFORE)
    await expect(card(page)).to_contain_text("The buyer's language: de-DE")
    await kinds.filter(has_text="Tell of a problem").click()
    box = card(page).get_by_role("textbox")
    await box.fill("x" * 2_001)
    await expect(card(page).get_by_role("button", name="Send")).to_be_disabled()
    await box.fill("Leider ist die Farbe aus.")
    await card(page).get_by_role("button", name="Send").click()
    await expect(card(page).get_by_role("status")).to_have_text(re.compile("Sent"))
    await expect(bubble(page, "Leider ist die Farbe aus.")).to_be_visible()
    told = {"order": BEFORE, "kind": "unexpectedProblem", "text": "Leider ist die Farbe aus.", "files": []}
    assert desk.begun().count(told) == 1


async def test_an_invoice_goes_out_as_the_file_that_was_chosen(beside, desk):
    page = await beside("amazon/seller/after")
    await card(page).get_by_role("button", name="Send the invoice").click()
    await expect(card(page).get_by_role("textbox")).to_have_count(0)
    file = {"name": "invoice.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 an invoice"}
    await card(page).locator("input[type=file]").set_input_files([file])
    await card(page).get_by_role("button", name="Send", exact=True).click()
    await expect(card(page).get_by_role("status")).to_have_text(re.compile("Sent"))
    assert {"order": AFTER, "kind": "invoice", "text": None, "files": ["invoice.pdf"]} in desk.begun()


async def test_an_orders_card_is_sent_to_lazada_whatever_was_begun_to_be_written(beside, desk):
    page = await beside(desk.session)
    kinds = card(page).get_by_role("group", name="Kinds that are allowed now").get_by_role("button")
    await expect(kinds).to_have_count(4)
    await kinds.filter(has_text="Write about the order").click()
    await card(page).get_by_role("textbox").fill("It left t")
    await kinds.filter(has_text="Send the order's card").click()
    await card(page).get_by_role("button", name="Send", exact=True).click()
    await expect(card(page).get_by_role("status")).to_have_text(re.compile("Sent"))
    await expect(bubble(page, "Order card")).to_contain_text(SALE)
    assert desk.cards() == [SALE]


async def test_a_message_is_taken_back_once_somebody_said_twice_that_it_is_meant(beside, desk):
    page = await beside(desk.session)
    await card(page).get_by_role("button", name="Write about the order").click()
    await card(page).get_by_role("textbox").fill("It left to-morrow")
    await card(page).get_by_role("button", name="Send", exact=True).click()
    mistaken = bubble(page, "It left to-morrow")
    await mistaken.hover()
    await mistaken.get_by_role("button", name="Take back").click()
    asked = mistaken.get_by_role("group", name="Take back")
    await asked.get_by_role("button", name="Cancel").click()
    await expect(asked).to_have_count(0)
    assert desk.recalled() == []
    await mistaken.get_by_role("button", name="Take back").click()
    await asked.get_by_role("button", name="Take back").click()
    await expect(mistaken).to_contain_text("Recalled by its sender")
    await expect(mistaken.get_by_role("button", name="Take back")).to_have_count(0)
    assert desk.recalled() == ["It left to-morrow"]


async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_key(beside, desk):
    page = await beside("amazon/seller/before")
    keys = []

    async def lose(route):
        if route.request.method != "POST":
            await route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route(re.compile("/actions$"), lose)
    await card(page).get_by_role("button", name="Confirm the order").click()
    await card(page).get_by_role("textbox").fill("Nur einmal.")
    await card(page).get_by_role("button", name="Send").click()
    await expect(card(page).get_by_role("alert")).to_be_visible()
    await card(page).get_by_role("button", name="Send").click()
    await expect(card(page).get_by_role("status")).to_have_text(re.compile("Sent"))
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert [one["text"] for one in desk.begun()].count("Nur einmal.") == 1


async def test_after_the_24_hours_an_approved_template_is_filled_in_and_sent(beside, desk):
    page = await beside(desk.chat)
    await expect(page.locator(".cp-found")).to_contain_text("Send an approved template")
    templates = card(page, "Approved templates")
    await expect(templates.locator("option:not([disabled])")).to_have_text(
        [f"{name} · {lang}" for name, lang in OFFERED]
    )
    await templates.get_by_role("combobox").select_option("order_on_its_way/en_US")
    blanks = templates.get_by_role("textbox")
    await expect(blanks).to_have_count(3)
    await expect(templates.locator(".typed-words")).to_contain_text("Hello ____, your parcel is with ____ now.")
    for number, value in enumerate(("112-1", "Ana <b>", "DHL")):
        await blanks.nth(number).fill(value)
    await expect(templates.locator(".typed-words")).to_contain_text("Hello Ana <b>, your parcel is with DHL now.")
    await templates.get_by_role("button", name="Send", exact=True).click()
    await expect(templates.get_by_role("status")).to_have_text(re.compile("Sent"))
    written = "Order 112-1\n\nHello Ana <b>, your parcel is with DHL now.\n\nThank you for your order"
    assert written in desk.held()
    sent = bubble(page, "Hello Ana <b>, your parcel is with DHL now.")
    await expect(sent.locator(".th-tick")).to_have_class(re.compile("is-(delivered|read)"))


async def test_a_template_with_a_picture_wants_one_and_shows_it(beside, desk):
    page = await beside(desk.chat)
    templates = card(page, "Approved templates")
    await templates.get_by_role("combobox").select_option("with_a_picture/en_US")
    await expect(templates.get_by_role("textbox")).to_have_count(0)
    chosen = templates.get_by_label("Picture above the words")
    file = {"name": "it.png", "mimeType": "image/png", "buffer": png(9)}
    await chosen.set_input_files([file])
    await templates.get_by_role("button", name="Send", exact=True).click()
    await expect(templates.get_by_role("status")).to_have_text(re.compile("Sent"))
    assert "This is what it looks like." in desk.held()
    await expect(bubble(page, "This is what it looks like.")).to_be_visible()


async def test_the_end_of_a_buttons_address_is_filled_in(beside, desk):
    page = await beside(desk.chat)
    templates = card(page, "Approved templates")
    await templates.get_by_role("combobox").select_option("follow_it/en_US")
    for label, value in (("Fill in 1", "Ana"), ("address of button 2", "JD014600"), ("by button 3", "SAVE25")):
        await templates.get_by_label(label).fill(value)
    await expect(templates.locator(".typed-words")).to_contain_text("Follow it: https://parcels.example/JD014600")
    await templates.get_by_role("button", name="Send", exact=True).click()
    await expect(templates.get_by_role("status")).to_have_text(re.compile("Sent"))
    assert any("Copy the code: SAVE25" in one for one in desk.held())


async def test_whoever_may_not_answer_is_offered_nothing(beside):
    page = await beside("amazon/seller/before", name="Vic Ho")
    await expect(page.locator(".ctx-panel")).to_be_visible()
    await expect(card(page)).to_have_count(0)


async def test_on_a_phone_the_form_is_within_the_screen(beside):
    page = await beside("amazon/seller/before", phone=True)
    await card(page).get_by_role("button", name="Confirm delivery").click()
    box = await card(page).get_by_role("textbox").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
