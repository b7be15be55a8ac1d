"""What is being written outlives the web process: killed in the middle of a word, started again, sent."""

import contextlib
import subprocess
import sys
import time

import httpx
import pytest
from playwright.async_api import expect

from tests.services import ports
from tests.ui.programs import START_S, STOP_S, windows
from tests.ui.thread.conftest import PRODUCT, place
from ui.language import catalogue

pytestmark = pytest.mark.browser
expect.set_options(timeout=60_000)


class Process:
    """The product on one port and folder, however often it is started."""

    def __init__(self, folder):
        [self.port] = ports.free()
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process = None

    def start(self):
        self._process = subprocess.Popen([sys.executable, str(PRODUCT), str(self.port), str(self._folder)])
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.address}/login")
                return
            assert self._process.poll() is None, "the product ended while it started"
            assert time.monotonic() < deadline, "the product did not start"
            time.sleep(0.1)

    def kill(self):
        self._process.kill()
        self._process.wait(STOP_S)


@pytest.fixture
def product(tmp_path):
    process = Process(tmp_path)
    process.start()
    yield process
    process.kill()


async def test_a_reply_begun_before_the_process_was_killed_is_there_and_sent_once_afterwards(browser, product):
    async with windows(browser, product.address) as opened:
        page = await opened(place("webchat/shop/c1"))
        box = page.get_by_role("textbox", name=catalogue("en")["composer.words.reply"])
        await box.fill("Begun before the kill")
        product.kill()
        await box.press_sequentially(" and gone on with")
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
        product.start()
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()
        await expect(box).to_have_value("Begun before the kill and gone on with")
        await box.press("Control+Enter")
        sent = page.locator(".th-msg.is-out").filter(has_text="and gone on with")
        await expect(sent.locator(".th-tick.is-sent")).to_be_visible()
        await expect(sent).to_have_count(1)
