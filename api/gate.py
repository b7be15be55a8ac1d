"""The gate in front of everything, websockets too: who is it, may the origin act, safe headers on the way out.

A pure ASGI wrapper, since middleware classes of the framework never see websockets. It stores the caller (or None)
under `scope["state"]["caller"]`; what a role may do is decided by the routes and pages behind it.
"""

import secrets
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actors.errors import RetriableError
from api.problems import fault, problem
from api.settings import WebSettings
from services.people.accounts import Accounts
from services.people.permissions import Caller
from services.people.tokens import Tokens

COOKIE = "weir_sid"
CALLBACK = "/oauth/callback"
"""Open, so that what a platform sends with a browser never gets into the address of the login page."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset(
    {
        "/login",
        "/auth/login",
        "/auth/logout",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/openapi.json",
        "/favicon.ico",
        "/manifest.webmanifest",
        "/sw.js",
        "/offline",
        CALLBACK,
    }
)
PROGRAM_PREFIXES = ("/api/", "/_nicegui")
WEBHOOKS = "/webhooks/"
CHAT = "/chat/"
"""Visitors of shops' pages come from other origins: each channel says which, and its routes look at that themselves."""
FILES = "/files/"
"""Platforms fetch the files of replies here: the address itself says that they may."""
STRANGERS = (WEBHOOKS, CHAT, FILES)
OPEN_PREFIXES = ("/static/", *STRANGERS)
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
HSTS = (b"strict-transport-security", b"max-age=31536000")
UNAUTHENTICATED_CLOSE = 4401
FORBIDDEN_CLOSE = 4403


class Gate:
    """Wraps the parent app; nothing behind it is reached without a session or token, but for the open paths."""

    def __init__(
        self,
        app: ASGIApp,
        accounts: Accounts,
        tokens: Tokens,
        settings: WebSettings,
        observe: Callable[[int], None] | None = None,
    ) -> None:
        self._app = app
        self._observe = observe
        self._accounts = accounts
        self._tokens = tokens
        self._origins = {origin.lower().rstrip("/") for origin in settings.origins}
        self._secure = settings.secure_cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id = secrets.token_hex(8)
        structlog.contextvars.bind_contextvars(request=request_id)
        answer = self._guarded(scope, send, request_id, private=not is_open(scope["path"]))

        async def heard() -> Message:
            message = await receive()
            state["gone"] = message["type"] == "http.disconnect"
            return message

        try:
            await self._admit(scope, heard, answer, headers)
        except Exception as error:
            if state.get("gone") and not state.get("answered"):
                return  # who asked has left: what broke off in the middle is no fault, and nobody hears an answer
            if scope["type"] != "http" or state.get("answered"):
                raise
            await fault(error, scope["method"])(scope, receive, answer)
        finally:
            structlog.contextvars.unbind_contextvars("request")

    async def _admit(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> None:
        """Find out who it is, and hand over to the app when he may enter."""
        bearer = "" if scope["path"].startswith(STRANGERS) else bearer_of(headers)  # what they send is no token of ours
        try:
            scope["state"]["caller"] = caller = await self._caller(headers, bearer)
        except RetriableError as busy:
            await problem(503, str(busy), headers={"Retry-After": "2"})(scope, receive, send)
            return
        if not bearer and self._foreign(scope, headers):
            await self._forbid(scope, receive, send)
        elif caller is None and (bearer or not is_open(scope["path"])):
            await self._ask(scope, receive, send, bearer=bool(bearer))
        else:
            await self._app(scope, receive, send)

    async def _caller(self, headers: dict[bytes, bytes], bearer: str) -> Caller | None:
        if bearer:
            return await self._tokens.caller(bearer)
        secret = session_of(headers)
        return await self._accounts.caller(secret) if secret else None

    def _foreign(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        """Whether a browser brought this from a page of another origin (CSRF, cross-site websockets)."""
        if scope["path"].startswith(CHAT):
            return False
        if scope["type"] == "http" and (scope["method"] in SAFE_METHODS or scope["path"].startswith(WEBHOOKS)):
            return False
        origin = headers.get(b"origin", b"").decode("latin-1").lower().rstrip("/")
        if not origin:
            return headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
        host = headers.get(b"host", b"").decode("latin-1").lower()
        return origin not in self._origins and (origin == "null" or urlsplit(origin).netloc != host)

    async def _forbid(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await _close(receive, send, FORBIDDEN_CLOSE)
            return
        detail = "this request came from a page of another origin; allow that origin in the setting `origins`"
        await problem(403, detail)(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send, *, bearer: bool) -> None:
        """Tell the caller to say who it is."""
        path: str = scope["path"]
        if scope["type"] == "websocket":
            await _close(receive, send, UNAUTHENTICATED_CLOSE)
        elif path.startswith(PROGRAM_PREFIXES) or scope["method"] not in SAFE_METHODS or bearer:
            detail = "log in, or send a valid token as `Authorization: Bearer <token>`; `weir token create` makes one"
            await problem(401, detail, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            wanted = path + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
            place = "/login" if wanted == "/" else f"/login?next={quote(wanted, safe='')}"
            start: Message = {"type": "http.response.start", "status": 303}
            start["headers"] = [(b"location", place.encode("latin-1")), (b"content-length", b"0")]
            await send(start)
            await send({"type": "http.response.body", "body": b""})

    def _guarded(self, scope: Scope, send: Send, request_id: str, *, private: bool) -> Send:
        """A `send` that adds the safe headers to the response."""
        state = scope["state"]
        extra = [*HEADERS, (b"x-request-id", request_id.encode())]
        if self._secure:
            extra.append(HSTS)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["answered"] = True
                if self._observe:
                    self._observe(message["status"])
                headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                headers += [(name, value) for name, value in extra if name not in present]
                if private and b"cache-control" not in present:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        return guarded


def is_open(path: str) -> bool:
    """Whether a path is served without knowing who asks."""
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)


def bearer_of(headers: dict[bytes, bytes]) -> str:
    """The token of the Authorization header; empty when there is none."""
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def session_of(headers: dict[bytes, bytes]) -> str:
    """The secret of the session cookie; empty when there is none."""
    raw = headers.get(b"cookie", b"").decode("latin-1")
    for part in raw.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def session_cookie(secret: str, *, secure: bool, age_s: int) -> str:
    """The Set-Cookie value of a session; an age of 0 takes the cookie away."""
    parts = [f"{COOKIE}={secret}", "Path=/", f"Max-Age={age_s}", "HttpOnly", "SameSite=Lax"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by lower-case name; of repeated cookies all, of others the last."""
    result: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        result[name] = result[name] + b"; " + value if name == b"cookie" and name in result else value
    return result


async def _close(receive: Receive, send: Send, code: int) -> None:
    await receive()
    await send({"type": "websocket.close", "code": code})
