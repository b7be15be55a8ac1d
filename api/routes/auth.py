"""Logging in and out over HTTP, by form or JSON, and who I am."""

from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import RedirectResponse, Response

from api.asking import AnyCaller, Parts, Settings
from api.bodies import read_body, read_json
from api.description import body_of
from api.gate import session_cookie, session_of
from api.views import answer, caller_view
from services.errors import CredentialsError, TooManyAttemptsError
from services.people.accounts import SESSION_MS
from services.people.permissions import home_of

router = APIRouter(tags=["session"])
MOST_FORM = 16 * 1024
FIELDS = ("name", "password", "next")


class Credentials(Struct, forbid_unknown_fields=True):
    """Name and password; `next` is the path to go to afterwards (forms only)."""

    name: str
    password: str
    next: str = "/"


@router.post("/auth/login", summary="Log in", openapi_extra=body_of(Credentials))
async def log_in(request: Request, parts: Parts, settings: Settings) -> Response:
    """JSON `{"name", "password"}` answers JSON; a form answers with a redirect. Both set the session cookie."""
    form = "json" not in request.headers.get("content-type", "")
    wanted = await _form(request) if form else await read_json(request, Credentials)
    old = session_of(dict(request.scope["headers"])) or None
    try:
        secret, caller = await parts.accounts.log_in(wanted.name, wanted.password, address_of(request), old=old)
    except (CredentialsError, TooManyAttemptsError) as wrong:
        if not form:
            raise
        reason = "limited" if isinstance(wrong, TooManyAttemptsError) else "credentials"
        place = urlencode({"error": reason, "next": safe_path(wanted.next)})
        return RedirectResponse(f"/login?{place}", status_code=303)
    place = safe_path(wanted.next)
    place = home_of(caller.role) if place == "/" else place
    response = RedirectResponse(place, 303) if form else answer(caller_view(caller))
    cookie = session_cookie(secret, secure=settings.secure_cookies, age_s=SESSION_MS // 1000)
    response.headers["set-cookie"] = cookie
    return response


@router.post("/auth/logout", summary="Log out")
async def log_out(request: Request, parts: Parts, settings: Settings) -> Response:
    """Ends the session; 204, or a redirect to the login page for a form."""
    secret = session_of(dict(request.scope["headers"]))
    if secret:
        await parts.accounts.log_out(secret)
    form = "form" in request.headers.get("content-type", "")
    response = RedirectResponse("/login", 303) if form else Response(status_code=204)
    response.headers["set-cookie"] = session_cookie("", secure=settings.secure_cookies, age_s=0)
    return response


@router.get("/api/v1/me", summary="Who I am and what I may do")
async def me(caller: AnyCaller) -> Response:
    """Name, role and permissions of the session or token."""
    return answer(caller_view(caller))


def address_of(request: Request) -> str:
    """The address attempts are counted under."""
    return request.client.host if request.client else "unknown"


def safe_path(wanted: str) -> str:
    """A path of this server, never of another one."""
    plain = wanted.isprintable() and wanted.isascii() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"


async def _form(request: Request) -> Credentials:
    body = await read_body(request, MOST_FORM)
    fields = parse_qs(body.decode("utf-8", "replace"))
    name, password, wanted = (fields.get(field, [""])[-1] for field in FIELDS)
    return Credentials(name=name, password=password, next=wanted or "/")
