"""The socket of a web chat: messages both ways, acknowledgements, receipts and hints, as JSON; see docs/webchat.md."""

import asyncio
import time
from typing import Annotated, Any, Literal

import msgspec
import structlog
from fastapi import APIRouter, HTTPException, WebSocket
from msgspec import Meta, Struct
from starlette.websockets import WebSocketDisconnect, WebSocketState

from actors.errors import RetriableError, WeirError
from api.routes.webchat import CHAT, channel_of, key_of
from api.sockets import BAD_FRAME, FORBIDDEN, RESTART, TOO_MANY, EndError, frame_of, until_either
from connectors.contract.connector import SignatureError
from connectors.webchat import Post, Visitor, Webchat
from services.errors import TooManyAttemptsError
from services.parts import Services
from services.webchat.live import Ear

router = APIRouter(tags=["webchat"])
LONGEST_FRAME = 64 * 1024
HELLO_S = 10.0
PERIOD_S = 5.0
BUSY_S = 2.0
MOST_FRAMES, FRAMES_S = 200, 10.0
TYPING_S = 1.0
KNOWN = 1_000
BAD_TOKEN = 4401
_log = structlog.get_logger(__name__)


class Hello(Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame: whose socket it is, and from where on the conversation is wanted."""

    token: str
    after: int | None = None


class Write(Struct, frozen=True, tag_field="type", tag="message"):
    """A message of the visitor."""

    message: Post


class Typing(Struct, frozen=True, tag_field="type", tag="typing"):
    """The visitor is writing."""


class Seen(Struct, frozen=True, tag_field="type", tag="seen"):
    """The widget has messages of ours, or the visitor has read them."""

    ids: Annotated[list[str], Meta(max_length=50)]
    status: Literal["delivered", "read"]


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    """Is the socket alive?"""


_FIRST = msgspec.json.Decoder(Hello)
_NEXT = msgspec.json.Decoder(Write | Typing | Seen | Ping)


class _Chat:
    """One socket of a visitor who said hello."""

    def __init__(self, socket: WebSocket, account: str, parts: Services, hello: Hello) -> None:
        self._socket = socket
        self._account = account
        self._parts = parts
        self._token = hello.token
        self._after = hello.after
        self._known: dict[str, None] = {}
        self._frames, self._since = 0, time.monotonic()
        self._typed = 0.0
        self.address = socket.client.host if socket.client else "unknown"

    async def visitor(self) -> tuple[Webchat, Visitor]:
        """Whose socket this is, as long as it may be. Raises EndError, RetriableError."""
        try:
            connector = await channel_of(self._account, self._socket.headers, self._parts)
            return connector, self._parts.webchat.visitor(connector, self._token)
        except SignatureError as over:
            raise EndError(BAD_TOKEN) from over
        except RetriableError:
            raise
        except (WeirError, HTTPException) as wrong:
            raise EndError(FORBIDDEN) from wrong

    async def hear(self) -> None:
        """What the widget says, until it leaves."""
        while True:
            raw = await frame_of(self._socket, LONGEST_FRAME)
            self._count()
            connector, visitor = await self.visitor()
            try:
                frame = _NEXT.decode(raw)
            except msgspec.DecodeError as wrong:
                await self._refuse(raw, str(wrong))
                continue
            await self._heard(connector, visitor, frame)

    async def tell(self, ear: Ear) -> None:
        """What there is to show, again and again."""
        first = True
        while True:
            connector, visitor = await self.visitor()
            if first or ear.changed or not ear.typing:
                ear.changed = False
                await self._show(connector, visitor, first=first)
                first = False
            if ear.typing:
                ear.typing = False
                await self._say({"type": "typing"})
            await ear.wait(PERIOD_S)

    async def _heard(self, connector: Webchat, visitor: Visitor, frame: Write | Typing | Seen | Ping) -> None:
        chats = self._parts.webchat
        match frame:
            case Write():
                try:
                    [outcome] = await chats.take(connector, visitor, [frame.message], self.address)
                    told = msgspec.to_builtins(outcome)
                except RetriableError:
                    told = {"id": frame.message.id, "state": "later", "after_ms": round(1_000 * BUSY_S)}
                await self._say({"type": told.pop("state"), **told})
            case Typing():
                if time.monotonic() - self._typed > TYPING_S:
                    self._typed = time.monotonic()
                    await chats.live.types(key_of(connector, visitor), "visitor")
            case Seen():
                try:
                    await chats.seen(connector, visitor, frame.ids, frame.status)
                except RetriableError as busy:
                    _log.info("receipts of a visitor not taken", reason=str(busy))
            case Ping():
                await self._say({"type": "pong"})

    async def _show(self, connector: Webchat, visitor: Visitor, *, first: bool) -> None:
        chats = self._parts.webchat
        try:
            found = await chats.items(connector, visitor, self._after)
        except RetriableError:
            return  # it is read again in a few seconds
        new = [item for item in found.items if item["id"] not in self._known]
        self._known.update(dict.fromkeys(item["id"] for item in new))
        for old in list(self._known)[:-KNOWN]:
            del self._known[old]
        self._after = found.after
        if new or first:
            away = connector.away(chats.now())
            await self._say({"type": "messages", "items": new, "after": found.after, "away": away})

    async def _refuse(self, raw: str, reason: str) -> None:
        """A frame that breaks the rules; when it is a message, its widget must not send it for ever."""
        try:
            own = msgspec.json.decode(raw)["message"]["id"]
        except (msgspec.DecodeError, KeyError, TypeError, RecursionError) as wrong:
            raise EndError(BAD_FRAME) from wrong
        await self._say({"type": "refused", "id": str(own)[:100], "reason": reason})

    def _count(self) -> None:
        now = time.monotonic()
        if now - self._since > FRAMES_S:
            self._frames, self._since = 0, now
        self._frames += 1
        if self._frames > MOST_FRAMES:
            raise EndError(TOO_MANY)

    async def _say(self, what: dict[str, Any]) -> None:
        await self._socket.send_text(msgspec.json.encode(what).decode())


@router.websocket(f"{CHAT}/socket")
async def socket(account: str, socket: WebSocket) -> None:
    """A visitor's chat, until one side leaves."""
    parts: Services = socket.app.state.services
    try:
        await channel_of(account, socket.headers, parts)
    except (WeirError, HTTPException):
        await socket.close(FORBIDDEN)
        return
    await socket.accept()
    code = RESTART
    try:
        code = await _talk(account, socket, parts)
    except WebSocketDisconnect:
        return
    except RetriableError as busy:
        _log.info("a web chat is broken off", reason=str(busy))
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        await socket.close(code)


async def _talk(account: str, socket: WebSocket, parts: Services) -> int:
    """The code to close with."""
    try:
        async with asyncio.timeout(HELLO_S):
            hello = _FIRST.decode(await frame_of(socket, LONGEST_FRAME))
        chat = _Chat(socket, account, parts, hello)
        connector, visitor = await chat.visitor()
        key = key_of(connector, visitor)
        with parts.webchat.live.connection(chat.address, key), parts.webchat.live.ear(key) as ear:
            await until_either(chat.hear(), chat.tell(ear))
    except EndError as end:
        return end.code
    except TooManyAttemptsError:
        return TOO_MANY
    except (TimeoutError, msgspec.DecodeError):
        return BAD_FRAME
    return 1000


__all__ = ["router"]
