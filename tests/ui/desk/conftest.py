"""The whole product in a process of its own, and a browser logged in to it."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

PRODUCT = Path(__file__).parent / "product.py"
START_S = 90
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The address of one product for all tests of a file; they must not rely on each other's changes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("desk")
    process = subprocess.Popen([sys.executable, str(PRODUCT), str(port), str(folder)])
    deadline = time.monotonic() + START_S
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/login")
                break
            assert process.poll() is None, "the product ended while it started"
            assert time.monotonic() < deadline, "the product did not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
async def logged_in(browser, desk):
    """`logged_in(path, name=, password=, lang=, phone=)` opens a page for a person; script errors fail the test."""
    problems = []

    async def opened(path="/", *, name="Ada Lin", password=PASSWORD, lang="en", phone=False):
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        context = await browser.new_context(viewport=size, has_touch=phone, reduced_motion="reduce", base_url=desk)
        await context.add_cookies([{"name": "weir_lang", "value": lang, "url": desk}])
        answer = await context.request.post("/auth/login", data={"name": name, "password": password})
        assert answer.ok, await answer.text()
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(path)
        return page

    yield opened
    assert problems == []
