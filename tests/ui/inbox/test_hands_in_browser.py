"""Two people at one desk: who has it, who looks, who was faster; and one person in two windows."""

import json
import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser
PATIENCE_MS = 20_000


def at(conversation):
    return f"/inbox?tab=all&platform=shopee&sort=newest&key=shopee%2Fsg-1%2F{conversation}"


async def test_others_see_who_looks_and_who_has_it_at_once(logged_in, wrote):
    await wrote("hands-1", name="Hand One")
    ann, ben = await logged_in(at("hands-1"), name="Ann Ho"), await logged_in(at("hands-1"), name="Ben Okafor")
    present = ann.locator(".ib-present")
    await expect(present).to_contain_text("Ben Okafor is looking at this", timeout=PATIENCE_MS)
    await ben.locator(".ib-take").click()
    await expect(ben.locator(".ib-assign")).to_contain_text("Ben Okafor")
    await expect(ann.locator(".ib-assign")).to_contain_text("Ben Okafor", timeout=PATIENCE_MS)
    await expect(ann.locator(".ib-take")).to_have_count(0)
    await ben.goto("/inbox")
    await expect(present).to_have_count(0, timeout=PATIENCE_MS)


async def test_who_was_slower_is_told_by_whom_and_when_and_keeps_the_draft(logged_in, wrote, asking):
    await wrote("race-1", name="Race One")
    ann = await logged_in(at("race-1"), name="Ann Ho")
    await expect(ann.locator(".ib-take")).to_be_visible()
    draft = ann.locator(".ib-composer textarea")
    await draft.fill("I am on it")
    await ann.route("**/api/v1/conversations/*/claim", after(await asking("Ben Okafor")))
    await ann.locator(".ib-take").click()
    strip = ann.locator(".ib-strip")
    told = re.compile(r"Ben Okafor was faster and took this at \d+:\d\d.*Your draft is kept")
    await expect(strip).to_contain_text(told)
    await expect(ann.locator(".ib-assign")).to_contain_text("Ben Okafor")
    await expect(draft).to_have_value("I am on it")


def after(other):
    """Lets the other person's claim through first, then one's own, as it was."""

    async def answer(route):
        body = json.loads(route.request.post_data)
        first = await other.post("/api/v1/conversations/shopee/sg-1/race-1/claim", json=body)
        assert first.status_code == 200, first.text
        await route.fallback()

    return answer


async def test_two_windows_of_one_person_stay_in_step(logged_in, wrote):
    await wrote("step-1", name="In Step")
    one = await logged_in(at("step-1"), name="Ann Ho")
    await expect(one.locator(".ib-take")).to_be_visible()
    two = await one.context.new_page()
    await two.goto(at("step-1"))
    await expect(two.locator(".ib-take")).to_be_visible()
    await one.bring_to_front()
    await one.locator(".ib-take").click()
    await expect(two.locator(".ib-assign")).to_contain_text("Ann Ho", timeout=PATIENCE_MS)


async def test_what_is_opened_counts_as_read(logged_in, wrote):
    await wrote("read-1", name="Read Me")
    page = await logged_in("/inbox?tab=all&platform=shopee&sort=newest", name="Ann Ho")
    row = page.locator(".ib-row", has_text="Read Me")
    await expect(row.locator(".ib-unread")).to_be_visible(timeout=PATIENCE_MS)
    await row.click()
    await expect(row.locator(".ib-unread")).to_have_count(0, timeout=PATIENCE_MS)


async def test_labels_are_put_on_and_shown_in_row_and_head(logged_in, wrote):
    await wrote("label-1", name="Label Me")
    page = await logged_in(at("label-1"), name="Ann Ho")
    await expect(page.locator(".ib-head-name")).to_contain_text("Label Me")
    await page.keyboard.press("l")
    await expect(page.get_by_role("dialog", name="Labels")).to_be_visible()
    await page.keyboard.type("compl")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator(".ib-head-labels")).to_contain_text("Complaint", timeout=PATIENCE_MS)
    await expect(page.locator(".ib-row", has_text="Label Me")).to_contain_text("Complaint", timeout=PATIENCE_MS)
