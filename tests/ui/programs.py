"""Programs that serve screens, each in a process of its own, and windows of people logged in to the product."""

import contextlib
import subprocess
import sys
import time

import httpx

from tests.services import ports

START_S = 90
STOP_S = 30
PASSWORD = "correct horse battery"


@contextlib.contextmanager
def served(program, *arguments):
    """`program PORT ARGUMENTS…` for the length of the block, once its login page answers: its address."""
    [port] = ports.free()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, *map(str, (program, port, *arguments))])
    deadline = time.monotonic() + START_S
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{address}/login")
                break
            assert process.poll() is None, f"{program} ended while it started"
            assert time.monotonic() < deadline, f"{program} did not start"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(STOP_S)


@contextlib.asynccontextmanager
async def windows(browser, product, **more):
    """A function that opens a page in a window of its own for a person; script errors fail the test.

    `more`: of the window. With `service_workers="block"` no answer gets past a test's routes; once the worker has
    claimed the page, some do.
    """
    problems = []

    async def opened(path="/", *, name="Ada Lin", password=PASSWORD, lang="en", phone=False):
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        asked = {"viewport": size, "has_touch": phone, "reduced_motion": "reduce", "base_url": product}
        context = await browser.new_context(**asked, **more)
        await context.add_cookies([{"name": "weir_lang", "value": lang, "url": product}])
        answer = await context.request.post("/auth/login", data={"name": name, "password": password})
        assert answer.ok, await answer.text()
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(path)
        return page

    yield opened
    assert problems == []
