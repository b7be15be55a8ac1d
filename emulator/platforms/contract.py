"""What an emulated platform is: ids in its style, webhooks in its words, an API with its errors."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from msgspec import Struct
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from emulator.people import named
from emulator.pushes import Happening, Request
from emulator.stage import Stage
from emulator.world import Buyer, Conversation, Message, Shop, Token

JSON = "application/json"


class Rate(Struct, frozen=True, kw_only=True):
    """So many requests in so many seconds from one shop."""

    requests: int
    per_s: float = 1.0


class Refusal(Exception):  # noqa: N818 # it is an answer, and no fault of the emulator
    """A request that is answered otherwise than it hoped."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class Upload(Struct, frozen=True, kw_only=True):
    """A file of a form."""

    mime: str | None
    content: bytes


class Call(Struct, kw_only=True):
    """A request to a platform's API: `path` below the platform, `query` in its order."""

    http: HttpRequest
    path: str
    body: bytes
    query: list[tuple[str, str]]
    wall: int
    parts: dict[str, Upload | str] | None = None

    @property
    def params(self) -> dict[str, str]:
        """The query by name; of repeated names the last."""
        return dict(self.query)

    def header(self, name: str) -> str:
        """A header; empty when it is not there."""
        return self.http.headers.get(name, "")

    @property
    def bearer(self) -> str:
        """The token of an Authorization header of the kind Bearer."""
        kind, _, token = self.header("authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def json(self) -> dict[str, Any]:
        """The body, a JSON object; empty when it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def form(self) -> dict[str, str]:
        """The body, form-encoded; empty when it is not."""
        if "form-urlencoded" not in self.header("content-type"):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    async def files(self) -> dict[str, Upload | str]:
        """The parts of a multipart body."""
        if "multipart/form-data" not in self.header("content-type"):
            return {}
        if self.parts is None:
            async with self.http.form() as form:
                self.parts = {
                    name: part if isinstance(part, str) else Upload(mime=part.content_type, content=await part.read())
                    for name, part in form.items()
                }
        return self.parts


Handler: TypeAlias = Callable[[Call, Shop], Awaitable[Response]]
Open: TypeAlias = Callable[[Call], Awaitable[Response]]


class Point(Struct, frozen=True, kw_only=True):
    """One address of an API. `handler`: for a shop that is known by its credentials; `opened`: for anybody.

    `sends`: whether it sends a message, so that its answer may get lost.
    """

    method: str
    path: str
    handler: Handler | None = None
    opened: Open | None = None
    sends: bool = False


class Greeting(Struct, frozen=True, kw_only=True):
    """What a platform asks of an address before it pushes there; `proves`: whether the answer is the right one."""

    url: str
    request: Request
    proves: Callable[[int, bytes], bool]


class Platform(ABC):
    """One platform. Stateless: all that lasts is in the stage's world."""

    name: ClassVar[str]
    receipts: ClassVar[tuple[str, ...]] = ()
    """What it tells of messages that a shop has sent, in this order."""
    echoes: ClassVar[frozenset[str]] = frozenset()
    """Whose messages of a shop it pushes back: api, app, robot."""
    pushes: ClassVar[bool] = True
    chats: ClassVar[bool] = True
    rate: ClassVar[Rate] = Rate(requests=50)
    mime: ClassVar[str] = "image/jpeg"
    languages: ClassVar[tuple[str, ...]] = ("en",)
    app_ids: ClassVar[tuple[str, ...]] = ()
    """Which of a shop's `ids` are its app's, so that several shops may have them in common, and one webhook."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._asked: dict[str, deque[int]] = {}

    @abstractmethod
    def open(self, number: int, rng: Random) -> Shop:
        """The shop of that number, always the same from the same dice."""

    def shop_of(
        self,
        number: int,
        account: str,
        title: str,
        ids: dict[str, str],
        *,
        language: str | None = None,
        token: Token | None = None,
    ) -> Shop:
        """A shop with its name, its language (the platform's in turns) and its first token, unless told otherwise."""
        return Shop(
            platform=self.name,
            account=account,
            number=number,
            name=f"{title} {number}",
            language=language or self.languages[(number - 1) % len(self.languages)],
            ids=ids,
            token=token or first_token(f"{self.name} {account}"),
        )

    @abstractmethod
    def settings(self, shop: Shop) -> dict[str, str]:
        """What an app must know to be connected with the shop, by the platform's names."""

    def buyer(self, shop: Shop, number: int, rng: Random) -> Buyer:
        """The buyer of that number."""
        return Buyer(id=digits(rng, 12), name=named(shop.language, number), language=shop.language)

    def conversation_id(self, shop: Shop, buyer: Buyer) -> str:
        """The id of what these two say to each other."""
        del shop
        return buyer.id

    def message_id(self, shop: Shop, conversation: Conversation, number: int) -> str:
        """A new id."""
        del shop, conversation
        return str(number)

    def pushed(self, message: Message) -> bool:
        """Whether it tells the shop's app of this message."""
        return self.pushes and (message.direction == "in" or message.by in self.echoes)

    def request(self, shop: Shop, happening: Happening, attempt: int, url: str) -> Request | None:
        """The webhook's request; None when it tells nothing of such a thing."""
        body = happening.body if happening.kind == "raw" else self.body(shop, happening, attempt)
        if body is None:
            return None
        return Request(body=body, headers={"Content-Type": JSON, **self.signed(shop, happening, url, body)})

    @abstractmethod
    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """The webhook's body; None when it tells nothing of such a thing."""

    @abstractmethod
    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> Mapping[str, str]:
        """The headers that prove a webhook, and others of its own."""

    def greeting(self, shop: Shop, url: str) -> Greeting | None:
        """The question to a new address; None when it asks none."""
        del shop, url
        return None

    @abstractmethod
    def points(self) -> Sequence[Point]:
        """Its API."""

    @abstractmethod
    def caller(self, call: Call) -> Shop:
        """The shop whose credentials a request bears. Raises Refusal in the platform's words."""

    @abstractmethod
    def denied(self) -> Response:
        """The token holds no more."""

    @abstractmethod
    def limited(self) -> Response:
        """Too many requests."""

    def broken(self) -> Response:
        """An error of its own."""
        return answer({"error": "internal error"}, 500)

    def admitted(self, call: Call) -> Shop:
        """The caller, when neither a fault nor its haste is against it. Raises Refusal."""
        shop, faults = self.caller(call), self.stage.faults
        if faults.strikes("revoke_token", shop.platform, shop.account):
            raise Refusal(self.denied())
        if faults.strikes("rate_limit", shop.platform, shop.account) or self._hasty(shop):
            raise Refusal(self.limited())
        if faults.strikes("broken", shop.platform, shop.account):
            raise Refusal(self.broken())
        return shop

    def valid(self, shop: Shop | None, token: str) -> Shop:
        """The shop when this is its token and it did not run out. Raises Refusal."""
        if shop is None or not token or not hmac.compare_digest(shop.token.access.encode(), token.encode()):
            raise Refusal(self.denied())
        if shop.token.expires_at is not None and shop.token.expires_at <= self.stage.clock.now():
            raise Refusal(self.denied())
        return shop

    def by_token(self, token: str) -> Shop | None:
        """The shop with that access token."""
        return next((one for one in self.stage.world.of(self.name) if one.token.access == token), None)

    def by_id(self, name: str, value: str) -> Shop | None:
        """The shop whose `ids` hold this."""
        return next((one for one in self.stage.world.of(self.name) if one.ids.get(name) == value), None)

    def siblings(self, shop: Shop) -> list[Shop]:
        """The shops of the same app, itself among them."""
        return [one for one in self.stage.world.of(self.name) if one is shop or self.same_app(one, shop)]

    def same_app(self, one: Shop | None, other: Shop) -> bool:
        """Whether these two are connected by one app."""
        return one is not None and bool(self.app_ids) and all(one.ids[n] == other.ids[n] for n in self.app_ids)

    def granted(self, shop: Shop, life_s: int | None, refresh_s: int | None = None) -> Token:
        """A new token of the shop; the old one and its refresh token hold no more."""
        now, number = self.stage.clock.now(), self.stage.world.mark(self.stage.clock.now())
        spent = shop.token.spent | ({shop.token.refresh} if shop.token.refresh else set())
        shop.token = Token(
            access=secret_of(f"{shop.key} access {number}"),
            refresh=secret_of(f"{shop.key} refresh {number}"),
            expires_at=None if life_s is None else now + life_s * 1000,
            refresh_by=None if refresh_s is None else now + refresh_s * 1000,
            spent=spent,
        )
        self.stage.world.tell(shop)
        return shop.token

    def refreshed(self, token: str) -> Shop | None:
        """The shop whose refresh token this is, unless it ran out."""
        now = self.stage.clock.now()
        found = next((one for one in self.stage.world.of(self.name) if one.token.refresh == token and token), None)
        if found is None or (found.token.refresh_by is not None and found.token.refresh_by <= now):
            return None
        struck = self.stage.faults.strikes("revoke_token", found.platform, found.account)
        return None if struck else found

    def authorised(self, shop: Shop, redirect: str, **more: str) -> Response:
        """The person says yes at once: the browser goes back with a code."""
        code = secret_of(f"{shop.key} code {self.stage.world.mark(self.stage.clock.now())}")
        shop.codes.add(code)
        parts = urlsplit(redirect)
        query = urlencode([*parse_qsl(parts.query), ("code", code), *more.items()])
        return RedirectResponse(urlunsplit(parts._replace(query=query)), 302)

    def coded(self, code: str) -> Shop | None:
        """The shop that gave this code; it holds once."""
        for shop in self.stage.world.of(self.name):
            if code in shop.codes:
                shop.codes.discard(code)
                return shop
        return None

    def _hasty(self, shop: Shop) -> bool:
        now, asked = self.stage.clock.wall(), self._asked.setdefault(shop.key, deque())
        while asked and asked[0] <= now - self.rate.per_s * 1000:
            asked.popleft()
        if len(asked) >= self.rate.requests:
            return True
        asked.append(now)
        return False


def older(messages: list[Message], than: str) -> list[Message]:
    """Those before the message of that id; all of them without one."""
    place = next((index for index, one in enumerate(messages) if one.id == than), len(messages)) if than else None
    return messages[:place]


def answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, UTF-8, without spaces."""
    return Response(compact(content), status, dict(headers or {}), media_type=JSON)


def compact(content: object) -> bytes:
    """JSON without spaces."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def hmac_hex(key: str, message: bytes) -> str:
    """HMAC-SHA256 (RFC 2104), hexadecimal."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def hmac_raw(key: str, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104)."""
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def equal(claimed: str, genuine: str) -> bool:
    """Whether a claim is genuine, in constant time."""
    return hmac.compare_digest(claimed.encode("utf-8", "surrogateescape"), genuine.encode())


def digits(rng: Random, length: int) -> str:
    """A number of so many digits."""
    return str(rng.randrange(10 ** (length - 1), 10**length))


def secret_of(what: str, length: int = 40) -> str:
    """A secret that is always the same for the same thing: nothing here is worth protecting."""
    made = hashlib.sha256(f"emulated {what}".encode()).hexdigest()
    return (made * math.ceil(length / len(made)))[:length]


def first_token(what: str) -> Token:
    """The token a shop begins with: known by name, so that a shop that was connected stays it over restarts."""
    return Token(access=secret_of(f"{what} access"), refresh=secret_of(f"{what} refresh"))


def routes_of(platform: Platform, serve: Callable[[Platform, Point, HttpRequest], Awaitable[Response]]) -> list[Route]:
    """The addresses as routes below `/<platform>`, each answered by `serve`."""

    def route(point: Point) -> Route:
        async def endpoint(request: HttpRequest) -> Response:
            return await serve(platform, point, request)

        return Route(f"/{platform.name}{point.path}", endpoint, methods=[point.method])

    return [route(point) for point in platform.points()]
