"""Templates of replies: kept by those who look after them, offered filled in to those who answer."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of
from api.inbox_asking import check_seen
from api.views import answer, rfc3339
from services.people.permissions import Caller
from services.templates.templates import Offer, Wanted
from services.templates.variables import VARIABLES
from storage.writing_records import Template

router = APIRouter(prefix="/api/v1", tags=["inbox"])
Replier = Annotated[Caller, Depends(needs("reply"))]
Keeper = Annotated[Caller, Depends(needs("manage_templates"))]
TemplateId = Annotated[str, Path(max_length=64)]
Key = Annotated[str, Query(max_length=4096, description="The conversation's key.")]
Words = Annotated[str, Query(max_length=200, description="Words of name, folder or text.")]
Lang = Annotated[str | None, Query(max_length=64, description="The language wanted; else that of the conversation.")]
MOST_BODY = 2**20


@router.get("/templates", summary="Every template, by folder and name")
async def templates(parts: Parts, caller: Replier) -> Response:
    """With their use, and why one is `stale`: `unused` for 90 days, or `unchanged` for a year."""
    found = await parts.templates.all(caller)
    return answer({"items": [_view(parts, one) for one in found], "variables": VARIABLES})


@router.get("/templates/for", summary="The templates that fit a conversation, filled in")
async def offers(parts: Parts, caller: Replier, conversation: Key, q: Words = "", lang: Lang = None) -> Response:
    """In the wording for its platform and language; `missing` names what stays in braces. The most used come first."""
    await check_seen(parts, caller, conversation)
    found = await parts.templates.offers(caller, conversation, q, lang)
    return answer({"items": [_offer(parts, one) for one in found]})


@router.post("/templates", summary="Make a template", status_code=201, openapi_extra=body_of(Wanted))
async def create(request: Request, parts: Parts, caller: Keeper) -> Response:
    """409 when another has that name in that folder."""
    wanted = await read_json(request, Wanted, MOST_BODY)
    return answer(_view(parts, await parts.templates.create(caller, wanted)), 201)


@router.put("/templates/{template_id}", summary="Change a template", openapi_extra=body_of(Wanted))
async def change(request: Request, parts: Parts, caller: Keeper, template_id: TemplateId) -> Response:
    """Whole; `version` is that which was looked at, else 409."""
    wanted = await read_json(request, Wanted, MOST_BODY)
    return answer(_view(parts, await parts.templates.change(caller, template_id, wanted)))


@router.delete("/templates/{template_id}", summary="Forget a template")
async def delete(parts: Parts, caller: Keeper, template_id: TemplateId) -> Response:
    """Its row of the audit log stays."""
    await parts.templates.delete(caller, template_id)
    return answer({})


@router.post("/templates/{template_id}/used", summary="Count a use of a template", status_code=204)
async def used(parts: Parts, caller: Replier, template_id: TemplateId) -> Response:
    """When somebody put it into an answer."""
    await parts.templates.used(caller, template_id)
    return Response(status_code=204)


def _view(parts: Parts, one: Template) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(one)
    for name in ("created_at", "changed_at", "last_used_at"):
        view[name] = rfc3339(view[name])
    return view | {"stale": parts.templates.staleness(one)}


def _offer(parts: Parts, one: Offer) -> dict[str, Any]:
    return {
        "id": one.template.id,
        "name": one.template.name,
        "folder": one.template.folder,
        "text": one.text,
        "platform": one.platform,
        "lang": one.lang,
        "missing": one.missing,
        "used": one.template.used,
        "last_used_at": rfc3339(one.template.last_used_at),
        "stale": parts.templates.staleness(one.template),
    }
