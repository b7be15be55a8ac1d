"""Draws the app's icons from ui/static/icon.svg: `draw_icons.py`. The pictures are kept in the repository."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from tests.services import chromium  # needs the line above
from ui.installable import ICONS, STATIC

GROUND = "#3358d4"
"""The colour of the mark's own square."""
SAFE = 0.62
"""How much of a maskable icon is not cut away, whatever the shape; a circle of 80 % (W3C), and some air."""


async def main():
    mark = (STATIC / "icon.svg").read_text(encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium.ensure()), args=["--no-sandbox"])
        for name, size, purpose in ICONS:
            page = await browser.new_page(viewport={"width": size, "height": size})
            share = SAFE if purpose == "maskable" else 1
            ground = GROUND if purpose == "maskable" else "transparent"
            await page.set_content(
                f"<style>body{{margin:0;display:grid;place-items:center;height:100vh;background:{ground}}}"
                f"svg{{width:{share * 100}%;height:{share * 100}%}}</style>{mark}"
            )
            (STATIC / "icons").mkdir(exist_ok=True)
            await page.screenshot(path=STATIC / "icons" / name, omit_background=True)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
