"""Platforms' HTTP interfaces for connectors: one pool of connections, each account's pace, errors that say what to do.

Whether a request that failed may have been carried out is read from what went over the wire: once its first byte was
sent nobody knows. Redirects are not followed, cookies not kept, the environment's proxies not used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx
import structlog
from msgspec import Struct

from actors.errors import WeirError
from actors.keys import channel_key
from connectors.contract.calling import (
    ApiRequest,
    ApiResponse,
    BusyError,
    RefusedError,
    UncertainError,
    UnreachableError,
    retry_after,
)
from connectors.contract.connector import Connector
from services.channels.public_addresses import Resolve, public_address, resolved
from streams.coordination.errors import CoordinationLostError
from streams.coordination.rate_limits import Limit, RateLimits

CONNECT_S = 5.0
CONNECT_SHARE = 0.3
"""Waiting for the pool, for TCP and for TLS end before the whole request: who is cancelled there leaks a socket."""
PAUSE_S = 5.0
"""After a 429 that does not say how long."""
MOST_REDIRECTS = 5
MOST_CONNECTIONS = 100
IDLE_CONNECTION_S = 2.0
"""Servers close idle connections after 5 s or more: what is sent over one at that instant is lost without an answer."""
SHORTEST_SECRET = 4
MASK = "***"
_TOO_MANY, _UNAVAILABLE, _OK = 429, 503, 300
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNMADE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_log = structlog.get_logger(__name__)


class Download(Struct, frozen=True, kw_only=True):
    """A file on its way; header names in lower case.

    `pieces` raises UncertainError when it ends too early, RefusedError (code `too_large`) when it is too long.
    """

    status: int
    headers: dict[str, str]
    pieces: AsyncIterator[bytes]


class Apis:
    """Gives every channel its way to its platform. `close` it at the end."""

    def __init__(
        self,
        limits: RateLimits,
        now: Callable[[], int],
        *,
        resolve: Resolve = resolved,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`now`: the time in ms; `clock`: seconds that never go back; `resolve`: the addresses of a host."""
        self.limits = limits
        self.now = now
        self.resolve = resolve
        self.sleep = sleep
        self.clock = clock
        self.client = _client(keep=20)
        # A connection to an address must not serve another host of that address: nobody proved that one's name.
        self.files = _client(keep=0)
        self.paused: dict[str, float] = {}
        """Channels whose platform wants no requests, until when (`clock`)."""

    def of(self, connector: Connector) -> PlatformApi:
        """The way of one channel."""
        return PlatformApi(self, connector)

    async def close(self) -> None:
        """Close every connection."""
        await self.client.aclose()
        await self.files.aclose()


class PlatformApi:
    """One channel's way to its platform; `connectors.contract.calling.Api`."""

    def __init__(self, apis: Apis, connector: Connector) -> None:
        self._apis = apis
        self._channel = channel_key(connector.platform, connector.binding.account)
        pace = connector.pace
        self._limit = Limit(name=f"api {connector.platform}", most=pace.requests, window_ms=round(pace.per_s * 1000))
        values = connector.binding.settings
        self._secrets = [
            values[one.name]
            for one in connector.settings
            if one.secret and len(values.get(one.name, "")) >= SHORTEST_SECRET
        ]
        self._own_host = urlsplit(values.get("api_url", "")).hostname

    def now(self) -> int:
        """The time, ms."""
        return self._apis.now()

    async def call(self, request: ApiRequest) -> ApiResponse:
        """The answer, whatever its status; redirects are not followed.

        Raises UnreachableError when nothing was sent, UncertainError when no whole answer came, RefusedError when the
        request cannot be made at all.
        """
        await self._admit(request.timeout_s)
        async with self._asking(self._apis.client, request, _address(request), {}) as (answer, _):
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > request.most:
                    raise UncertainError(f"the platform's answer is longer than {request.most} bytes")
        found = ApiResponse(status=answer.status_code, headers=_headers(answer), body=bytes(body))
        self._heed(found)
        return found

    @asynccontextmanager
    async def download(self, request: ApiRequest, most: int) -> AsyncIterator[Download]:
        """A file of at most `most` bytes, while the context is open; its time-out is for the whole of it.

        Redirects are followed; headers stay behind where they lead to another host. Raises RefusedError (code
        `private_address`) for what is not public, apart from the host of the binding's setting `api_url`; else like
        `call`.
        """
        await self._admit(request.timeout_s)
        url, headers, began = _address(request), dict(request.headers), self._apis.clock()
        for _ in range(MOST_REDIRECTS + 1):
            left = request.timeout_s - (self._apis.clock() - began)
            asked = ApiRequest(method=request.method, url=url, headers=headers, body=request.body, timeout_s=left)
            address, extensions = await self._placed(asked)
            async with self._asking(self._apis.files, asked, address, extensions) as (answer, sending):
                onwards = answer.headers.get("location")
                if answer.status_code not in _REDIRECTS or not onwards:
                    self._heed(ApiResponse(status=answer.status_code, headers=_headers(answer)))
                    pieces = _pieces(answer, most, sending)
                    yield Download(status=answer.status_code, headers=_headers(answer), pieces=pieces)
                    return
            before, url = urlsplit(url), urljoin(url, onwards)
            if (before.scheme, before.netloc) != (urlsplit(url).scheme, urlsplit(url).netloc):
                headers = {}
        raise RefusedError(f"the file's address leads on more than {MOST_REDIRECTS} times", "redirects")

    async def _placed(self, request: ApiRequest) -> tuple[str, dict[str, Any]]:
        """The request's address with the host's own address in place of its name, and what TLS has to prove."""
        try:
            parts = urlsplit(request.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            raise RefusedError("the file's address begins with neither http:// nor https://", "bad_address")
        if host == self._own_host:
            return request.url, {}
        address = await public_address(host, port or (443 if parts.scheme == "https" else 80), self._apis.resolve)
        place = f"[{address}]" if ":" in address else address
        netloc = place if port is None else f"{place}:{port}"
        return parts._replace(netloc=netloc, fragment="").geturl(), {"sni_hostname": host}

    async def _admit(self, patience_s: float) -> None:
        """Return when the account may be asked again; raises BusyError when that takes longer than `patience_s`."""
        apis = self._apis
        while True:
            wait = apis.paused.get(self._channel, 0.0) - apis.clock()
            if wait <= 0:
                apis.paused.pop(self._channel, None)
                try:
                    wait = await apis.limits.take((self._limit, self._channel)) / 1000
                except CoordinationLostError as lost:
                    raise UnreachableError(f"the account's pace is not known now: {lost}") from lost
            if wait <= 0:
                return
            if wait > patience_s:
                raise BusyError(f"the platform wants no requests of this account for {wait:.1f} s", wait)
            patience_s -= wait
            await apis.sleep(wait)

    def _heed(self, answer: ApiResponse) -> None:
        """Stop asking for as long as the platform wishes."""
        wished = retry_after(answer)
        if answer.status == _TOO_MANY or (answer.status == _UNAVAILABLE and wished is not None):
            until = self._apis.clock() + (PAUSE_S if wished is None else wished)
            self._apis.paused[self._channel] = max(until, self._apis.paused.get(self._channel, 0.0))

    @asynccontextmanager
    async def _asking(
        self, client: httpx.AsyncClient, request: ApiRequest, address: str, extensions: dict[str, Any]
    ) -> AsyncIterator[tuple[httpx.Response, _Sending]]:
        """The answer with its body still to be read, and one line of log about it."""
        sending, began = _Sending(), self._apis.clock()
        told: int | str = "broken off"
        try:
            async with sending.judged(), asyncio.timeout(max(request.timeout_s, 0.001)):
                made = _made(client, request, address, extensions | {"trace": sending.trace})
                answer = await client.send(made, stream=True)
                try:
                    yield answer, sending
                    told = answer.status_code
                finally:
                    await answer.aclose()
        except WeirError as wrong:
            told = type(wrong).__name__
            raise
        finally:
            ms = round((self._apis.clock() - began) * 1000)
            parts = urlsplit(request.url)
            say = _log.debug if isinstance(told, int) and told < _OK else _log.info
            path = self._masked(parts.path)
            say("platform asked", method=request.method, host=parts.hostname, path=path, status=told, ms=ms)

    def _masked(self, path: str) -> str:
        """Some platforms want the token in the path."""
        for secret in self._secrets:
            path = path.replace(secret, MASK).replace(quote(secret, safe=""), MASK)
        return path


class _Sending:
    """Whether a request's first byte went out."""

    def __init__(self) -> None:
        self.sent = False

    async def trace(self, name: str, _info: object) -> None:
        """Called by the connection at every step."""
        self.sent = self.sent or name.endswith("send_request_headers.started")

    @asynccontextmanager
    async def judged(self) -> AsyncIterator[None]:
        """Errors of HTTP as those of the contract; texts of the library hold what was sent and are not shown."""
        try:
            yield
        except _UNMADE as wrong:
            why = f"the request cannot be made ({type(wrong).__name__}): look at the channel's settings"
            raise RefusedError(why, "bad_request") from None
        except _UNSENT as wrong:
            raise UnreachableError(f"no connection to the platform ({type(wrong).__name__}): {wrong}") from wrong
        except TimeoutError as slow:
            if self.sent:
                raise UncertainError("the platform did not answer in time") from slow
            raise UnreachableError("no connection to the platform in time") from slow
        except httpx.HTTPError as wrong:
            raise UncertainError(f"the platform's answer broke off ({type(wrong).__name__})") from wrong


def _client(*, keep: int) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        timeout=None,  # noqa: S113 # every request has its own, see _made
        limits=httpx.Limits(
            max_connections=MOST_CONNECTIONS, max_keepalive_connections=keep, keepalive_expiry=IDLE_CONNECTION_S
        ),
        follow_redirects=False,
        http2=False,
        trust_env=False,
        headers={"user-agent": "Weir", "accept-encoding": "identity"},
    )
    # Accounts share the pool: a cookie of one must not go with a request of another.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


def _made(client: httpx.AsyncClient, request: ApiRequest, address: str, extensions: dict[str, Any]) -> httpx.Request:
    headers = dict(request.headers)
    if address != request.url:
        headers["host"] = urlsplit(request.url).netloc.rpartition("@")[2]
    patience = max(request.timeout_s, 0.001)
    begin = min(CONNECT_S, patience * CONNECT_SHARE)
    return client.build_request(
        request.method,
        address,
        headers=headers,
        content=request.body or None,
        timeout=httpx.Timeout(patience, connect=begin, pool=begin),
        extensions=extensions,
    )


def _address(request: ApiRequest) -> str:
    if not request.query:
        return request.url
    joint = "&" if "?" in request.url else "?"
    return request.url + joint + urlencode(list(request.query), quote_via=quote, safe="")


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


async def _pieces(answer: httpx.Response, most: int, sending: _Sending) -> AsyncIterator[bytes]:
    size = 0
    async with sending.judged():
        async for piece in answer.aiter_bytes():
            size += len(piece)
            if size > most:
                raise RefusedError(f"the file is longer than {most} bytes", "too_large")
            yield piece


__all__ = ["Apis", "Download", "PlatformApi"]
