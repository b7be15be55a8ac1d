"""What routes ask of a request: the services, the caller and his permission, the page wanted, instants, keys.

What gives an answer at once is a coroutine all the same: FastAPI calls everything else in another thread, and a request
would wait for it behind every thread that computes.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Query, Request

from actors.errors import RejectedError
from actors.keys import PARTS_OF_A_CONVERSATION, conversation_key
from api.settings import WebSettings
from services.errors import NotFoundError
from services.parts import Services
from services.people.permissions import Caller, Permission, demand
from storage.records import ConversationRow

FARTHEST_MS = 2**53


async def services_of(request: Request) -> Services:
    """The services of this process."""
    return request.app.state.services


async def settings_of(request: Request) -> WebSettings:
    """The web settings of this process."""
    return request.app.state.settings


async def caller_of(request: Request) -> Caller:
    """Who asks; the gate let nobody else through."""
    return request.state.caller


def needs(permission: Permission) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the caller, when his role carries the permission; otherwise ForbiddenError (403)."""

    async def allowed(request: Request) -> Caller:
        caller = await caller_of(request)
        demand(caller, permission)
        return caller

    return allowed


Parts = Annotated[Services, Depends(services_of)]
Settings = Annotated[WebSettings, Depends(settings_of)]
AnyCaller = Annotated[Caller, Depends(caller_of)]
HealthReader = Annotated[Caller, Depends(needs("view_health"))]
Operator = Annotated[Caller, Depends(needs("act_on_anomalies"))]
Word = Annotated[str | None, Query(max_length=1024)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items of the page.")]
Cursor = Annotated[str | None, Query(max_length=4096, description="`next` of the page before.")]
Instant = Annotated[
    str | None, Query(max_length=64, description="RFC 3339 with offset, or milliseconds since the epoch.")
]


def instant(text: str | None, name: str) -> int | None:
    """A time parameter in ms; raises RejectedError that names it."""
    if text is None:
        return None
    try:
        if text.lstrip("-").isdigit() and text.isascii():
            value = int(text)
        else:
            # A plus sign of an offset that was not percent-encoded arrives as a blank.
            moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
            value = round(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError):
        value = None
    if value is None or abs(value) > FARTHEST_MS:
        raise RejectedError(f"{name}: write RFC 3339 with an offset, or milliseconds since the epoch")
    return value


async def seen(parts: Services, caller: Caller, key: str, *, fresh: bool = False) -> ConversationRow:
    """The conversation of that key, if the caller may see it; else NotFoundError, as if there were none.

    `fresh`: by rights as they are at this moment, for what is done and not only looked at.
    """
    return await parts.inbox.seen(caller, key, fresh=fresh)


def rest_of_path(request: Request, prefix: str) -> list[str]:
    """The path's segments after `prefix`, still percent-encoded, so that a `/` inside a part stays one."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    return path[len(prefix) :].split("/")


def key_of(segments: list[str]) -> str:
    """The conversation key in a path: one fully encoded segment, or its three parts; raises NotFoundError."""
    key = unquote(segments[0]) if len(segments) == 1 else "/".join(segments)
    parts = [unquote(part) for part in key.split("/")]
    if len(parts) != PARTS_OF_A_CONVERSATION or not all(parts):
        raise NotFoundError("a conversation's key is platform/account/conversation, `/` inside a part as %2F")
    return conversation_key(*parts)
