"""The demo's traffic: it comes at once, in order, and does not give up."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from actors.errors import ConfigurationError
from actors.intake import parse_event
from loadtest.live import run_demo


class Server:
    """Answers as scripted, then accepts; stops the demo after so many events."""

    def __init__(self, *answers, enough=5_000, there=False):
        self.answers = list(answers)
        self.enough = enough
        self.there = there
        self.stop = asyncio.Event()
        self.bodies = []
        self.events = []

    def __call__(self, request):
        if request.method == "GET":
            return httpx.Response(200, json={"items": [{}] if self.there else [], "next": None})
        assert request.headers["Authorization"] == "Bearer secret"
        self.bodies.append(request.content)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.events += [json.loads(line) for line in request.content.splitlines()]
        if len(self.events) >= self.enough:
            self.stop.set()
        return httpx.Response(202, json={"accepted": 1, "rejected": []})

    async def run(self):
        await run_demo("http://weir", "secret", 3, self.stop, transport=httpx.MockTransport(self))


async def test_the_first_minutes_are_there_at_once():
    server = Server()
    await server.run()
    assert len(server.events) >= 5_000
    times = [e["at"] for e in server.events]
    assert times == sorted(times)
    assert all(parse_event(line, need_at=True) for body in server.bodies for line in body.splitlines())


async def test_a_refused_batch_is_posted_again():
    overload = httpx.Response(429, headers={"Retry-After": "0.01"})
    server = Server(overload, httpx.Response(503), httpx.ConnectError("nobody there"), enough=1)
    await server.run()
    assert len(set(server.bodies[:4])) == 1
    assert len(server.bodies) == 4


async def test_a_wrong_token_is_an_error_that_says_what_to_do():
    with pytest.raises(ConfigurationError, match="start the demo again"):
        await Server(httpx.Response(401)).run()


async def test_a_demo_that_returns_does_not_tell_the_past_again():
    server = Server(there=True, enough=1)
    await server.run()
    assert max(e["at"] for e in server.events) - min(e["at"] for e in server.events) < 30_000


async def test_a_set_stop_ends_it_before_anything_is_posted():
    server = Server()
    server.stop.set()
    await server.run()
    assert server.bodies == []
