"""How the inbox feels in a browser with 100,000 conversations: `python -m benchmarks inbox_screen`.

A real `weir serve` and headless Chromium on the same machine. Times are the browser's own: from the click, or the start
of a navigation, to the frame after the first row stood in the document; between two frames while a script scrolls; from
a jump into the middle until no row is a placeholder; and from the last letter typed into the palette until what it
found is shown.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from playwright.async_api import Page

from benchmarks.figures import Figure, quantile
from benchmarks.inbox import filled
from benchmarks.inbox_window import signed_in
from loadtest.product import running_product

CONVERSATIONS = 100_000
ROUNDS = 15
FRAMES = 600
SPEEDS = {"by the wheel": 40, "as fast as a hand can": 240, "a screen a frame": 700}
"""Pixels a frame."""
FRAME_MS = 1000 / 60
LIST = "/inbox?tab=all&sort=newest"
ROW = ".ib-row .ib-name"
WANTED_MS = 300
FIRST_ROW = """() => {
  window.firstRow = new Promise((done) => {
    const drawn = () => requestAnimationFrame(() => done(performance.now()));
    const look = () => document.querySelector(".ib-row .ib-name") && drawn();
    new MutationObserver(look).observe(document, { subtree: true, childList: true });
  });
}"""
SWITCH = """([from, to]) => new Promise((done) => {
  const rows = document.querySelector(".ib-rows-all");
  const tab = (number) => document.querySelectorAll(".ib-tabs-row .ib-tab")[number];
  const began = performance.now();
  tab(to).click();
  const look = () => {
    const row = rows.querySelector(".ib-name");
    if (tab(to).getAttribute("aria-selected") === "true" && row) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
SCROLL = """([frames, step_px]) => new Promise((done) => {
  const box = document.querySelector(".ib-rows"), times = [];
  let before = performance.now();
  const step = (now) => {
    times.push(now - before);
    before = now;
    if (times.length > frames) return done(times.slice(1));
    box.scrollTop += step_px;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
JUMP = """(part) => new Promise((done) => {
  const box = document.querySelector(".ib-rows"), began = performance.now();
  box.scrollTop = box.scrollHeight * part;
  const look = () => {
    const of = box.getBoundingClientRect();
    const inSight = ({ top, bottom }) => bottom > of.top && top < of.bottom;
    const here = [...box.querySelectorAll(".ib-row")].filter((row) => inSight(row.getBoundingClientRect()));
    if (here.length && here.every((row) => row.querySelector(".ib-name"))) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
TYPE = """(word) => new Promise((done) => {
  const box = document.querySelector(".pal-field input");
  box.value = word;
  box.dispatchEvent(new Event("input"));
  const began = performance.now();
  const look = () => {
    const list = document.querySelector(".pal-list");
    if (list.getAttribute("aria-busy") !== "true" && list.querySelector(".pal-hint")) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def measure() -> list[Figure]:
    """Opening, scrolling, jumping and finding."""
    return asyncio.run(_measured())


async def _measured() -> list[Figure]:
    with running_product() as product:
        token = product.token_file.read_text("utf-8")
        async with httpx.AsyncClient(
            base_url=product.host, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
        ) as client:
            await filled(client, CONVERSATIONS)
            async with signed_in(product, client) as context:
                page = await context.new_page()
                return [
                    *await _opened(page),
                    *await _scrolled(page),
                    *await _found(page),
                ]


async def _opened(page: Page) -> list[Figure]:
    await page.add_init_script(f"({FIRST_ROW})()")
    loads: list[float] = []
    for _ in range(ROUNDS):
        await page.goto(LIST)
        loads.append(float(await page.evaluate("window.firstRow")))
    turns = [[4, 2] if number % 2 == 0 else [2, 4] for number in range(ROUNDS)]
    switches = [float(await page.evaluate(SWITCH, turn)) for turn in turns]
    note = f"{CONVERSATIONS:,} conversations"
    return [
        _figure("list opened by a tab, until the first row is drawn", switches, note),
        _figure("page loaded, until the first row is drawn", loads[1:], "the browser's cache is warm"),
    ]


async def _scrolled(page: Page) -> list[Figure]:
    await page.goto(LIST)
    await page.locator(ROW).first.wait_for()
    figures: list[Figure] = []
    for name, pixels in SPEEDS.items():
        times: list[float] = await page.evaluate(SCROLL, [FRAMES, pixels])
        late = sum(one > 1.5 * FRAME_MS for one in times)
        note = f"{FRAMES} frames, {late} of them late; a screen shows one every 16.7 ms"
        figures.append(_figure(f"time between frames, scrolling {name}", times, note))
    jumps = [float(await page.evaluate(JUMP, (number % 9 + 1) / 10)) for number in range(ROUNDS)]
    figures.append(_figure("jumped to a place, until its rows are there", jumps, ""))
    return figures


async def _found(page: Page) -> list[Figure]:
    times: list[float] = []
    for number in range(ROUNDS):
        await page.keyboard.press("Control+k")
        await page.locator(".pal-field input").wait_for()
        times.append(float(await page.evaluate(TYPE, f"Customer {number * 37 + 11}")))
        await page.keyboard.press("Escape")
        await page.locator(".pal").wait_for(state="detached")
    return [
        _figure("palette, from the last letter until what was found is shown", times, "it waits for more letters first")
    ]


def _figure(name: str, times: list[float], note: str) -> Figure:
    slowest = quantile(times, 0.99)
    late = f", over {WANTED_MS} ms" if slowest > WANTED_MS else ""
    said: list[Any] = [f"p99 {slowest:.0f} ms{late}", note]
    return Figure(
        name=name,
        value=quantile(times, 0.5),
        unit="ms",
        spread=(min(times), max(times)),
        note="; ".join(part for part in said if part),
    )
