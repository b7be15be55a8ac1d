"""Every page for everybody: no rule of WCAG 2 at levels A and AA is broken, in light and dark, on a desk and a phone.

The rules are axe-core's. Both themes draw the same elements, so that in the dark one only colours are judged.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.ui.accessibility.places import PLACES
from tests.ui.programs import served, windows
from ui.pages import PAGES

pytestmark = pytest.mark.browser
PRODUCT = Path(__file__).parent / "product.py"
AXE = Axe()
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LOOK = """async ([theme, inside, rules]) => {
  document.documentElement.dataset.theme = theme;
  const { violations } = await axe.run(inside ? { include: [inside] } : document, {
    runOnly: rules, resultTypes: ["violations"], iframes: false,
  });
  return violations.flatMap((one) => one.nodes.map((node) => [one.id, node.target.join(" "), node.failureSummary]));
}"""
STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, ::before, ::after { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets.push(sheet);
}"""
"""Colours on their way from one theme to the other are nobody's."""
LOADED = """() => !document.querySelector('[aria-busy="true"]')"""


def test_no_page_is_left_out():
    assert {page.path for page in PAGES} <= {urlsplit(place.path).path for place in PLACES}


async def test_no_page_breaks_a_rule_of_wcag_2_a_or_aa(browser, tmp_path):
    with served(PRODUCT, tmp_path) as address:
        async with windows(browser, address) as opened:
            desk, phone = await asyncio.gather(walked(opened, "desk"), walked(opened, "phone"))
    assert not [*desk, *phone], "\n".join([*desk, *phone])


SPOILT = """() => {
  const { style } = document.querySelector("h1");
  style.color = "color-mix(in srgb, var(--text) 30%, var(--bg))";
  document.querySelector(".rail-brand").removeAttribute("aria-label");
}"""


async def test_what_breaks_a_rule_is_found_in_either_theme(visit):
    page = await visit("/settings")
    await expect(page.locator("h1")).to_be_visible()
    await prepare(page)
    assert await wrong(page, "/settings") == []
    await page.evaluate(SPOILT)
    found = [line.split(": ")[:2] for line in await wrong(page, "/settings")]
    assert found == [
        ["/settings in light", "color-contrast"],
        ["/settings in light", "link-name"],
        ["/settings in dark", "color-contrast"],
    ]


async def prepare(page):
    """Have the page as it is looked at."""
    await page.wait_for_function(LOADED)
    await page.evaluate(STILL)
    await page.evaluate(AXE.axe_script)


async def walked(opened, device):
    """What is wrong wherever the walk through the product goes in a window of that size."""
    page = await opened("/login", phone=device == "phone")
    found = []
    for place in PLACES:
        if place.only in ("", device):
            await page.goto(place.path)
            for selector in place.ready:
                await expect(page.locator(selector).first).to_be_attached()
            await prepare(page)
            found += await wrong(page, f"{place.path} ({device})")
            for thing in place.opens:
                if thing.key:
                    await page.keyboard.press(thing.key)
                else:
                    await page.locator(thing.button).first.click()
                await expect(page.locator(thing.shows).first).to_be_visible()
                found += await wrong(page, f"{place.path} ({device}), {thing.shows}", thing.shows)
                await page.keyboard.press("Escape")
    return found


async def wrong(page, where, inside=None):
    """What is wrong on the page, or in a part of it."""
    found = []
    for theme, rules in (("light", RULES), ("dark", COLOURS)):
        for rule, target, why in await page.evaluate(LOOK, [theme, inside, rules]):
            found.append(f"{where} in {theme}: {rule}: {target}: {' '.join(why.split())}")
    return found
