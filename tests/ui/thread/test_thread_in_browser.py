"""The thread in a real browser: in order, complete, honest about what came late, and deaf to hostile words."""

import pytest
from playwright.async_api import expect

from tests.ui.thread.conftest import BAD, LONG, TALK, UNBOUND, place
from tests.ui.thread.product import HOSTILE
from ui.language import catalogue

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


def bubble(page, text):
    return page.locator(".th-msg").filter(has_text=text)


async def test_the_thread_tells_what_became_of_each_message(at):
    page = await at(TALK)
    await expect(page.locator(".th-msg")).to_have_count(8)
    late = bubble(page, "tracking number")
    await expect(late.locator(".th-late")).to_have_text("arrived 2 m 30 s late, after your reply")
    assert "1Z999AA10123456784" in await late.get_by_role("link", name="1Z999AA10123456784").get_attribute("href")
    link = bubble(page, "See ").get_by_role("link", name="https://example.com/help?x=1")
    assert await link.get_attribute("rel") == "noopener noreferrer"
    await expect(bubble(page, "See ").locator(".th-chip")).to_have_text(
        catalogue("en")["thread.received"].replace("{n}", "2")
    )
    await expect(bubble(page, "It was packed").locator(".th-tick.is-read")).to_contain_text("Read")
    await expect(bubble(page, "Understood").locator(".th-tick.is-delivered")).to_contain_text("Delivered")
    await expect(bubble(page, "Never mind").locator(".th-recalled")).to_have_text("Recalled by its sender")
    edited = bubble(page, "birthday present")
    await edited.get_by_role("button", name="1 earlier version").click()
    await expect(edited.locator(".th-versions li")).to_have_count(2)
    await expect(edited.locator(".th-versions")).to_contain_text("I need it on Thursday")
    order = await page.locator(".th-msg").evaluate_all("(rows) => rows.map((row) => row.dataset.id)")
    assert order == [f"message/m{n}" for n in (1, 2, 3, 5, 4, 6, 7, 8)]
    trace = await bubble(page, "See ").get_by_role("link", name=catalogue("en")["thread.trace"]).get_attribute("href")
    assert trace == "/trace?key=webchat%2Fshop%2Fc1&message=m6"


async def test_a_comparison_with_the_platform_is_a_thin_line_that_says_who_and_what_was_found(at):
    page = await at(TALK)
    lines = page.locator(".th-line").filter(has_text="compared it with the platform").locator("span")
    swept = "Sweep · compared it with the platform: messages there 3, missing here 2, changed unnoticed 1"
    asked = "Ben Okafor · compared it with the platform: could not be done, the token ran out"
    await expect(lines).to_have_text([swept, asked])


async def test_a_translation_stands_beside_its_original_and_what_differs_is_marked(at):
    page = await at(TALK)
    side = bubble(page, "No quiero").first
    await expect(side.locator(".th-side")).to_have_count(2)
    await expect(side.locator(".th-differs")).to_have_text(["112-7731845-0093", "112-7731845-0083"])
    await page.locator(".th-scroll").focus()
    await page.keyboard.press("t")
    await expect(side.locator(".th-side")).to_have_count(1)
    await expect(side.locator(".th-differs")).to_have_count(0)
    await side.get_by_role("button", name="Translated · show").click()
    await expect(side.locator(".th-side")).to_have_count(2)


DIFFERING = """async (pairs) => {
  const { differing } = await import("weir-thread");
  return pairs.map((pair) => differing(...pair).map((side, at) => {
    const whole = side.map((part) => part.text).join("");
    return whole === pair[at] ? side.filter((part) => part.differs).map((part) => part.text) : whole;
  }));
}"""
SPANISH = "No quiero el reembolso del pedido 112-7731845-0093, 49,90 € antes del 03/04"
SAME = (
    (SPANISH, "I do not want the refund of order 112-7731845-0093, €49.90 before 03/04"),
    ("订单１２３４５\uff0c共 1,234.50 元", "Order 12345, 1.234,50 in all"),
    ("ราคา ๒๕๐ บาท", "The price is 250 baht"),
    ("I have 2 parcels, see https://a.example/x?y=1", "Tengo dos paquetes, vea https://a.example/x?y=1"),
    ("Hello {name}", "Hola {name}"),
    ("nothing", "nada"),
)
OTHER = (
    (SPANISH, "order 112-7731845-0083, 49.90 € before 03/04", ["112-7731845-0093"], ["112-7731845-0083"]),
    ("49,90 €", "$49.90", ["€"], ["$"]),
    ("03/04", "04/03", ["03/04"], ["04/03"]),
    ("https://a.example/x", "https://a.example/y", ["https://a.example/x"], ["https://a.example/y"]),
    ("Hello {name}", "Hola {nombre}", ["{name}"], ["{nombre}"]),
    ("10 and 10", "10", ["10"], []),
)


async def test_what_a_translation_must_not_change_is_found_and_nothing_else(at):
    page = await at(TALK)
    await expect(page.locator(".th-msg")).to_have_count(8)
    pairs = [*SAME, *(case[:2] for case in OTHER)]
    found = await page.evaluate(DIFFERING, [list(pair) for pair in pairs])
    assert found[: len(SAME)] == [[[], []]] * len(SAME)
    assert found[len(SAME) :] == [list(case[2:]) for case in OTHER]


async def test_hostile_words_names_files_and_orders_stay_words(at):
    page = await at(BAD)
    await expect(page.locator(".th-msg")).to_have_count(2)
    await expect(page.locator(".th-who").first).to_have_text(HOSTILE)
    await expect(page.locator(".th-msg").first.locator(".th-text")).to_have_text(HOSTILE)
    await page.get_by_role("button", name="1 earlier version").click()
    await expect(page.locator(".th-versions")).to_contain_text("javascript:window.hurt=1 {{ 7*7 }}")
    await expect(page.locator(".th-quote b")).to_have_text(HOSTILE)
    assert await page.evaluate("window.hurt") is None
    assert await page.locator(".th img, .th script, .th [onerror], .th a[href^='javascript']").count() == 0


async def test_a_long_talk_is_read_back_without_jumping_and_never_drawn_whole(at):
    page = await at(LONG)
    rows = page.locator(".th-msg")
    await expect(bubble(page, "number 419 ")).to_be_in_viewport()
    seen = set()
    for _ in range(60):
        await page.locator(".th-scroll").evaluate("(el) => el.scrollTo({ top: 120 })")
        await page.wait_for_function(MOVED)
        seen.update(await rows.evaluate_all("(rows) => rows.map((row) => row.dataset.id)"))
        assert await rows.count() <= 300
        if "message/l0" in seen:
            break
    assert {f"message/l{n}" for n in range(420)} <= seen
    await page.locator(".th-scroll").evaluate("(el) => el.scrollTo({ top: 0 })")
    await expect(page.locator("[data-id='message/l0']")).to_be_in_viewport()


MOVED = """() => document.querySelector(".th-scroll").scrollTop > 240
  || document.querySelector(".th-start").textContent.includes("begins")"""
FIRST_IN_SIGHT = """() => {
  const scroll = document.querySelector(".th-scroll").getBoundingClientRect();
  const row = [...document.querySelectorAll(".th-msg")].find((one) => one.getBoundingClientRect().bottom > scroll.top);
  return row && { id: row.dataset.id, top: row.getBoundingClientRect().top - scroll.top };
}"""


async def test_what_one_reads_stays_where_it_is_when_the_page_before_comes(at):
    page = await at(LONG)
    await expect(bubble(page, "number 419 ")).to_be_in_viewport()
    await page.locator(".th-scroll").evaluate("(el) => el.scrollTo({ top: 200 })")
    before = await page.evaluate(FIRST_IN_SIGHT)
    await expect(bubble(page, "number 320 ")).to_have_count(1)
    after = await page.evaluate(
        "([id]) => document.querySelector(`[data-id='${id}']`).getBoundingClientRect().top"
        " - document.querySelector('.th-scroll').getBoundingClientRect().top",
        [before["id"]],
    )
    assert abs(after - before["top"]) < 2


async def test_what_becomes_of_a_message_long_ago_is_shown_at_once_where_it_was_read_back(logged_in):
    page = await logged_in(place(LONG) + "&message=l20")
    old = page.locator("[data-id='message/l20']")
    await expect(old).to_be_in_viewport()
    await expect(old.locator(".th-tick.is-sent")).to_be_visible()
    about = {"platform": "webchat", "account": "shop", "conversation": "long", "message": "l20"}
    for event in ({"type": "receipt", "status": "read"}, {"type": "edit", "text": "Said otherwise."}):
        answer = await page.request.post("/api/v1/events", data=event | about)
        assert answer.status == 202, await answer.text()
    await expect(old.locator(".th-tick.is-read")).to_be_visible()
    await expect(old).to_contain_text("Said otherwise.")
    await expect(old).to_be_in_viewport()


async def test_new_messages_are_counted_while_one_reads_back_and_followed_at_the_bottom(at, heard):
    page = await at(LONG)
    await heard(page, "one more at the bottom", conversation="long")
    await expect(bubble(page, "one more at the bottom")).to_be_in_viewport()
    await page.locator(".th-scroll").evaluate("(el) => el.scrollTo({ top: el.scrollHeight / 2 })")
    await heard(page, "what came meanwhile", conversation="long")
    await page.get_by_role("button", name="1 new").click()
    await expect(bubble(page, "what came meanwhile")).to_be_in_viewport()
    await expect(page.locator(".th-new")).to_have_count(0)


async def test_a_message_named_in_the_address_is_sought_however_far_back_it_is(logged_in):
    page = await logged_in(place(LONG) + "&message=l40")
    await expect(page.locator("[data-id='message/l40']")).to_be_in_viewport()
    await expect(page.locator(".th-msg.is-marked")).to_contain_text("number 40 ")


async def test_the_thread_is_there_in_chinese_and_on_a_phone(at):
    page = await at(TALK, lang="zh", phone=True)
    words = catalogue("zh")
    await expect(bubble(page, "See ").locator(".th-chip")).to_have_text(words["thread.received"].replace("{n}", "2"))
    small = await page.locator(".cp button:visible, .cp select:visible").evaluate_all(
        "(all) => all.filter((el) => el.getBoundingClientRect().height < 44).map((el) => el.outerHTML.slice(0, 80))"
    )
    assert small == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_a_channel_that_is_not_bound_can_be_read_and_noted_and_says_why_it_cannot_be_answered(at):
    page = await at(UNBOUND)
    box = page.get_by_role("textbox", name=catalogue("en")["composer.words.reply"])
    await box.fill("hello")
    await expect(page.locator(".cp-rule.is-block")).to_contain_text("is not bound")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()


async def test_who_may_only_read_has_no_composer(at):
    page = await at(TALK, name="Vic Ho")
    await expect(page.locator(".th-msg")).to_have_count(8)
    await expect(page.locator(".cp-text")).to_have_count(0)
    await expect(page.locator(".cp-none")).to_have_text("Your role reads conversations and does not answer them.")


async def test_a_mail_that_came_to_two_mailboxes_tells_of_the_other_one_and_of_the_answer_there(at, logged_in):
    page = await logged_in("/inbox")
    clock = await page.evaluate("Date.now()")

    async def tell(account, name, **more):
        about = {"platform": "email", "account": account, "conversation": f"two-{account}", "message": name}
        event = {"type": "message", **about, "sent_at": clock, **more}
        answer = await page.request.post("/api/v1/events", data=event)
        assert answer.status == 202, await answer.text()
        stored = f"""async () => (await fetch("/api/v1/messages?message={name}")).json().then(({{ items }}) =>
            items.some((one) => one.key === "email/{account}/two-{account}"))"""
        await page.wait_for_function(stored)

    ana = {"id": "ana@example.com", "name": "Ana", "role": "customer"}
    mail = {"direction": "in", "sender": ana, "text": "Where is it?"}
    for account in ("a", "b"):
        await tell(account, "two@example.com", **mail)
    other = await at("email/b/two-b")
    line = other.locator(".th-line").filter(has_text="The same mail is in Email · a")
    await expect(line).to_have_text("The same mail is in Email · a.")
    ben = {"id": "Ben Okafor", "name": "Ben Okafor", "role": "agent"}
    await tell("a", "answer@example.com", direction="out", sender=ben, text="Tomorrow.")
    await other.reload()
    await expect(line).to_contain_text("was answered there by Ben Okafor")
    await line.click()
    await expect(bubble(other, "Tomorrow.")).to_be_visible()
