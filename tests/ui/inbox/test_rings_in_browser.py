"""Whether it rang: by a notification, by sound, or not and why; what was opened is told, too."""

import re

import pytest
from playwright.async_api import expect

from tests.api.test_operators import until

pytestmark = pytest.mark.browser
PATIENCE_MS = 30_000
ELSEWHERE = "/inbox?tab=all&platform=ebay"
DENIED = """Object.defineProperty(Notification, "permission", { get: () => "denied" });
window.AudioContext = undefined;"""
SHOWN = (
    "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((one) => [one.title, one.body])"
)


@pytest.fixture
async def mine(wrote, asking):
    """`mine(conversation)`: a conversation that Ann Ho has."""

    async def made(conversation, name):
        await wrote(conversation, "The first word", name=name)
        ann = await asking("Ann Ho")
        place = f"/api/v1/conversations/shopee/sg-1/{conversation}"
        for _ in range(200):
            if (await ann.get(place)).status_code == 200:
                break
        answer = await ann.post(f"{place}/claim", json={})
        assert answer.status_code == 200, answer.text

    return made


async def current(page):
    await expect(page.locator(".ib-row .ib-name").first).to_be_visible(timeout=PATIENCE_MS)
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")


async def test_a_message_of_mine_is_shown_by_the_system_and_the_receipt_says_so(logged_in, mine, wrote, asking):
    await mine("ring-1", "Ring One")
    page = await logged_in("/login", name="Ann Ho")
    await page.context.grant_permissions(["notifications"])
    await page.goto(ELSEWHERE)
    await current(page)
    ann = await asking("Ann Ho")

    async def told(message, *fates):
        """The alert of a message, once it has met one of these fates."""

        async def look():
            found = (await ann.get("/api/v1/alerts", params={"key": "shopee/sg-1/ring-1"})).json()["items"]
            return next((row for row in found if row["message"] == message and row["fate"] in fates), None)

        return await until(look, seconds=30)

    message = await wrote("ring-1", "Are you there?", name="Ring One")
    alert = await told(message, "fired")
    assert [(rung["rung"], rung["status"]) for rung in alert["rungs"]] == [("desktop", "sent")]
    # When deadlines of others come near in the same moment it is one of several.
    titles = [title for title, _ in await page.evaluate(SHOWN)]
    assert any(title == "Ring One" or title.endswith("new messages") for title in titles), titles
    await page.goto("/inbox?tab=all&key=shopee%2Fsg-1%2Fring-1")
    assert await told(message, "seen")


async def test_what_did_not_ring_says_why(logged_in, mine, wrote, asking):
    await mine("ring-2", "Ring Two")
    page = await logged_in("/login", name="Ann Ho")
    await page.add_init_script(DENIED)
    await page.goto(ELSEWHERE)
    await current(page)
    message = await wrote("ring-2", "Hello?", name="Ring Two")
    ann = await asking("Ann Ho")

    async def look():
        found = (await ann.get("/api/v1/alerts", params={"key": "shopee/sg-1/ring-2"})).json()["items"]
        return [row["reason"] for row in found if row["message"] == message and row["fate"] == "failed"]

    assert await until(look, seconds=30) == ["permission_denied"]


async def test_many_at_once_are_one_notification(logged_in):
    page = await logged_in("/login", name="Ann Ho")
    await page.context.grant_permissions(["notifications"])

    async def kept(route):
        await route.fulfill(json={})

    await page.route("**/api/v1/alerts/*/receipt", kept)
    await page.goto(ELSEWHERE)
    await current(page)
    await page.evaluate(
        """async () => {
            const { ring } = await import("weir-inbox");
            const one = (n) => ({ id: `a${n}`, key: `k${n}`, why: "message", desktop: true, sound: false });
            const many = Array.from({ length: 40 }, (_, n) => ({ ...one(n), urgency: n < 3 ? "urgent" : "normal" }));
            await ring(many);
        }"""
    )
    assert await page.evaluate(SHOWN) == [["40 new messages", "3 of them are urgent"]]


async def test_trying_it_out_shows_every_rung(logged_in):
    page = await logged_in("/login", name="Ben Okafor")
    await page.context.grant_permissions(["notifications"])
    await page.goto("/settings/notifications")
    await page.get_by_role("button", name="Test now").click()
    rungs = page.locator(".al-rungs li")
    await expect(rungs.first).to_contain_text("It rang just now.", timeout=PATIENCE_MS)
    await expect(rungs).to_contain_text(["Notification of the system", "Sound", "Beside the screen", "Supervisors"])
    await expect(page.locator(".al-log")).to_contain_text("rang")


async def test_a_channel_is_muted_and_an_address_given_and_taken_away(logged_in):
    page = await logged_in("/settings/notifications", name="Ben Okafor")
    switch = page.get_by_role("switch", name="Ring for eBay · uk")
    await switch.uncheck()
    await page.get_by_label("E-mail").fill("ben@example.com")
    await page.get_by_role("button", name="Add").click()
    await expect(page.locator(".al-ways")).to_contain_text("b…@example.com")
    await page.reload()
    await expect(switch).not_to_be_checked()
    await switch.check()
    await page.get_by_role("button", name=re.compile("Take .* away")).click()
    await expect(page.locator(".al-ways")).to_have_count(0)
    await page.locator(".al-kind select").select_option("webhook")
    await page.get_by_label("Webhook").fill("https://user:pw@hooks.example.com/")
    await page.get_by_role("button", name="Add").click()
    await expect(page.get_by_role("alert")).to_contain_text("without a password")
