"""Authorising channels in a browser: from here to the platform, and from the platform back to here.

The answer to the platform's redirect is another redirect or a page; what the platform sent is in neither of them.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus
from urllib.parse import quote, urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from actors.errors import ConfigurationError, RetriableError, WeirError
from api.asking import Parts, Settings, caller_of
from api.gate import CALLBACK
from api.problems import Problem
from api.settings import WebSettings
from services.channels.oauth_runs import OAuthRuns
from services.errors import ConflictError, CredentialsError, ForbiddenError, NotFoundError
from services.parts import Services

router = APIRouter(tags=["channels"])
CHANNELS = "/settings/channels"
LONGEST = 4_096
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not authorised · Weir</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.55 system-ui, sans-serif; margin: 0; display: grid; min-height: 100dvh; place-items: center; }}
main {{ max-width: 34rem; padding: 2rem 1.25rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.35rem; margin: 0 0 .5rem; }}
</style></head><body><main><h1>The channel was not authorised</h1><p role="alert">{reason}.</p>
<p>Nothing was changed. <a href="{back}">Back to the channels</a></p></main></body></html>"""
STATUSES: tuple[tuple[type[WeirError], HTTPStatus], ...] = (
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (RetriableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ConfigurationError, HTTPStatus.SERVICE_UNAVAILABLE),
)


@router.get("/api/v1/bindings/{platform}/{account:path}/authorise", summary="Authorise a channel in the browser")
async def authorise(platform: str, account: str, request: Request, parts: Parts, settings: Settings) -> Response:
    """Sends the browser of a logged-in admin to the platform; nothing is changed until it comes back."""
    try:
        redirect = _origin(request, settings) + CALLBACK
        place = await _runs(parts).start(await caller_of(request), platform, account, redirect)
    except WeirError as wrong:
        if "text/html" in request.headers.get("accept", ""):
            return _page(wrong)
        if isinstance(wrong, ConfigurationError):
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(wrong)) from wrong
        raise
    return RedirectResponse(place, HTTPStatus.SEE_OTHER, {"cache-control": "no-store"})


@router.get(CALLBACK, summary="A platform sends a browser back", include_in_schema=False)
async def come_back(request: Request, parts: Parts) -> Response:
    """To the channels' page, or to one that says why not."""
    try:
        if request.state.caller is None:
            raise CredentialsError("you are not logged in any more; log in, then authorise the channel again")
        query = {name[:LONGEST]: value[:LONGEST] for name, value in request.query_params.items()}
        done = await _runs(parts).finish(request.state.caller, query)
    except WeirError as wrong:
        return _page(wrong)
    told = urlencode({"authorised": f"{done.platform}/{done.account}"}, quote_via=quote)
    return RedirectResponse(f"{CHANNELS}?{told}", HTTPStatus.SEE_OTHER, {"cache-control": "no-store"})


def _runs(parts: Services) -> OAuthRuns:
    if parts.oauth is None:
        raise ConflictError("this process asks no platforms; ask one that has the screens")
    return parts.oauth


def _origin(request: Request, settings: WebSettings) -> str:
    """As the browser sees it, for there its cookie is."""
    host = request.url.netloc
    for origin in settings.origins:
        if urlsplit(origin).netloc.lower() == host.lower():
            return origin.rstrip("/")
    return f"{'https' if settings.secure_cookies else request.url.scheme}://{host}"


def _page(wrong: WeirError) -> Response:
    status = next((status for kind, status in STATUSES if isinstance(wrong, kind)), HTTPStatus.BAD_REQUEST)
    reason = "".join(one if one.isprintable() else " " for one in str(wrong)).rstrip(".")
    page = PAGE.format(reason=escape(reason[:1].upper() + reason[1:]), back=CHANNELS)
    return HTMLResponse(page, status, {"cache-control": "no-store"})
