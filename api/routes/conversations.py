"""Conversations, their messages, and one message's life.

A conversation's key in a path may be written `platform/account/conversation` (a `/` inside a part as %2F), or fully
percent-encoded in one segment.
"""

from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.asking import Cursor, Limit, Parts, Word, key_of, needs, rest_of_path, seen
from api.description import path_of
from api.views import answer, conversation_view, page_answer
from services.errors import NotFoundError
from services.message_views import message_view
from services.people.permissions import Caller
from storage.records import ConversationFilter

router = APIRouter(prefix="/api/v1", tags=["conversations"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
KEYED = path_of(key="platform/account/conversation; `/` inside a part as %2F")
TRACED = path_of(key="platform/account/conversation; `/` inside a part as %2F", message="The platform's own id.")
CONVERSATIONS = "/api/v1/conversations/"
MESSAGES = "/api/v1/messages/"
# The routes read keys from the raw path: the framework has decoded its parts already.
ONE = "/conversations/{key:path}"
MESSAGES_OF_ONE = "/conversations/{key:path}/messages"
TRACE_OF_ONE = "/messages/{key:path}/{message}/trace"


@router.get("/conversations", summary="List conversations, latest first")
async def conversations(  # one parameter per filter
    parts: Parts,
    caller: Reader,
    platform: Word = None,
    account: Word = None,
    status: Literal["open", "closed"] | None = None,
    assignee: Word = None,
    sla: Literal["ok", "at_risk", "breached"] | None = None,
    label: Word = None,
    q: Word = None,
    contact: Word = None,
    order: Word = None,
    sensitive: Annotated[bool | None, Query(description="Those of the priority queue, or all others.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Of those that the caller may see. `q` searches texts, ids, order numbers and names."""
    where = ConversationFilter(
        platform=platform,
        account=account,
        status=status,
        assignee=assignee,
        sla=sla,
        label=label,
        q=q,
        contact=contact,
        order=order,
        scope=await parts.inbox.scope(caller),
        sensitive=sensitive,
    )
    return page_answer(await parts.conversations.page(where, limit, cursor), conversation_view)


@router.get(MESSAGES_OF_ONE, summary="Messages of a conversation, oldest first", openapi_extra=KEYED)
async def messages(
    request: Request, parts: Parts, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Merged duplicates are left out."""
    segments = rest_of_path(request, CONVERSATIONS)
    if len(segments) == len(("platform", "account", "messages")):
        return await _conversation(parts, caller, segments)
    row = await seen(parts, caller, key_of(segments[:-1]))
    page = await parts.conversations.messages(row.key, limit, cursor)
    return page_answer(page, message_view)


@router.get(ONE, summary="One conversation", openapi_extra=KEYED)
async def conversation(request: Request, parts: Parts, caller: Reader) -> Response:
    """One conversation by its key."""
    return await _conversation(parts, caller, rest_of_path(request, CONVERSATIONS))


@router.get("/messages", summary="Messages of one id, latest first")
async def messages_of_id(
    parts: Parts, caller: Reader, message: Annotated[str, Query(min_length=1, max_length=1024)]
) -> Response:
    """Those with exactly this id of the platform, in whatever conversation, 20 at most; merged ones too."""
    found = await parts.conversations.messages_of_id(message)
    known = {row.key for row in await parts.inbox.seen_rows(caller, [row.key for row in found])}
    return answer({"items": [message_view(row) for row in found if row.key in known]})


@router.get(TRACE_OF_ONE, summary="A message's life, hop by hop", openapi_extra=TRACED)
async def trace(request: Request, parts: Parts, caller: Reader) -> Response:
    """Sent, received, logged, processed, stored, notified, seen, answered, delivered, with times."""
    *key, message, _trace = rest_of_path(request, MESSAGES)
    row = await seen(parts, caller, key_of(key))
    told = await parts.trace.trace(row.key, unquote(message))
    if told is None:
        raise NotFoundError(f"there is no message {unquote(message)[:200]!r} in that conversation")
    return answer(told)


async def _conversation(parts: Parts, caller: Caller, segments: list[str]) -> Response:
    return answer(conversation_view(await seen(parts, caller, key_of(segments))))
