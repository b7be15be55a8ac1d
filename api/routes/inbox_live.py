"""The socket of an open inbox: what it shows changes as it happens; see docs/inbox.md for the frames."""

import asyncio

import msgspec
import structlog
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from actors.errors import RetriableError
from api.sockets import BAD_FRAME, FORBIDDEN, RESTART, TOO_MANY, EndError, frame_of, until_either
from services.errors import TooManyAttemptsError
from services.inbox.live.follower import TOO_SLOW, Follower
from services.inbox.live.frames import (
    LONGEST_FRAME,
    Ping,
    Typing,
    Watch,
    decode_hello,
    decode_said,
    encoded,
)
from services.inbox.live.screens import Screen
from services.parts import Services
from services.people.permissions import can

router = APIRouter(tags=["inbox"])
HELLO_S = 10.0
PERIOD_S = 0.1
SEND_S = 20.0
LOOK_S = 5.0
_log = structlog.get_logger(__name__)


@router.websocket("/api/v1/inbox/live")
async def live(socket: WebSocket) -> None:
    """An open inbox, until one side leaves."""
    parts: Services = socket.app.state.services
    caller = socket.scope["state"]["caller"]
    if not can(caller.role, "view_messages"):
        await socket.close(FORBIDDEN)
        return
    await socket.accept()
    code = RESTART
    try:
        code = await _talk(socket, parts.inbox_live)
    except WebSocketDisconnect:
        return
    except RetriableError as busy:
        _log.info("an open inbox is broken off", reason=str(busy))
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        await socket.close(code)


async def _talk(socket: WebSocket, follower: Follower) -> int:
    """The code to close with."""
    caller = socket.scope["state"]["caller"]
    try:
        async with asyncio.timeout(HELLO_S):
            hello = decode_hello(await frame_of(socket, LONGEST_FRAME))
        with follower.screen(caller, await follower.scope(caller)) as screen:
            await socket.send_text(follower.hello(hello).decode())
            try:
                await until_either(_hear(socket, follower, screen), _tell(socket, follower, screen))
            finally:
                await follower.left(screen)
    except EndError as end:
        return end.code
    except TooManyAttemptsError:
        return TOO_MANY
    except (TimeoutError, msgspec.DecodeError):
        return BAD_FRAME
    return 1000


async def _hear(socket: WebSocket, follower: Follower, screen: Screen) -> None:
    while True:
        match decode_said(await frame_of(socket, LONGEST_FRAME)):
            case Watch() as watch:
                await follower.watch(screen, watch)
            case Typing(key=key):
                await follower.typing(screen, key)
            case Ping(id=number):
                screen.say(f"pong {number}", msgspec.Raw(encoded({"type": "pong", "id": number})))


async def _tell(socket: WebSocket, follower: Follower, screen: Screen) -> None:
    """What there is, at once, then at most every PERIOD_S."""
    lost: str | None = None
    while screen.closing is None:
        try:
            async with asyncio.timeout(LOOK_S):
                await screen.news.wait()
        except TimeoutError:
            pass  # nothing new; the bus is looked at all the same
        if follower.degraded() != lost:
            lost = follower.degraded()
            screen.say("degraded", msgspec.Raw(encoded({"type": "degraded", "why": lost})))
        for frame in follower.news_of(screen):
            await _send(socket, frame)
        await asyncio.sleep(PERIOD_S)
    raise EndError(screen.closing)


async def _send(socket: WebSocket, frame: bytes) -> None:
    try:
        async with asyncio.timeout(SEND_S):
            await socket.send_text(frame.decode())
    except TimeoutError:
        raise EndError(TOO_SLOW) from None


__all__ = ["router"]
