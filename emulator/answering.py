"""Answers requests to the platforms' APIs, or does not: the faults of answers happen here."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from urllib.parse import parse_qsl

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.platforms.contract import Call, Platform, Point, Refusal
from emulator.stage import Stage
from emulator.world import Shop

KEPT_CALLS = 5_000
MOST_BODY = 32 * 2**20
_NEVER_SENT = 64


class Asked(Struct, frozen=True, kw_only=True):
    """A request that came. `status`: of the answer; 0: none was given. Time in ms."""

    at: int
    platform: str
    shop: str | None
    method: str
    path: str
    status: int


class Silence(Response):
    """No answer: the connection breaks in the middle of one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promise a body and leave: the server closes the connection."""
        del scope, receive
        promised = [(b"content-type", b"application/json"), (b"content-length", str(_NEVER_SENT).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": promised})


class Answering:
    """The API of every platform. `calls`: what was asked, the latest last."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.calls: deque[Asked] = deque(maxlen=KEPT_CALLS)
        self.closing = asyncio.Event()

    async def serve(self, platform: Platform, point: Point, request: Request) -> Response:
        """The answer to a request."""
        path = request.url.path.removeprefix(f"/{platform.name}")
        body = await request.body()
        query = parse_qsl(request.url.query, keep_blank_values=True)
        call = Call(http=request, path=path, body=body, query=query, wall=self._stage.clock.wall())
        shop: Shop | None = None
        try:
            if point.handler is None:
                assert point.opened is not None, point.path  # noqa: S101 # a point has one of the two
                response = await point.opened(call)
            else:
                shop = platform.admitted(call)
                response = await self._carried_out(point, call, shop)
        except Refusal as refused:
            response = refused.response
        self.calls.append(
            Asked(
                at=self._stage.clock.now(),
                platform=platform.name,
                shop=shop.account if shop else None,
                method=request.method,
                path=path,
                status=0 if isinstance(response, Silence) else response.status_code,
            )
        )
        return response

    async def _carried_out(self, point: Point, call: Call, shop: Shop) -> Response:
        strikes, where = self._stage.faults.strikes, (shop.platform, shop.account)
        assert point.handler is not None  # noqa: S101 # asked before
        if fault := strikes("timeout_before", *where):
            return await self._held(call, fault.lasts)
        response = await point.handler(call, shop)
        if point.sends and strikes("lost_answer", *where):
            return Silence()
        if point.sends and (fault := strikes("late_answer", *where)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self.closing.wait(), fault.lasts)
        if fault := strikes("timeout_after", *where):
            return await self._held(call, fault.lasts)
        return response

    async def _held(self, call: Call, seconds: float) -> Response:
        """Keep the caller waiting until it leaves, the time is over or the emulator closes."""
        waits = [asyncio.create_task(self.closing.wait()), asyncio.create_task(_left(call.http))]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        return Silence()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
