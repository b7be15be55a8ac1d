"""Two agents, a supervisor and an admin work through an hour's messages of a shop; nothing is missed or done twice."""

import asyncio
import re
from urllib.parse import quote

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 30_000
SHOP = "hour"
IN_SHOP = {"platform": "webchat", "account": SHOP}
CUSTOMERS = ["alba", "bram", "cleo", "dina", "emil", "fadi", "gwen", "hugo", "ines", "jana", "kofi", "lena"]
AGENTS = ("Ann Ho", "Ben Okafor")


def place(tab):
    return f"/inbox?tab={tab}&platform=webchat&account={SHOP}&sort=oldest"


def path_of(conversation):
    return f"/api/v1/conversations/{quote(f'webchat/{SHOP}/{conversation}', safe='')}"


async def stored(client, conversation):
    """The messages of a conversation, oldest first."""
    answer = await client.get(f"{path_of(conversation)}/messages", params={"limit": 500})
    return answer.raise_for_status().json()["items"]


def row(page, conversation):
    return page.locator(".ib-row", has_text=f"Customer {conversation}")


async def until(ask, good):
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not good(found := await ask()):  # noqa: ASYNC110 # the product is asked over HTTP
            await asyncio.sleep(0.1)
        return found


async def opened(page, conversation):
    """Choose a conversation of the list and wait until one may write."""
    await page.locator(".ib-list").hover()  # under the pointer nothing moves
    await row(page, conversation).click(timeout=PATIENCE_MS)
    await expect(page.locator(".ib-head-name")).to_contain_text(f"Customer {conversation}", timeout=PATIENCE_MS)
    await expect(page.locator(".ib-composer textarea")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator(".th-msg").first).to_be_visible(timeout=PATIENCE_MS)


async def answered(page, text):
    """Write an answer and send it by the keyboard; returns when the thread shows it as sent."""
    box = page.locator(".ib-composer textarea")
    await box.fill(text)
    await expect(page.locator(".cp-send")).to_be_enabled(timeout=PATIENCE_MS)
    await box.press("Control+Enter")
    bubble = page.locator(".th-msg.is-out").filter(has_text=text)
    await expect(bubble.locator(".th-tick.is-sent")).to_be_visible(timeout=PATIENCE_MS)


async def taken(page, conversation):
    """Open one and take it with a key."""
    await opened(page, conversation)
    await page.locator(".ib-head-name").click()
    await page.keyboard.press("m")
    await expect(page.locator(".ib-take")).to_have_count(0, timeout=PATIENCE_MS)


async def test_an_hour_of_work(logged_in, wrote, asking):
    admin = await asking("Ada Lin")
    settings = {"secret": "a secret of the shop that nobody knows", "origins": "https://shop.example"}
    binding = {"url": f"https://weir.example/webhooks/webchat/{SHOP}", "settings": settings}
    bound = await admin.put(f"/api/v1/bindings/webchat/{SHOP}", json=binding)
    assert bound.is_success, bound.text
    for name in CUSTOMERS:
        await wrote(name, f"Where is my parcel, asks {name}?", name=f"Customer {name}", **IN_SHOP)
    ann, ben = [await logged_in(place("all"), name=name) for name in AGENTS]
    sam = await logged_in(place("all"), name="Sam Wu")
    ada = await logged_in("/", name="Ada Lin")
    await expect(ada.locator("body")).to_contain_text(
        re.compile("webchat|Web chat", re.IGNORECASE), timeout=PATIENCE_MS
    )

    for page, mine in ((ann, CUSTOMERS[0:4]), (ben, CUSTOMERS[4:8])):
        for name in mine:
            await taken(page, name)
            await answered(page, f"It left today, {name}.")
    for name in CUSTOMERS[8:10]:
        given = await admin.post(f"{path_of(name)}/assign", json={"assignee": "Ann Ho"})
        assert given.status_code == 200, given.text
    await expect(ann.locator("body")).to_contain_text("Mine", timeout=PATIENCE_MS)
    await opened(ann, "ines")
    await answered(ann, "It left today, ines.")

    await wrote("alba", "Thank you!", name="Customer alba", **IN_SHOP)
    await expect(row(ann, "alba")).to_contain_text("Thank you!", timeout=PATIENCE_MS)
    await opened(ben, "emil")
    await ben.locator(".ib-composer").get_by_role("tab", name="Note").click()
    await ben.locator(".ib-composer textarea").fill("Promised for Friday")
    await ben.locator(".cp-send").click()
    await expect(ben.locator(".th-msg.is-note")).to_contain_text("Promised for Friday", timeout=PATIENCE_MS)

    await opened(sam, "emil")
    await expect(sam.locator(".th-msg.is-note")).to_contain_text("Promised for Friday", timeout=PATIENCE_MS)
    for name in CUSTOMERS[4:8]:
        closed = await admin.post(f"{path_of(name)}/status", json={"status": "closed"})
        assert closed.status_code == 200, closed.text
    await until(
        lambda: admin.get("/api/v1/inbox", params={"tab": "closed", **IN_SHOP}),
        lambda found: found.json()["total"] == len(CUSTOMERS[4:8]),
    )

    rows = (await admin.get("/api/v1/inbox", params={"platform": "webchat", "account": SHOP, "limit": 50})).json()[
        "items"
    ]
    assert {row["conversation"]: row["assignee"] for row in rows} == {
        **dict.fromkeys(CUSTOMERS[0:4], "Ann Ho"), **dict.fromkeys(CUSTOMERS[8:10], "Ann Ho"),
        **dict.fromkeys(CUSTOMERS[10:12], None),
    }  # fmt: skip
    for name in [*CUSTOMERS[0:8], "ines"]:
        answers = [item for item in await stored(admin, name) if item["direction"] == "out"]
        assert [item["text"] for item in answers] == [f"It left today, {name}."], name
    for name in CUSTOMERS:
        asked = [item["text"] for item in await stored(admin, name) if item["direction"] == "in"]
        assert asked[0] == f"Where is my parcel, asks {name}?", name
    stats = (await admin.get("/api/v1/stats")).raise_for_status().json()["ledger"]
    assert stats["accepted"] == stats["stored"] + stats["duplicates"] + stats["rejected"]
    trail = (await admin.get("/api/v1/audit", params={"subject": f"webchat/{SHOP}/emil"})).raise_for_status().json()
    said = {row["what"] for row in trail["items"]}
    assert {"conversation.claimed", "conversation.closed", "conversation.read"} <= said
