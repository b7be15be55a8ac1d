"""POST /events: a batch of events in. The 202 goes out only when the accepted ones are durable."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.asking import Parts, Settings, needs
from api.bodies import read_batch
from api.views import answer
from services.people.permissions import Caller

router = APIRouter(tags=["events"])
_EVENTS = {"schema": {"type": "array", "items": {"type": "object"}}}
_BODY = {
    "required": True,
    "description": "One event, an array of events, or NDJSON; `Content-Encoding: gzip` is understood.",
    "content": {"application/json": _EVENTS, "application/x-ndjson": {"schema": {"type": "string"}}},
}


@router.post(
    "/api/v1/events",
    status_code=HTTPStatus.ACCEPTED,
    summary="Take in a batch of events",
    openapi_extra={"requestBody": _BODY},
    responses={
        400: {"description": "The body as a whole cannot be read; nothing was accepted."},
        413: {"description": "Too large; nothing was accepted."},
        429: {"description": "Too much at once; nothing was accepted. Come back after Retry-After seconds."},
        503: {"description": "The log cannot be written now; nothing was accepted."},
    },
)
async def ingest(
    request: Request, parts: Parts, settings: Settings, _caller: Annotated[Caller, Depends(needs("ingest"))]
) -> Response:
    """Accept what is right, refuse what is wrong one by one, and answer once both are durable."""
    with request.app.state.admission.batch(request):
        body = await read_batch(request, settings.most_body, settings.most_batch)
        receipt = await parts.ingest.accept(body, request.headers.get("content-type"))
    return answer(receipt, HTTPStatus.ACCEPTED)
