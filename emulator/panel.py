"""The emulator's own API below `/_emulator/`: for tests, the demo, and the panel's page."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from actors.errors import RejectedError
from emulator.answering import Answering
from emulator.faults import ABOUT, Fault, read_faults
from emulator.life import Life
from emulator.page import PAGE
from emulator.pushes import Delivery
from emulator.rules import RULES
from emulator.stage import Stage
from emulator.world import Message, Shop

MOST_AT_ONCE = 10_000
POLICY = "default-src 'self' 'unsafe-inline'; img-src data:"


class File(Struct, kw_only=True):
    """A file to send, whatever it holds: `content` in base64."""

    mime: str
    content: bytes


class Say(Struct, kw_only=True):
    """Let somebody write. `by`: buyer, or the shop in the platform's own app; `at`: ms, now when it is left out.

    `times`: so many messages, each with its number where the text holds `{n}`; `picture`: with a new picture; `file`:
    with this one.
    """

    shop: str
    text: str | None = None
    conversation: str | None = None
    buyer: str | None = None
    by: str = "buyer"
    at: int | None = None
    times: int = 1
    picture: bool = False
    file: File | None = None
    order: str | None = None
    id: str | None = None


class Register(Struct, kw_only=True):
    """Where the webhooks of a shop go, and those of all other shops of its app; `url` None: nowhere."""

    shop: str
    url: str | None


class Push(Struct, kw_only=True):
    """A webhook whose body is given by hand; the emulator signs it."""

    shop: str
    body: Any
    times: int = 1


class Lives(Struct, kw_only=True):
    """How long a shop's access token lives from now on, s; None: for ever."""

    shop: str
    seconds: int | None


class Recall(Struct, kw_only=True):
    """Take a message back; `erase`: the platform lists it no more, and tells nobody."""

    shop: str
    message: str
    conversation: str | None = None
    erase: bool = False


class Panel:
    """The API and its page."""

    def __init__(self, stage: Stage, answering: Answering, life: Life) -> None:
        self._stage = stage
        self._answering = answering
        self._life = life

    def routes(self) -> list[Route]:
        """All of it."""
        told: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "bindings", self._bindings),
            ("GET", "faults", self._faults),
            ("PUT", "faults", self._set_faults),
            ("POST", "faults", self._add_fault),
            ("PUT", "webhooks", self._register),
            ("POST", "say", self._say),
            ("POST", "push", self._push),
            ("POST", "recall", self._recall),
            ("GET", "messages", self._messages),
            ("GET", "begun", self._begun),
            ("GET", "deliveries", self._deliveries),
            ("GET", "calls", self._calls),
            ("GET", "state", self._state),
            ("PUT", "clock", self._clock),
            ("PUT", "rate", self._rate),
            ("PUT", "tokens", self._lives),
        ]
        page = Route("/_emulator/", self._page, methods=["GET"])
        return [page, *(Route(f"/_emulator/{path}", _answered(deed), methods=[method]) for method, path, deed in told)]

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    async def _bindings(self, _request: Request) -> Any:
        return [
            {
                "platform": shop.platform,
                "account": shop.account,
                "name": shop.name,
                "settings": platform.settings(shop),
                "api_url": f"{self._stage.base_url}/{shop.platform}",
                "auth_url": f"{self._stage.base_url}/{shop.platform}",
                "webhook": shop.webhook,
                "pushes": platform.pushes,
            }
            for platform, shop in self._stage.shops()
        ]

    async def _faults(self, _request: Request) -> Any:
        return self._stage.faults.set

    async def _set_faults(self, request: Request) -> Any:
        self._stage.faults.replace(read_faults(await request.body()))
        return self._stage.faults.set

    async def _add_fault(self, request: Request) -> Any:
        self._stage.faults.add(await _read(request, Fault))
        return self._stage.faults.set

    async def _register(self, request: Request) -> Any:
        told = await _read(request, Register)
        shop = self._shop(told.shop)
        proved = await self._greeted(shop, told.url) if told.url else None
        if proved is not False:
            for one in self._stage.platforms[shop.platform].siblings(shop):
                self._stage.pusher.subscribe(one, told.url)
        return {"shop": shop.key, "url": shop.webhook, "proved": proved}

    async def _greeted(self, shop: Shop, url: str) -> bool | None:
        """Whether the address gave the right answer to the platform's question; None when it asks none."""
        greeting = self._stage.platforms[shop.platform].greeting(shop, url)
        if greeting is None:
            return None
        client = self._stage.pusher.client
        assert client is not None, "the emulator is not open"  # noqa: S101 # it answers, so it is
        asked = greeting.request
        try:
            response = await client.request(
                asked.method, greeting.url, content=asked.body, headers=dict(asked.headers), timeout=10
            )
        except OSError as trouble:
            raise RejectedError(f"url: {url} does not answer: {trouble}") from trouble
        return greeting.proves(response.status_code, response.content)

    async def _say(self, request: Request) -> Any:
        told = await _read(request, Say)
        shop = self._shop(told.shop)
        if not 1 <= told.times <= MOST_AT_ONCE:
            raise RejectedError(f"times: from 1 to {MOST_AT_ONCE}")
        if not self._stage.platforms[shop.platform].chats:
            return [self._life.order(shop) for _ in range(told.times)]
        conversation = self._stage.conversation(shop, told.buyer, told.conversation)
        written: list[Message] = []
        for number in range(1, told.times + 1):
            text = (told.text or "").replace("{n}", str(number))
            if told.text is None and not told.picture and told.file is None:
                text = self._life.words(shop, conversation)
            written.append(
                self._stage.write(
                    conversation,
                    text,
                    by="app" if told.by in {"app", "shop"} else "buyer",
                    media=self._file(shop, told),
                    at=told.at,
                    order=told.order,
                    own=told.id if told.times == 1 else None,
                )
            )
        return written

    def _file(self, shop: Shop, told: Say) -> str | None:
        if told.file is not None:
            return self._stage.upload(told.file.mime, told.file.content)
        return self._stage.picture(self._stage.platforms[shop.platform].mime) if told.picture else None

    async def _push(self, request: Request) -> Any:
        told = await _read(request, Push)
        shop = self._shop(told.shop)
        body = told.body.encode() if isinstance(told.body, str) else json.dumps(told.body).encode()
        return [self._stage.happen(shop, "raw", body=body).id for _ in range(max(1, min(told.times, MOST_AT_ONCE)))]

    async def _recall(self, request: Request) -> Any:
        told = await _read(request, Recall)
        message = self._shop(told.shop).find(told.message, told.conversation)
        if message is None:
            raise RejectedError(f"message: {told.shop} holds no {told.message!r}")
        if told.erase:
            self._stage.erase(message)
        else:
            self._stage.recall(message)
        return message

    async def _messages(self, request: Request) -> Any:
        wanted, since = request.query_params.get("shop"), int(request.query_params.get("since", "0"))
        shops = [self._shop(wanted)] if wanted else list(self._stage.world.shops.values())
        return [message for shop in shops for message in shop.messages() if message.at >= since]

    async def _begun(self, request: Request) -> Any:
        """Messages of a kind about an order that a seller began."""
        return self._shop(request.query_params.get("shop", "")).begun

    async def _deliveries(self, request: Request) -> Any:
        wanted, state = request.query_params.get("shop"), request.query_params.get("state")
        return [
            _shown(one)
            for one in self._stage.pusher.deliveries
            if wanted in {None, one.happening.shop} and state in {None, one.state}
        ]

    async def _calls(self, _request: Request) -> Any:
        return list(self._answering.calls)

    async def _state(self, _request: Request) -> Any:
        counts: dict[str, dict[str, int]] = {}
        for one in self._stage.pusher.deliveries:
            of_shop = counts.setdefault(one.happening.shop, {})
            of_shop[one.state] = of_shop.get(one.state, 0) + 1
        return {
            "now": self._stage.clock.now(),
            "offset": self._stage.clock.offset,
            "rate": self._life.rate,
            "kinds": ABOUT,
            "rules": RULES,
            "faults": self._stage.faults.set,
            "struck": self._stage.faults.struck,
            "shops": [
                {
                    "key": shop.key,
                    "platform": shop.platform,
                    "account": shop.account,
                    "name": shop.name,
                    "webhook": shop.webhook,
                    "pushing": shop.pushing,
                    "messages": sum(len(one.messages) for one in shop.conversations.values()),
                    "orders": len(shop.orders),
                    "deliveries": counts.get(shop.key, {}),
                }
                for shop in self._stage.world.shops.values()
            ],
            "calls": list(self._answering.calls)[-30:],
        }

    async def _clock(self, request: Request) -> Any:
        told = await _read(request, dict[str, int])
        clock = self._stage.clock
        clock.move(told["offset"] if "offset" in told else clock.offset + told.get("ahead", 0))
        return {"now": clock.now(), "offset": clock.offset}

    async def _rate(self, request: Request) -> Any:
        told = await _read(request, dict[str, float])
        self._life.pace(told.get("rate", self._life.rate))
        return {"rate": self._life.rate}

    async def _lives(self, request: Request) -> Any:
        told = await _read(request, Lives)
        shop = self._shop(told.shop)
        now = self._stage.clock.now()
        shop.token.expires_at = None if told.seconds is None else now + told.seconds * 1000
        self._stage.world.tell(shop)
        return {"shop": shop.key, "expires_at": shop.token.expires_at}

    def _shop(self, key: str) -> Shop:
        found = self._stage.world.shops.get(key)
        if found is None:
            raise RejectedError(f"shop: there is no {key!r}; there are {', '.join(self._stage.world.shops)}")
        return found


def _shown(one: Delivery) -> dict[str, Any]:
    happening = one.happening
    return {
        "id": one.id,
        "shop": happening.shop,
        "kind": happening.kind,
        "status": happening.status,
        "message": happening.message.id if happening.message else None,
        "conversation": happening.message.conversation if happening.message else None,
        "order": happening.order.id if happening.order else None,
        "at": happening.at,
        "due_at": one.due_at,
        "state": one.state,
        "attempts": one.attempts,
    }


def _answered(deed: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            return Response(b'{"error":"another site asks"}', 403, media_type="application/json")
        try:
            found, status = await deed(request), 200
        except (RejectedError, ValueError) as wrong:
            found, status = {"error": str(wrong)}, 400
        return Response(msgspec.json.encode(found), status, media_type="application/json")

    return endpoint


async def _read(request: Request, kind: Any) -> Any:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as wrong:
        raise RejectedError(str(wrong)) from wrong
