"""In which other mailboxes of one's own the same mail is, and whether it was answered there."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.asking import Parts, needs
from api.description import path_of
from api.inbox_asking import KEY, conversation_of
from api.views import answer, rfc3339
from services.copies import Copy
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["conversations"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
KEYED = path_of(key=KEY)
# Read from the raw path, as the other routes of conversations do.
COPIES_OF_ONE = "/conversations/{key:path}/copies"


@router.get(COPIES_OF_ONE, summary="The same mail in other mailboxes", openapi_extra=KEYED)
async def copies(request: Request, parts: Parts, caller: Reader) -> Response:
    """Of the customer's latest mail. `key` and `who` are null where the caller may not see the conversation there."""
    found = await parts.conversations.copies(await conversation_of(request, parts, caller, "copies"))
    known = await parts.inbox.seen_keys(caller, [one.key for one in found])
    return answer({"items": [_view(one, known=one.key in known) for one in found], "next": None})


def _view(one: Copy, *, known: bool) -> dict[str, Any]:
    shown = {"key": one.key, "who": one.who} if known else {"key": None, "who": None}
    return {"channel": one.channel, "answered_at": rfc3339(one.answered_at), **shown}
