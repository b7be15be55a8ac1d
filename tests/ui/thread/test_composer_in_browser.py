"""The composer in a real browser: sent once, kept always, told what the platform says before it is sent."""

import re

import pytest
from playwright.async_api import expect

from tests.ui.thread.conftest import place
from tests.ui.thread.product import HOSTILE
from ui.language import catalogue

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
REPLY, NOTE = (catalogue("en")[f"composer.words.{mode}"] for mode in ("reply", "note"))


CLOSED = """async () =>
  (await (await fetch("/api/v1/conversations/webchat/shop/next")).json()).status === 'closed'"""


def key(name):
    return f"webchat/shop/{name}"


def box(page, name=REPLY):
    return page.get_by_role("textbox", name=name)


def send(page, name="Send"):
    return page.get_by_role("button", name=name, exact=True)


def bubble(page, text):
    return page.locator(".th-msg").filter(has_text=text)


@pytest.fixture
def talk(at, heard, logged_in):
    """`talk(name, **person)`: a conversation of this test's own, open before somebody."""

    async def opened(name, *, text="Where is my parcel?", **person):
        first = await logged_in("/settings", **person)
        await heard(first, text, conversation=name)
        await first.goto(place(key(name)))
        await expect(bubble(first, text)).to_be_visible()
        return first

    del at
    return opened


async def replies(page, name):
    answer = await page.request.get("/api/v1/outbox", params={"conversation": key(name)})
    return [row["text"] for row in (await answer.json())["items"]]


async def test_a_reply_is_sent_by_the_keyboard_and_a_note_stays_here(talk):
    page = await talk("send")
    await box(page).fill("It left yesterday.")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    await expect(bubble(page, "It left yesterday.").locator(".th-tick.is-sent")).to_contain_text("Sent")
    await expect(box(page)).to_have_value("")
    await page.get_by_role("tab", name="Note").click()
    await box(page, NOTE).fill("Ask @Ben Okafor about it")
    await send(page, "Keep note").click()
    note = page.locator(".th-msg.is-note").filter(has_text="about it")
    await expect(note.locator(".th-chip")).to_have_text("@Ben Okafor")
    assert await replies(page, "send") == ["It left yesterday."]


async def test_the_same_words_again_are_asked_about_first(talk):
    page = await talk("twin")
    await box(page).fill("On its way.")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    await expect(bubble(page, "On its way.").locator(".th-tick.is-sent")).to_be_visible()
    await box(page).fill("On its way.")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    asked = page.get_by_role("alertdialog", name="Sent already?")
    await expect(asked).to_contain_text(re.compile(r"An identical reply was sent \d+ s ago by Ada Lin"))
    assert await replies(page, "twin") == ["On its way."]
    await asked.get_by_role("button", name="Take back and edit").click()
    await expect(box(page)).to_have_value("On its way.")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    await page.get_by_role("alertdialog").get_by_role("button", name="Send again").click()
    await expect(page.locator(".th-msg.is-out .th-tick.is-sent")).to_have_count(2)
    assert await replies(page, "twin") == ["On its way.", "On its way."]


async def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_nothing_goes_out_twice(talk):
    page = await talk("lost")
    keys = []

    async def lose(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route(re.compile("/messages$"), lose)
    await box(page).fill("Once only.")
    await expect(send(page)).to_be_enabled()
    await send(page).click()
    await expect(bubble(page, "Once only.").locator(".th-tick.is-sent")).to_be_visible()
    await expect(page.locator(".th-msg.is-out")).to_have_count(1)
    await page.wait_for_function("!localStorage.getItem('weir-unsent') || localStorage.getItem('weir-unsent') === '[]'")
    assert len(set(keys)) == 1
    assert await replies(page, "lost") == ["Once only."]


async def test_a_reply_on_its_way_survives_a_reload(talk):
    page = await talk("reload")
    await page.route(re.compile("/messages$"), lambda route: route.abort())
    await box(page).fill("Do not lose me.")
    await expect(send(page)).to_be_enabled()
    await send(page).click()
    await expect(page.locator(".is-going")).to_contain_text("Do not lose me.")
    await page.unroute(re.compile("/messages$"))
    await page.reload()
    await expect(bubble(page, "Do not lose me.").locator(".th-tick.is-sent")).to_be_visible()
    assert await replies(page, "reload") == ["Do not lose me."]


async def test_what_the_server_refuses_is_told_and_can_be_taken_back(talk):
    page = await talk("refused")

    async def refuse(route):
        await route.fulfill(status=422, json={"detail": "the customer is gone"})

    await page.route(re.compile("/messages$"), refuse)
    await box(page).fill("Hello?")
    await expect(send(page)).to_be_enabled()
    await send(page).click()
    await expect(page.locator(".is-going .th-cures")).to_contain_text("the customer is gone")
    await page.reload()
    await page.locator(".is-going").get_by_role("button", name="Take back and edit").click()
    await expect(box(page)).to_have_value("Hello?")
    assert await replies(page, "refused") == []


async def test_a_draft_is_there_after_a_reload_in_another_tab_and_on_another_screen(talk, at):
    page = await talk("draft")
    await box(page).fill("Dear Mr")
    other = await page.context.new_page()
    await other.goto(place(key("draft")))
    await expect(box(other)).to_have_value("Dear Mr")
    await box(page).fill("Dear Mr Cruz")
    await expect(box(other)).to_have_value("Dear Mr Cruz")
    await page.wait_for_function("!Object.keys(localStorage).some((name) => name.startsWith('weir-draft/'))")
    await page.reload()
    await expect(box(page)).to_have_value("Dear Mr Cruz")
    elsewhere = await at(key("draft"))
    await expect(box(elsewhere)).to_have_value("Dear Mr Cruz")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    await expect(bubble(other, "Dear Mr Cruz").locator(".th-tick.is-sent")).to_be_visible()
    await expect(box(other)).to_have_value("")


async def test_an_answer_of_somebody_else_is_shown_before_one_sends_and_the_draft_is_kept(talk, at):
    page = await talk("faster")
    await box(page).fill("My own answer")
    ben = await at(key("faster"), name="Ben Okafor")
    await box(ben).fill("Ben was faster")
    await expect(send(ben)).to_be_enabled()
    await box(ben).press("Control+Enter")
    banner = page.locator(".cp-banner")
    await expect(banner).to_contain_text("Ben Okafor")
    await expect(banner).to_contain_text("Ben was faster")
    await expect(box(page)).to_have_value("My own answer")
    await expect(send(page, "Send all the same")).to_be_enabled()
    await banner.get_by_role("button", name="I have seen it").click()
    await expect(banner).to_have_count(0)
    await expect(box(page)).to_have_value("My own answer")


async def test_what_the_platform_forbids_blocks_and_what_is_bad_style_warns(talk):
    page = await talk("rules")
    await box(page).fill("x" * 4001)
    await expect(page.locator(".cp-rule.is-block")).to_contain_text("1 characters too many")
    await expect(page.locator(".cp-bar .is-red")).to_contain_text("-1 left")
    await expect(send(page)).to_be_disabled()
    await box(page).fill("WHERE ARE YOU RIGHT NOW")
    await expect(page.locator(".cp-rule.is-warn")).to_have_text("Written in capitals, it reads as shouting.")
    await expect(send(page)).to_be_enabled()


async def test_templates_come_by_a_slash_and_wait_to_be_filled_in(talk):
    page = await talk("templates", text="Hola")
    await box(page).press_sequentially("/tra")
    picker = page.get_by_role("listbox", name="Templates")
    await expect(picker.get_by_role("option")).to_have_count(1)
    # One word does not tell a language for sure: the wording for all of them comes.
    await expect(picker).to_contain_text("Hello Wei")
    await page.keyboard.press("Enter")
    await expect(box(page)).to_have_value(
        re.compile(r"Hello Wei, your parcel \{tracking\.number\} is on its way\. Ada Lin")
    )
    await expect(page.locator(".cp-rule.is-block")).to_contain_text("{tracking.number}")
    await expect(send(page)).to_be_disabled()
    assert await box(page).evaluate("(el) => el.value.slice(el.selectionStart, el.selectionEnd)") == "{tracking.number}"
    await page.keyboard.type("JJD01")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Enter")
    await expect(bubble(page, "Hello Wei, your parcel JJD01").locator(".th-tick.is-sent")).to_be_visible()
    await box(page).press_sequentially("/ref")
    await page.keyboard.press("Enter")
    await expect(page.locator(".cp-rule.is-block")).to_have_text("To be filled in: {amount}, {days}")
    await expect(send(page)).to_be_disabled()
    await page.keyboard.type("12.50 EUR")
    await page.keyboard.press("Tab")
    await page.keyboard.type("3")
    await expect(box(page)).to_have_value("Dear Wei Cruz, 12.50 EUR will be back within 3 days.")
    await expect(send(page)).to_be_enabled()
    await box(page).fill("")
    await box(page).press_sequentially("/")
    await expect(picker.get_by_role("option").filter(has_text=HOSTILE)).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(picker).to_have_count(0)
    assert await page.evaluate("window.hurt") is None


async def test_another_language_than_the_customers_is_chosen_by_hand_and_stays_chosen(talk, heard):
    page = await talk("tongue", text="Hola, ¿dónde está mi pedido?")
    tongue, picker = page.locator(".cp-lang select"), page.get_by_role("listbox", name="Templates")
    await expect(tongue).to_have_value("es")
    await box(page).press_sequentially("/tra")
    await expect(picker).to_contain_text("Hola Wei, su paquete")
    await box(page).fill("")
    await tongue.select_option("en")
    await heard(page, "Gracias, muy amable", conversation="tongue")
    await expect(bubble(page, "Gracias")).to_be_visible()
    await expect(tongue).to_have_value("en")
    await box(page).press_sequentially("/tra")
    await expect(picker).to_contain_text("Hello Wei")
    await page.keyboard.press("Enter")
    await expect(box(page)).to_have_value(
        re.compile(r"Hello Wei, your parcel \{tracking\.number\} is on its way\. Ada Lin")
    )


async def test_files_are_dropped_in_named_and_sent(talk):
    page = await talk("files")
    await page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["a,b"], "<b>list</b>.csv", { type: "text/csv" }));
          document.querySelector(".cp").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }"""
    )
    await expect(page.locator(".cp-files li")).to_contain_text("b>.csv")
    await expect(send(page)).to_be_enabled()
    await send(page).click()
    await expect(page.locator(".th-msg.is-out .files .file")).to_have_count(1)
    await expect(page.locator(".th-msg.is-out .th-tick.is-sent")).to_be_visible()


async def test_nothing_is_sent_while_the_line_is_down_and_what_came_meanwhile_is_shown_first(talk, at):
    page = await talk("offline")
    await box(page).fill("Typed before the line broke")
    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")
    ben = await at(key("offline"), name="Ben Okafor")
    await box(ben).fill("Answered while Ada was away")
    await expect(send(ben)).to_be_enabled()
    await box(ben).press("Control+Enter")
    await expect(bubble(ben, "Answered while Ada was away").locator(".th-tick.is-sent")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.locator(".cp-banner")).to_contain_text("Answered while Ada was away")
    await expect(box(page)).to_have_value("Typed before the line broke")


async def test_sending_and_closing_goes_to_the_next_conversation(talk):
    page = await talk("next")
    await box(page).fill("Done and closed")
    await expect(send(page)).to_be_enabled()
    await box(page).press("Control+Shift+Enter")
    await page.wait_for_function("!location.search.includes('next')")
    await page.wait_for_function(CLOSED)
    assert await replies(page, "next") == ["Done and closed"]
