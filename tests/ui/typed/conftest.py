"""The product beside emulated platforms, and windows of the people who begin messages there."""

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from msgspec import json

from tests.ui.programs import served, windows

PRODUCT = Path(__file__).parent / "product.py"


class Beside:
    """What the product was told to tell: keys of conversations, and what the emulated platforms hold."""

    def __init__(self, address, about):
        self.address = address
        self.chat, self.session = about["chat"], about["session"]
        self._about = about

    def begun(self):
        """What was begun on Amazon."""
        return self._emulated("begun", self._about["seller"])

    def cards(self):
        """What the cards that went out on Lazada show."""
        return [one["number"] for one in self._emulated("begun", self._about["stall"])]

    def recalled(self):
        """What was taken back on Lazada."""
        return [one["text"] for one in self._emulated("messages", self._about["stall"]) if one["status"] == "recalled"]

    def held(self):
        """What went out on WhatsApp."""
        found = self._emulated("messages", self._about["number"])
        return [one["text"] for one in found if one["direction"] == "out"]

    def _emulated(self, what, shop):
        return httpx.get(f"{self._about['emulator']}/_emulator/{what}", params={"shop": shop}).json()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """One product and one emulator for all tests of a file; each test begins something of its own."""
    folder = tmp_path_factory.mktemp("typed")
    with served(PRODUCT, folder) as address:
        yield Beside(address, json.decode((folder / "about.json").read_bytes()))


@pytest.fixture
async def beside(browser, desk):
    """`beside(key, name=, …)` opens a conversation with its order beside it; script errors fail the test."""
    async with windows(browser, desk.address, service_workers="block") as opened:

        async def shown(key, **person):
            pane = "&pane=context" if person.get("phone") else ""
            return await opened(f"/inbox?tab=all&key={quote(key, safe='')}{pane}", **person)

        yield shown
