"""Every text field of the screens: as the sources declare them, and as a browser finds them on a page."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import TimeoutError  # noqa: A004 # the browser's own

from ui.language import catalogue
from ui.login import PAGE

COMPONENTS = Path(__file__).resolve().parents[3] / "ui" / "components"
TAG = re.compile(r"<(input|textarea)\b(?:\"[^\"]*\"|'[^']*'|[^>\"'])*>|<[^>]*\bcontenteditable\b[^>]*>")
NO_TEXT = frozenset({"radio", "checkbox", "range", "hidden", "datetime-local", "date", "time", "file"})
SPOKEN = re.compile(r"""\bt\(\s*['"]([\w.-]+)['"]""")
LABELLED = re.compile(r""":aria-label="t\('([\w.-]+)'(?: \+ [\w.]+)?\)""")
ANY = "any"
"""The type of a field whose name is computed: one template stands for fields of several types."""
MOST_PRESSES = 24
"""Buttons of one look that are pressed on one page: rows repeat."""


class Field(NamedTuple):
    """What a field is known by: its spoken name in English, and how it takes text."""

    name: str
    type: str
    inputmode: str
    maxlength: str


def declared() -> Counter[Field]:
    """Every text field in a template or on the login page, and how often it is declared."""
    texts = catalogue("en")
    found: Counter[Field] = Counter()
    for path in sorted(COMPONENTS.rglob("*.js")):
        source = path.read_text(encoding="utf-8")
        for match in TAG.finditer(source):
            tag = match.group()
            if _kind(tag) in NO_TEXT or re.search(r"\breadonly\b", tag):
                continue
            label = LABELLED.search(tag)
            key = label.group(1) if label else SPOKEN.findall(source[: match.start()])[-1]
            found[_family(key, tag) if key.endswith(".") else _field(texts[key], tag)] += 1
    for match in TAG.finditer(PAGE):
        tag = match.group()
        if _kind(tag) not in NO_TEXT:
            key = re.findall(r"\{(\w+)\}", PAGE[: match.start()])[-1]
            found[_field(texts[f"login.{key}"], tag)] += 1
    return found


def known_as(field: Field, sources: Counter[Field]) -> Field:
    """What the sources call a field of a page: its own name, or the family that its name is computed in."""
    texts = catalogue("en")
    for family in sources:
        members = {text for key, text in texts.items() if family.type == ANY and key.startswith(family.name)}
        if field.name in members and field[2:] == family[2:]:
            return family
    return field


def _family(prefix: str, tag: str) -> Field:
    return Field(prefix, ANY, _value(tag, "inputmode"), _value(tag, "maxlength"))


def _kind(tag: str) -> str:
    return _value(tag, "type") or ("textarea" if tag.startswith("<textarea") else "text")


def _value(tag: str, name: str) -> str:
    match = re.search(rf"""\s{name}="([^"]*)\"""", tag)
    return match.group(1) if match else ""


def _field(name: str, tag: str) -> Field:
    return Field(name, _kind(tag), _value(tag, "inputmode"), _value(tag, "maxlength"))


# Visible text fields with their names, as a screen reader says them.
FIELDS = """() => {
  for (const el of document.querySelectorAll(".w-main details, .w-scrim details")) el.open = true;
  const none = ["radio","checkbox","range","hidden","datetime-local","date","time","file","submit","button"];
  const words = (node) => { const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT); let at;
    while ((at = walk.nextNode())) if (at.textContent.trim()) return at.textContent.trim(); return ""; };
  return [...document.querySelectorAll("input, textarea, [contenteditable=true]")]
    .filter((el) => !none.includes(el.type) && !el.readOnly && !el.disabled && el.getClientRects().length)
    .map((el) => {
      const name = el.getAttribute("aria-label") || (el.labels && el.labels[0] ? words(el.labels[0]) : "");
      const key = [name, el.type || "text", el.getAttribute("inputmode") || "", el.getAttribute("maxlength") || ""];
      el.dataset.sweep = key.join("|"); return key; });
}"""

# Buttons that may reveal something: not those of the frame, of a choice, or that send a form.
BUTTONS = """() => [...document.querySelectorAll(".w-main button, .w-scrim button")]
  .filter((el) => el.type !== "submit" && !el.disabled && el.getClientRects().length && !el.closest(".rail, .w-seg")
    && (!document.querySelector(".w-scrim") || el.closest(".w-scrim")))
  .map((el) => {
    const words = (el.ariaLabel || el.innerText).trim().split("\\n")[0];
    const name = el.className + "|" + words.replace(/[0-9]+/g, "#").slice(0, 60);
    el.dataset.press = name; return [name, el.className]; })"""


# What is gone by now needs no press; the page may draw itself anew at any moment.
PRESS = """(name) => {
  const el = [...document.querySelectorAll("[data-press]")].find((one) => one.dataset.press === name);
  if (el) el.click(); }"""


async def fields(page) -> list[Field]:
    """The text fields that can be seen now."""
    return [Field(*key) for key in await page.evaluate(FIELDS)]


def locate(page, field: Field):
    """The field on the page, once `fields` has seen it."""
    return page.locator(f'[data-sweep="{_escaped("|".join(field))}"]').first


class Explorer:
    """Presses every button of a page once and types figures where figures go, to find every field.

    What the presses would change is held back (`calm`), so that a page stays as it was; what fields send is not.
    """

    def __init__(self, page, path):
        self.page = page
        self.path = path
        self.known: set[Field] = set()
        self.calm = True
        self._figures = count(60)
        self._chain: list[str] = []
        self._pressed: set[str] = set()
        self._presses: Counter[str] = Counter()

    async def explore(self, met):
        """`met(field, again)` is awaited for each field; `again()` brings back the page as it was found."""
        await self.page.route("**/api/v1/**", self._hold)
        await self._fresh()
        await self._look(met)
        while (name := await self._next_button()) is not None:
            before = len(await self.page.evaluate(BUTTONS))
            await self._press(name)
            await self._look(met)
            await self._type()
            await self._look(met)
            await self._close(before)
        await self.page.unroute("**/api/v1/**", self._hold)

    async def _hold(self, route):
        if self.calm and route.request.method != "GET":
            await route.fulfill(status=409, json={"detail": "only looking"})
        else:
            await route.fallback()

    async def _fresh(self):
        self._chain.clear()
        await self.page.goto(self.path)
        await self.page.locator(".w-main h1, .login-card").first.wait_for()
        await self.page.wait_for_load_state("networkidle")

    async def _look(self, met):
        for field in await fields(self.page):
            if field not in self.known:
                self.known.add(field)
                self.calm = False
                await met(field, self._back(list(self._chain), field))
                self.calm = True

    def _back(self, chain, field):
        async def again():
            await self._fresh()
            for name in chain:
                await self._press(name)
            if field not in await fields(self.page):
                await self._type()
                await fields(self.page)

        return again

    async def _press(self, name):
        self._chain.append(name)
        await self.page.evaluate(BUTTONS)
        await self.page.evaluate(PRESS, name)
        await self.page.wait_for_timeout(120)

    async def _type(self):
        """A figure in a field may reveal another field, such as the note to a change; each time another one."""
        for field in self.known:
            box = locate(self.page, field)
            if field.inputmode == "decimal" and await box.count() and await box.is_enabled():
                await box.fill(str(next(self._figures)))
                await self.page.wait_for_timeout(50)

    async def _close(self, before):
        """Close a dialog; begin anew where the press led away or hid what is left to press."""
        while await self.page.locator(".w-scrim").count():
            button = self.page.locator(".w-scrim button:not([type=submit])")
            # One that tells of something may go by itself meanwhile.
            with suppress(TimeoutError):
                await button.last.click(timeout=3_000)
            self._chain.clear()
        left = self.page.url.split("?")[0].endswith(self.path.split("?")[0])
        if not left or len(await self.page.evaluate(BUTTONS)) < before:
            await self._fresh()

    async def _next_button(self):
        for name, look in await self.page.evaluate(BUTTONS):
            if name not in self._pressed and self._presses[look] < MOST_PRESSES:
                self._pressed.add(name)
                self._presses[look] += 1
                return name
        return None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
