"""An emulator whose time is moved by hand, whose webhooks go to a function, and which is asked without a network."""

from __future__ import annotations

import time

import httpx
import pytest

from emulator.app import Emulator, Plan
from emulator.clock import Clock

BASE = "http://emulator.example"
START = int(time.time() * 1000) - 3_600_000
"""An hour ago: whatever reads the machine's clock instead of the emulator's is refused."""


class Heard:
    """What was pushed, and how it is answered: `status`, or whatever `answers` gives for a request."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.answers = None
        self.challenged = True

    async def __call__(self, request):
        self.requests.append(request)
        challenge = request.url.params.get("hub.challenge")
        if challenge and self.challenged:
            return httpx.Response(200, text=challenge)
        return self.answers(request) if self.answers else httpx.Response(self.status)

    def bodies(self):
        return [request.content for request in self.requests if request.method == "POST"]


class Network(httpx.ASGITransport):
    """The way to the emulator; an answer that breaks off is what it is over a real network."""

    async def handle_async_request(self, request):
        try:
            return await super().handle_async_request(request)
        except AssertionError as broken:
            raise httpx.RemoteProtocolError("the answer broke off") from broken


class Bench:
    """An open emulator with what a test does to it."""

    def __init__(self, emulator, heard, client):
        self.emulator, self.stage, self.heard, self.client = emulator, emulator.stage, heard, client

    def shop(self, platform):
        return self.stage.world.of(platform)[0]

    async def subscribe(self, platform):
        shop = self.shop(platform)
        self.stage.pusher.subscribe(shop, f"https://weir.example/webhooks/{shop.key}")
        return shop

    async def says(self, platform, text="hello", **more):
        shop = self.shop(platform)
        told = {"shop": shop.key, "text": text, **more}
        answer = await self.client.post("/_emulator/say", json=told)
        assert answer.status_code == 200, answer.text
        await self.emulator.settle()
        return answer.json()

    async def later(self, seconds):
        self.stage.clock.move(self.stage.clock.offset + round(seconds * 1000))
        await self.emulator.settle()


@pytest.fixture
def plan():
    return Plan(seed=3)


@pytest.fixture
async def bench(plan):
    heard = Heard()
    emulator = Emulator(plan, Clock(lambda: START))
    asked = httpx.AsyncClient(transport=Network(emulator.app), base_url=BASE)
    async with emulator.opened(BASE, httpx.MockTransport(heard)), asked as client:
        yield Bench(emulator, heard, client)
