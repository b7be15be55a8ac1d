"""The screens in a process of their own, and a browser that looks at them."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import async_playwright, expect

from tests.ui.programs import served

SERVER = Path(__file__).parent / "serve.py"
expect.set_options(timeout=20_000)
"""What is waited for may take its time where other work uses the machine; nothing here measures how long."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def server():
    """The address of one server for all tests; importing the user interface takes seconds."""
    with served(SERVER) as address:
        yield address


@pytest.fixture
def address(server):
    """The server's address, its answers as they were at first."""
    httpx.post(f"{server}/test/reset").raise_for_status()
    return server


@pytest.fixture
async def browser(chromium_path):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(browser, address):
    """`visit(path, role=, lang=, theme=, phone=)` opens a page in a window of its own; script errors fail the test."""
    problems = []

    async def opened(path="/", *, role="admin", lang="en", theme="light", phone=False):
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        context = await browser.new_context(viewport=size, is_mobile=phone, has_touch=phone, reduced_motion="reduce")
        values = {"test_role": role, "weir_lang": lang, "weir_theme": theme}
        await context.add_cookies([{"name": name, "value": value, "url": address} for name, value in values.items()])
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(address + path)
        return page

    yield opened
    assert problems == []


@pytest.fixture
def tell(address):
    """`tell(**changes)` changes what the monitor answers; `pushing=False` stops the pushes."""

    def change(**changes):
        httpx.post(f"{address}/test/change", json=changes).raise_for_status()

    return change


@pytest.fixture
def asked(address):
    """What the browser asked of the API so far."""
    return lambda: httpx.get(f"{address}/test/asked").json()
