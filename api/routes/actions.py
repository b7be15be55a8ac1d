"""Messages that a platform lets a seller begin: each of a kind about an order, or in words that it approved."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from msgspec import Struct
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import Parts, key_of, needs, rest_of_path
from api.bodies import read_json
from api.description import body_of, path_of
from api.routes.conversations import CONVERSATIONS
from api.views import answer
from services.people.permissions import Caller
from services.replies.replies import AskedFile
from services.replies.typed import TypedAsk

router = APIRouter(prefix="/api/v1", tags=["replies"])
Replier = Annotated[Caller, Depends(needs("reply"))]
KEYED = path_of(key="platform/account/conversation; `/` inside a part as %2F")
# Read from the raw path, as the other routes of conversations do.
ACTIONS_OF_ONE = "/conversations/{key:path}/actions"
Order = Annotated[str | None, Query(max_length=200, description="Another order than the conversation's.")]


class NewAction(Struct, forbid_unknown_fields=True):
    """A message of a kind about an order; `order`: another one than the conversation's.

    `blanks`: what is filled in where the kind is approved words.
    """

    kind: str
    text: str = ""
    files: list[AskedFile] = []
    order: str | None = None
    blanks: dict[str, str] = {}


def _asking() -> dict[str, Any]:
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "1 to 255 printable characters, new for every message.",
        "schema": {"type": "string", "maxLength": 255},
    }
    return {**body_of(NewAction), "parameters": [*KEYED["parameters"], header]}


@router.get(ACTIONS_OF_ONE, summary="Messages that may be begun", openapi_extra=KEYED)
async def actions(request: Request, parts: Parts, caller: Replier, order: Order = None) -> Response:
    """The platform is asked now. `why_not`: `no_order` where none is known, `no_kinds`: no such messages."""
    found = await parts.typed.allowed(caller, _key(request), order)
    return answer(msgspec.to_builtins(found))


@router.post(ACTIONS_OF_ONE, summary="Begin a message of a kind", status_code=202, openapi_extra=_asking())
async def begin(request: Request, parts: Parts, caller: Replier) -> Response:
    """Sent once: the answer says how it ended, `sent`, `failed` with the reason, or `unknown`."""
    wanted = await read_json(request, NewAction, 2**20)
    given = request.headers.get("idempotency-key")
    if given is None:
        raise RejectedError("Idempotency-Key: the header is missing; send a new one with every new message")
    ask = TypedAsk(
        kind=wanted.kind, text=wanted.text, files=tuple(wanted.files), order=wanted.order, blanks=wanted.blanks
    )
    row = await parts.typed.begin(caller, _key(request), ask, given)
    return answer({"message": row.id, "state": row.state, "code": row.code, "reason": row.reason}, 202)


def _key(request: Request) -> str:
    return key_of(rest_of_path(request, CONVERSATIONS)[:-1])
