"""The names by which a platform knows the customer of a conversation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.asking import Parts, needs
from api.description import path_of
from api.inbox_asking import KEY, conversation_of
from api.views import answer, rfc3339
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["conversations"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
KEYED = path_of(key=KEY)
# Read from the raw path, as the other routes of conversations do.
IDENTITIES_OF_ONE = "/conversations/{key:path}/identities"


@router.get(IDENTITIES_OF_ONE, summary="The customer's names at the platform", openapi_extra=KEYED)
async def identities(request: Request, parts: Parts, caller: Reader) -> Response:
    """A phone number and a user id of one person, say: messages under any of them are in this conversation."""
    found = await parts.conversations.identities(await conversation_of(request, parts, caller, "identities"))
    items = [{"id": one.alias, "canonical": one.alias == one.canonical, "since": rfc3339(one.since)} for one in found]
    return answer({"items": items, "next": None})
