"""Web chats: what widgets on shops' pages ask. Open to everybody whom the channel lets in; see docs/webchat.md.

Each answer, errors too, says that the page's origin may read it when the channel allows that origin, and only then.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

import structlog
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from msgspec import Meta, Struct
from starlette.responses import Response, StreamingResponse

from actors.errors import ConfigurationError, RetriableError, WeirError
from actors.keys import conversation_key, split_key
from api.asking import Parts, needs, services_of
from api.asking import seen as seen_by
from api.bodies import read_body, read_json
from api.description import body_of
from api.problems import Problem, answer_to
from api.routes.auth import address_of
from api.views import answer
from connectors.webchat import LARGEST_FILE, MOST_POSTS, Post, Visitor, Webchat, read
from services.parts import Services
from services.people.permissions import Caller
from services.webchat.webchat import SessionAsk

router = APIRouter(tags=["webchat"])
_log = structlog.get_logger(__name__)
MOST_BODY = 256 * 1024
LONGEST_WAIT_S = 25.0
PERIOD_S = 5.0
CHAT = "/chat/{account}"
Work = Callable[[Webchat, Services], Awaitable[Response]]
Replier = Annotated[Caller, Depends(needs("reply"))]
After = Annotated[int | None, Query(ge=0, le=2**53, description="`after` of the answer before.")]
Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for something new.")]
Key = Annotated[str, Query(max_length=4096, description="The conversation's key.")]


class Posts(Struct, frozen=True):
    """Messages of a visitor, in the order they were written."""

    messages: Annotated[list[Post], Meta(min_length=1, max_length=MOST_POSTS)]


class SeenPosts(Struct, frozen=True):
    """Which of our messages the widget has, or the visitor has read."""

    ids: Annotated[list[str], Meta(max_length=50)]
    status: Literal["delivered", "read"]


@router.post(f"{CHAT}/session", summary="A visitor begins to chat", openapi_extra=body_of(SessionAsk))
async def session(account: str, request: Request) -> Response:
    """A token for a quarter of an hour, and a key to come back with. 401 when a key or a user's hash is wrong."""

    async def work(connector: Webchat, parts: Services) -> Response:
        if "origin" not in request.headers:
            raise Problem(403, "a session is asked for by a page: the header Origin is missing")
        asked = await read_json(request, SessionAsk, MOST_BODY)
        return answer(await parts.webchat.session(connector, asked, address_of(request)))

    return await _served(account, request, work)


@router.post(f"{CHAT}/messages", summary="A visitor's messages, without a socket", openapi_extra=body_of(Posts))
async def post(account: str, request: Request) -> Response:
    """What became of each, as far as it was looked at; what is acknowledged is durable."""

    async def work(connector: Webchat, parts: Services) -> Response:
        visitor = visitor_of(request, connector, parts)
        wanted = read(await read_body(request, MOST_BODY), Posts)
        outcomes = await parts.webchat.take(connector, visitor, wanted.messages, address_of(request))
        return answer({"outcomes": outcomes})

    return await _served(account, request, work)


@router.get(f"{CHAT}/messages", summary="A visitor's conversation, without a socket")
async def messages(account: str, request: Request, after: After = None, wait: Wait = 0) -> Response:
    """From `after` on; with `wait` the answer comes when there is something new. What is known may come again."""

    async def work(connector: Webchat, parts: Services) -> Response:
        return await _followed(
            connector, visitor_of(request, connector, parts), parts, address_of(request), after, wait
        )

    return await _served(account, request, work)


@router.post(f"{CHAT}/seen", summary="A visitor has our messages, or has read them", openapi_extra=body_of(SeenPosts))
async def seen(account: str, request: Request) -> Response:
    """Receipts of replies; ids of anything else are passed over."""

    async def work(connector: Webchat, parts: Services) -> Response:
        visitor = visitor_of(request, connector, parts)
        told = await read_json(request, SeenPosts)
        await parts.webchat.seen(connector, visitor, told.ids, told.status)
        return Response(status_code=204)

    return await _served(account, request, work)


@router.post(f"{CHAT}/typing", summary="A visitor is writing", status_code=204)
async def typing(account: str, request: Request) -> Response:
    """A hint; nothing is kept."""

    async def work(connector: Webchat, parts: Services) -> Response:
        await parts.webchat.live.types(key_of(connector, visitor_of(request, connector, parts)), "visitor")
        return Response(status_code=204)

    return await _served(account, request, work)


@router.post(f"{CHAT}/files", summary="A visitor uploads a file")
async def upload(account: str, request: Request) -> Response:
    """The body is the file, X-File-Name its percent-encoded name. The answer goes along with a message."""

    async def work(connector: Webchat, parts: Services) -> Response:
        visitor = visitor_of(request, connector, parts)
        await parts.webchat.upload(visitor, address_of(request))
        with request.app.state.admission.batch(request):
            content = await read_body(request, LARGEST_FILE)
            return answer(await parts.webchat.files.keep(unquote(request.headers.get("x-file-name", "")), content))

    return await _served(account, request, work)


@router.get(f"{CHAT}/files/{{message}}/{{index}}", summary="A file that came with a reply")
async def download(account: str, message: str, index: int, request: Request) -> Response:
    """Never shown in place: a file to be saved."""

    async def work(connector: Webchat, parts: Services) -> Response:
        found = await parts.webchat.files.sent(connector, visitor_of(request, connector, parts), message, index)
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
            "Content-Length": str(found.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, no-store",
        }
        return StreamingResponse(found.content, media_type="application/octet-stream", headers=headers)

    return await _served(account, request, work)


@router.options(f"{CHAT}/{{rest:path}}", include_in_schema=False)
async def preflight(account: str, request: Request) -> Response:
    """A browser asks whether a page may ask."""

    async def work(_connector: Webchat, _parts: Services) -> Response:
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "authorization, content-type, x-file-name",
            "Access-Control-Max-Age": "600",
        }
        return Response(status_code=204, headers=headers)

    return await _served(account, request, work)


@router.post("/api/v1/webchat/typing", summary="An agent is writing to a visitor", status_code=204)
async def agent_types(conversation: Key, parts: Parts, caller: Replier) -> Response:
    """A hint for the visitor's widget; to be repeated every few seconds while he writes."""
    row = await seen_by(parts, caller, conversation_key(*split_key(conversation)[:3]))
    await parts.webchat.live.types(row.key, "agent")
    return Response(status_code=204)


@router.get("/api/v1/webchat/typing", summary="Whether a visitor is writing")
async def visitor_types(conversation: Key, parts: Parts, _caller: Replier) -> Response:
    """Within the last few seconds."""
    key = conversation_key(*split_key(conversation)[:3])
    return answer({"visitor": parts.webchat.live.is_typing(key, "visitor")})


async def channel_of(account: str, headers: Mapping[str, str], parts: Services) -> Webchat:
    """The channel, when a page of this origin may use it; raises NotFoundError, RetriableError, Problem 403."""
    try:
        connector = await parts.webchat.channel(account)
    except ConfigurationError as wrong:
        _log.warning("web chat not served", account=account[:60], reason=str(wrong))
        raise RetriableError("this chat cannot be served now; Weir's log says why") from wrong
    origin = headers.get("origin")
    if origin is not None and not allows(connector, origin, headers.get("host", "")):
        raise Problem(403, "pages of this origin may not chat; name it in the channel's setting `origins`")
    return connector


def allows(connector: Webchat, origin: str, host: str) -> bool:
    """Whether pages of an origin may chat: those the channel names, and Weir's own."""
    given = origin.lower()
    return given in connector.origins or (given != "null" and urlsplit(given).netloc == host.lower())


def visitor_of(request: Request, connector: Webchat, parts: Services) -> Visitor:
    """Whose request it is, by `Authorization: Bearer`; raises SignatureError."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return parts.webchat.visitor(connector, token.strip() if scheme.lower() == "bearer" else "")


def key_of(connector: Webchat, visitor: Visitor) -> str:
    """The key of a visitor's conversation."""
    return conversation_key(connector.platform, connector.binding.account, visitor.conversation)


async def _served(account: str, request: Request, work: Work) -> Response:
    parts = await services_of(request)
    origin, allowed = request.headers.get("origin"), False
    try:
        connector = await channel_of(account, request.headers, parts)
        allowed = True
        response = await work(connector, parts)
    except (WeirError, HTTPException) as wrong:
        response = await answer_to(request, wrong)
    response.headers["Vary"] = "Origin"
    response.headers.setdefault("Cache-Control", "no-store")
    if allowed and origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "retry-after"
    return response


async def _followed(
    connector: Webchat, visitor: Visitor, parts: Services, address: str, after: int | None, wait: float
) -> Response:
    chats, key = parts.webchat, key_of(connector, visitor)
    until = time.monotonic() + wait
    with chats.live.connection(address, key), chats.live.ear(key) as ear:
        found = await chats.items(connector, visitor, after)
        while after is not None and found.after <= after and (left := until - time.monotonic()) > 0:
            await ear.wait(min(left, PERIOD_S))
            found = await chats.items(connector, visitor, after)
            if ear.changed or ear.typing:
                break
    view = {"items": found.items, "after": found.after, "away": connector.away(chats.now())}
    return answer({**view, "typing": chats.live.is_typing(key, "agent")})


__all__ = ["allows", "channel_of", "key_of", "router"]
