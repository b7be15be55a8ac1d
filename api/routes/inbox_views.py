"""Saved views of the inbox: one's own and the shared ones."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from msgspec import Struct, field
from starlette.responses import Response

from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of
from api.views import View, answer, rfc3339
from services.people.permissions import Caller
from storage.view_records import SavedView

router = APIRouter(prefix="/api/v1/inbox/views", tags=["inbox"])
Reader = Annotated[Caller, Depends(needs("view_messages"))]
ViewId = Annotated[str, Path(max_length=64)]


class NewView(Struct, forbid_unknown_fields=True):
    """A filter of the list under a name; with `shared` everybody finds it."""

    name: str
    query: dict[str, str] = field(default_factory=dict)
    shared: bool = False


class ViewChange(Struct, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    name: str | None = None
    query: dict[str, str] | None = None
    shared: bool | None = None


@router.get("", summary="Saved views")
async def views(parts: Parts, caller: Reader) -> Response:
    """My own by name, then what others share."""
    return answer({"items": [view_view(view, caller) for view in await parts.views.of(caller.name)]})


@router.post("", summary="Save a view", status_code=201, openapi_extra=body_of(NewView))
async def save(request: Request, parts: Parts, caller: Reader) -> Response:
    """409 when I have one of that name, or too many."""
    wanted = await read_json(request, NewView)
    made = await parts.views.save(caller, wanted.name, wanted.query, shared=wanted.shared)
    return answer(view_view(made, caller), 201)


@router.put("/{view_id}", summary="Change a saved view", openapi_extra=body_of(ViewChange))
async def change(request: Request, parts: Parts, caller: Reader, view_id: ViewId) -> Response:
    """Mine; of what others share, supervisors and admins any."""
    wanted = await read_json(request, ViewChange)
    found = await parts.views.change(caller, view_id, name=wanted.name, query=wanted.query, shared=wanted.shared)
    return answer(view_view(found, caller))


@router.delete("/{view_id}", summary="Forget a saved view", status_code=204)
async def delete(parts: Parts, caller: Reader, view_id: ViewId) -> Response:
    """Mine; of what others share, supervisors and admins any."""
    await parts.views.delete(caller, view_id)
    return Response(status_code=204)


def view_view(view: SavedView, caller: Caller) -> View:
    """A saved view, and whether it is the caller's own."""
    return {
        "id": view.id,
        "name": view.name,
        "owner": view.owner,
        "mine": view.owner == caller.name,
        "shared": view.shared,
        "query": view.query,
        "at": rfc3339(view.at),
    }
