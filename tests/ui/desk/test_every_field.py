"""Hostile text into every text field of every page: nothing runs, nothing breaks, the text stays literal.

The fields are found by opening the pages and pressing their buttons; the sources say how many there must be.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from urllib.parse import quote

import pytest
from playwright.async_api import TimeoutError  # noqa: A004 # the browser's own

from tests.ui.desk.fields import Explorer, declared, fields, known_as, locate
from ui.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1_800)]  # every button of every page is pressed

HARD = (
    '<img src=x onerror="window.hurt=1">',
    "<script>window.hurt=1</script>",
    "</script><script>window.hurt=1</script>",
    '"><svg/onload=window.hurt=1>',
    "'-window.hurt=1-'",
    "javascript:window.hurt=1",
    "{{constructor.constructor('window.hurt=1')()}}",
    "${window.hurt=1}",
    "`;window.hurt=1;//",
    "<iframe srcdoc='<script>parent.hurt=1</script>'>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=window.hurt=1>",
    "' OR '1'='1' --",
    "'; DROP TABLE users; --",
    '" UNION SELECT password_hash FROM users --',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1+1)",
    "\u202eevil\u202c",
    "\u200b\ufeff\u0000\u0007",
    "Z\u0351\u036b\u0343a\u0489l\u0360g\u0336o",
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "田中さんにあげて下さい",
    "__proto__",
    "../../../etc/passwd%00",
    "%s%s%n%x {0} {name}",
    "NaN",
    "1e309",
    "x" * 5_000,
)
KIND = {"kind": "confirmCustomizationDetails", "text": 800, "least": 0, "most": 1}
WORDS = {"kind": "soon/es", "title": "soon", "lang": "es", "words": "Hola {{first_name}}", "blanks": ["first_name"]}
ACTIONS = {"order": "903-1", "items": [KIND, WORDS]}
"""What a platform lets a seller begin, about an order or in its own words: only channels bound to one have it."""
FROM_CORPUS = 36
SENT = 5
"""Texts that are sent with Enter, too; the others are typed only."""

# Puts each text into the field as a person would, and says what differs from what was put there.
FEED = """async ([key, texts]) => {
  const wrong = [];
  for (const text of texts) {
    const el = document.querySelector(`[data-sweep="${CSS.escape(key)}"]`);
    if (!el) return [...wrong, "the field is gone after " + text];
    const proto = el.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, "value").set.call(el, text);
    el.dispatchEvent(new InputEvent("input", { bubbles: true }));
    el.dispatchEvent(new Event("change", { bubbles: true }));
    await new Promise((done) => setTimeout(done, 12));
    const want = el.tagName === "TEXTAREA" ? text : text.replace(/[\\r\\n]/g, "");
    if (el.value !== want) wrong.push(text);
  }
  return wrong;
}"""

# What only markup in a text could have made.
TRACES = """() => ({
  hurt: window.hurt === undefined ? null : String(window.hurt),
  handlers: [...document.querySelectorAll("*")].filter((el) => /(^| )on/.test(el.getAttributeNames().join(" "))).length,
  made: document.querySelectorAll(
    "img, iframe, object, embed, video, audio, base, math, marquee, [href^='javascript:' i]").length,
})"""


@pytest.fixture(scope="session")
def corpus(request):
    """Every text of the public list of bad input; none where the list is absent."""
    folder = request.config.rootpath.parent / "shared" / "data" / "bad_input"
    found = []
    for name in ("strings.jsonl", "html_sanitise.jsonl"):
        path = folder / name
        lines = path.read_text(encoding="utf-8").strip().split("\n") if path.is_file() else []
        found += [json.loads(line)["payload"] for line in lines]
    return found


@pytest.fixture
def hard(corpus):
    step = max(1, len(corpus) // FROM_CORPUS)
    return [*HARD, *corpus[::step][:FROM_CORPUS]]


async def feed(page, field, texts, again, heard):
    """Type all of them, send some; the page must be alive and free of what they tried to make."""
    before = await page.evaluate(TRACES)
    assert await page.evaluate(FEED, ["|".join(field), texts]) == [], field
    sent = 0
    for text in texts[:SENT]:
        # What a text was sent about may be over by now, such as an incident that is resolved.
        if await fill(page, field, text, again):
            sent += 1
            await send(page, locate(page, field))
            await page.wait_for_timeout(200)
            await check(page, before, heard, (field, text))
    assert sent, field


async def fill(page, field, text, again):
    """Where the field is gone, or goes while the answer to the last text arrives, it is brought back if it can be."""
    for attempt in range(2):
        if attempt:
            await again()
        if field in await fields(page):
            with suppress(TimeoutError):
                await locate(page, field).fill(text, timeout=3_000)
                return True
    return False


async def send(page, box):
    """As a person would: Enter, or the button beside a field that is in no form and searches nothing.

    What is sent may take the field away while the browser is still busy with it: that is sent, too.
    """
    with suppress(TimeoutError):
        alone = await box.evaluate("(el) => !el.form && el.type !== 'search'", timeout=5_000)
        await box.press("Enter", timeout=5_000)
        button = page.locator(".w-card, .w-dialog").filter(has=box).last.locator(".is-primary:enabled")
        if alone and await button.count():
            await button.first.click(timeout=5_000)


async def check(page, before, heard, what):
    assert heard == [], what
    # A text that was sent may lead to another page: that one is looked at when it is there.
    await page.locator("h1").first.wait_for()
    after = await page.evaluate(TRACES)
    assert after["hurt"] is None, what
    assert after["handlers"] == 0, what
    assert after["made"] <= before["made"], what
    assert await page.get_by_text("This page could not be drawn").count() == 0, what


async def address(page, path):
    """Where a page shows something: those of one thing need its name."""
    answer = await page.request.get("/api/v1/conversations?limit=1")
    key = quote((await answer.json())["items"][0]["key"], safe="")
    query = {
        "/anomalies": "?platform=shopee",
        "/channels": "?key=shopee%2Fsg-1",
        "/conversation": f"?key={key}",
        "/customers": f"?contact={await somebody(page)}",
        "/inbox": f"?tab=all&key={key}",
        "/trace": f"?key={key}&message=m1",
    }
    return path + query.get(path, "")


async def somebody(page):
    """A customer's id; customers are made of conversations a moment after these are there."""
    while not (found := (await (await page.request.get("/api/v1/contacts?limit=1")).json())["items"]):
        await page.wait_for_timeout(200)
    return found[0]["id"]


@pytest.fixture
async def tried(logged_in):
    """A page of an admin, and what dialogs of the browser it opened: a script's doing."""
    page = await logged_in("/settings")
    await page.route("**/api/v1/conversations/*/actions", given(ACTIONS))
    heard = []
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss())[1])
    return page, heard


async def test_no_field_is_forgotten(tried):
    """Whoever adds a field lets the sweep find it: by a button of a page, or by a figure typed into another field."""
    page, _ = tried
    found, sources = Counter(), declared()

    async def met(field, _again):
        found[known_as(field, sources)] += 1

    for one in PAGES:
        await Explorer(page, await address(page, one.path)).explore(met)
    await page.goto("/")
    for field in await palette(page):
        await met(field, None)
    await page.context.clear_cookies()
    await page.goto("/login")
    found.update(await fields(page))
    assert sources - found == Counter(), "fields that no page showed"
    assert set(found) - set(sources) == set(), "fields that no source declares"


@pytest.mark.parametrize("path", [page.path for page in PAGES])
async def test_every_field_of_a_page_takes_hostile_text(tried, path, hard):
    page, heard = tried

    async def met(field, again):
        await feed(page, field, hard, again, heard)

    await Explorer(page, await address(page, path)).explore(met)
    assert heard == []


async def palette(page):
    """The field that is open on every page by a key alone."""
    await page.locator("h1").first.wait_for()
    known = set(await fields(page))
    await page.keyboard.press("Control+k")
    await page.locator(".pal input").wait_for()
    return set(await fields(page)) - known


async def test_the_palette_takes_hostile_text(tried, hard):
    page, heard = tried
    await page.goto("/")
    (field,) = await palette(page)
    before = await page.evaluate(TRACES)
    assert await page.evaluate(FEED, ["|".join(field), hard]) == []
    for text in hard[:SENT]:
        await locate(page, field).fill(text)
        await page.wait_for_load_state("networkidle")
        await check(page, before, heard, text)


async def test_the_login_page_takes_hostile_text(tried, hard):
    page, heard = tried
    await page.context.clear_cookies()
    for text in hard[:SENT]:
        await page.goto("/login")
        for field in await fields(page):
            assert await page.evaluate(FEED, ["|".join(field), hard]) == []
            await locate(page, field).fill(text)
        before = await page.evaluate(TRACES)
        await page.keyboard.press("Enter")
        await page.get_by_role("alert").wait_for()
        check_login(await page.evaluate(TRACES), before, heard, text)


def check_login(after, before, heard, text):
    assert (heard, after["hurt"], after["handlers"]) == ([], None, 0), text
    assert after["made"] <= before["made"], text


def given(answer):
    """Answers every request with this."""
    return lambda route: route.fulfill(json=answer)


def listed(corpus, make):
    return {"items": [make(f"n{number}", text) for number, text in enumerate(corpus or HARD)], "next": None}


async def test_whatever_is_stored_is_shown_as_text_wherever_it_is_shown(logged_in, corpus):
    """The whole list as what people and platforms wrote, on the pages that show it."""
    at = "2026-11-22T02:00:00.000Z"
    texts = [text for text in corpus or HARD if text]
    answers = {
        "**/api/v1/conversations/**/messages*": listed(
            texts,
            lambda name, text: {
                "key": "shopee/sg-1/c1", "message": name, "direction": "in", "sent_at": at, "at": at, "text": text,
                "sender_name": text, "attachments": [], "versions": [], "hops": {}, "copies": 0, "delay_ms": 5,
            },
        ),
        "**/api/v1/mutes?*": listed(
            texts,
            lambda name, text: {
                "id": name, "kind": text, "platform": text, "account": text, "reason": text, "who": text, "at": at,
                "until": at, "ended_at": None, "in_force": True,
            },
        ),
        "**/api/v1/audit?*": listed(
            texts,
            lambda name, text: {
                "id": int(name[1:]), "at": at, "who": text, "what": text, "subject": text, "before": text,
                "after": {text: text},
            },
        ),
        # Each row of people is a box of choices, too: some of the texts are enough of them.
        "**/api/v1/users": listed(
            texts[::4],
            lambda name, text: {
                "id": name, "name": text, "role": "agent", "disabled": False, "created_at": at,
            },
        ),
    }  # fmt: skip
    shown = {
        "/conversation?key=shopee%2Fsg-1%2Fc1": ".bubble-text",
        "/mutes": ".mute-why bdi",
        "/settings/audit": ".set-subject bdi",
        "/settings/users": "td b bdi",
    }
    for path, where in shown.items():
        wanted = texts[::4] if path.endswith("users") else texts
        page = await logged_in(path)
        heard = []
        page.on("dialog", lambda dialog, heard=heard: (heard.append(dialog.message), dialog.dismiss())[1])
        for pattern, answer in answers.items():
            await page.route(pattern, given(answer))
        before = await page.evaluate(TRACES)
        await page.reload()
        await page.locator(where).nth(len(wanted) - 1).wait_for(state="attached")
        found = await page.locator(where).evaluate_all("(all) => all.map((el) => [el.textContent, el.children.length])")
        assert found == [[text, 0] for text in wanted], path
        await check(page, before, heard, path)
        await page.context.close()
