"""The names by which a platform knows the customer of a conversation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.asking import Parts, key_of, needs, rest_of_path, seen
from api.description import path_of
from api.routes.conversations import CONVERSATIONS
from api.views import answer, rfc3339
from services.errors import NotFoundError
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["conversations"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
KEYED = path_of(key="platform/account/conversation; `/` inside a part as %2F")
# Read from the raw path, as the other routes of conversations do.
IDENTITIES_OF_ONE = "/conversations/{key:path}/identities"


@router.get(IDENTITIES_OF_ONE, summary="The customer's names at the platform", openapi_extra=KEYED)
async def identities(request: Request, parts: Parts, caller: Reader) -> Response:
    """A phone number and a user id of one person, say: messages under any of them are in this conversation."""
    segments = rest_of_path(request, CONVERSATIONS)[:-1]
    if not segments:
        raise NotFoundError("there is no conversation without a name")
    row = await seen(parts, caller, key_of(segments))
    found = await parts.conversations.identities(row.key)
    items = [{"id": one.alias, "canonical": one.alias == one.canonical, "since": rfc3339(one.since)} for one in found]
    return answer({"items": items, "next": None})
