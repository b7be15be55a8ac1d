"""A product that can be killed and started again, and pages of a shop, from another origin, with its chat."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import async_playwright

from tests.services import ports
from tests.ui.programs import PASSWORD, START_S

PROGRAM = Path(__file__).parent / "product.py"
SHOP = "http://localhost:8123"
PAGE = "<!doctype html><html lang=en><title>Shop</title><body><h1>Shop</h1><script async src={src} {more}></script>"


FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-features=LocalNetworkAccessChecks"]
"""The last: a page of one loopback address may load from another without asking a person."""


@pytest.fixture
async def browser(chromium_path):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield browser
        await browser.close()


class Product:
    """The product's process."""

    def __init__(self, folder):
        self.folder = folder
        [self.port] = ports.free()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [sys.executable, str(PROGRAM), str(self.port), str(self.folder), SHOP]
        self.process = subprocess.Popen(command)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.address}/login")
                return
            assert self.process.poll() is None, "the product ended while it started"
            assert time.monotonic() < deadline, "the product did not start"
            time.sleep(0.1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def client(self):
        """Somebody logged in."""
        with httpx.Client(base_url=self.address, headers={"Origin": self.address}) as client:
            client.post("/auth/login", json={"name": "Ada Lin", "password": PASSWORD}).raise_for_status()
            yield client

    def conversation(self):
        """The key and the messages of the one conversation there is."""
        with self.client() as client:
            found = client.get("/api/v1/conversations", params={"platform": "webchat"}).json()["items"]
            if not found:
                return None, []
            key = found[0]["key"]
            return key, client.get(f"/api/v1/conversations/{key}/messages?limit=500").json()["items"]

    def reply(self, key, text):
        """Answer a visitor."""
        with self.client() as client:
            headers = {"Idempotency-Key": uuid4().hex}
            answer = client.post(f"/api/v1/conversations/{key}/messages", json={"text": text}, headers=headers)
            assert answer.status_code == 202, answer.text


@pytest.fixture
def product(tmp_path):
    made = Product(tmp_path / "weir")
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def shop(browser, product):
    """`shop(**data)` opens a page of the shop whose content security policy allows next to nothing."""
    problems = []

    async def opened(page=None, *, account="shop", phone=False, dark=False, **data):
        src = f"{product.address}/chat/{account}/widget.js"
        more = " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in data.items())
        policy = (
            f"default-src 'none'; script-src {product.address};"
            f" connect-src {product.address} {product.address.replace('http', 'ws')}"
        )

        async def answer(route):
            headers = {"content-type": "text/html", "content-security-policy": policy}
            await route.fulfill(body=PAGE.format(src=src, more=more), headers=headers)

        if page is None:
            size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
            context = await browser.new_context(
                viewport=size, color_scheme="dark" if dark else "light", reduced_motion="reduce", locale="en-GB"
            )
            page = await context.new_page()
            page.on("pageerror", lambda error: problems.append(str(error)))
            await page.route(f"{SHOP}/**", answer)
        await page.goto(f"{SHOP}/")
        return page

    yield opened
    assert problems == []
