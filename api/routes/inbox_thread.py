"""A conversation's thread, and one's own draft of an answer."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Cursor, Parts, key_of, needs, rest_of_path
from api.bodies import read_json
from api.description import body_of, path_of
from api.inbox_asking import CONVERSATIONS, KEY, conversation_of
from api.views import answer, conversation_view, rfc3339
from services.inbox.drafts import Written
from services.inbox.timeline_items import item_view
from services.people.permissions import Caller
from storage.writing_records import ReplyDraft

router = APIRouter(prefix="/api/v1", tags=["inbox"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
Replier = Annotated[Caller, Depends(needs("reply"))]
THREAD = "/conversations/{key:path}/thread"
DRAFT = "/conversations/{key:path}/draft"
KEYED = path_of(key=KEY)
MOST_BODY = 2**20
PARTS_WITH_TAIL = 3


@router.get(THREAD, summary="The thread of a conversation", openapi_extra=KEYED)
async def thread(
    request: Request,
    parts: Parts,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200, description="Most items of the page.")] = 50,
    before: Cursor = None,
    after: Annotated[str | None, Query(max_length=4096, description="`newer` of an earlier answer.")] = None,
    reach: Annotated[str | None, Query(max_length=4096, description="`reach` of the oldest page read.")] = None,
) -> Response:
    """Messages, notes and what was done, oldest first; the newest page, or the one `before`, or what is new `after`.

    Merged duplicates are left out. `older` is the cursor of the page before; `newer` of what comes: with `after` what
    came since is told by when it came, late messages too, and what changed since of the last 60 messages, or of all
    that were read down to `reach`. `complete` false: read the newest page again.
    """
    segments = rest_of_path(request, CONVERSATIONS)
    if len(segments) == PARTS_WITH_TAIL:
        return await _conversation_called_so(parts, segments)
    key = await conversation_of(request, parts, caller, "thread")
    if after is not None and before is not None:
        raise RejectedError("before, after: one of them, or neither")
    if reach is not None and after is None:
        raise RejectedError("reach: only with after")
    timeline = parts.timeline
    found = await (timeline.page(key, limit, before) if after is None else timeline.news(key, after, reach))
    told = {"items": [item_view(one) for one in found.items], "older": found.older, "newer": found.newer}
    told |= {"reach": found.reach, "complete": found.complete, "at": rfc3339(parts.gateway.now())}
    return answer(told)


@router.get(DRAFT, summary="One's own draft", openapi_extra=KEYED)
async def draft(request: Request, parts: Parts, caller: Reader) -> Response:
    """What one has written in this conversation and not sent, on whichever screen; `changed_at` null: nothing."""
    segments = rest_of_path(request, CONVERSATIONS)
    if len(segments) == PARTS_WITH_TAIL:
        return await _conversation_called_so(parts, segments)
    found = await parts.drafts.read(caller, await conversation_of(request, parts, caller, "draft"))
    return answer(draft_view(found))


@router.put(DRAFT, summary="Keep a draft", openapi_extra={**body_of(Written), **KEYED})
async def keep_draft(request: Request, parts: Parts, caller: Replier) -> Response:
    """In place of the one before, wherever that was written; `replaced`: when that was, null if there was none."""
    key = await conversation_of(request, parts, caller, "draft")
    written = await read_json(request, Written, MOST_BODY)
    before = await parts.drafts.read(caller, key)
    kept = await parts.drafts.keep(caller, key, written)
    return answer({"changed_at": rfc3339(kept.changed_at), "replaced": rfc3339(before and before.changed_at)})


@router.delete(DRAFT, summary="Forget one's own draft", openapi_extra=KEYED)
async def drop_draft(request: Request, parts: Parts, caller: Replier) -> Response:
    """Also when there is none."""
    await parts.drafts.drop(caller, await conversation_of(request, parts, caller, "draft"))
    return answer({})


def draft_view(found: ReplyDraft | None) -> dict[str, Any]:
    """A draft; an empty one for none."""
    if found is None:
        return {**msgspec.to_builtins(Written()), "changed_at": None}
    written = {name: msgspec.to_builtins(getattr(found, name)) for name in Written.__struct_fields__}
    return {**written, "changed_at": rfc3339(found.changed_at)}


async def _conversation_called_so(parts: Parts, segments: list[str]) -> Response:
    """The platform's own id of a conversation may be the word at the end of this route."""
    return answer(conversation_view(await parts.conversations.one(key_of(segments))))
