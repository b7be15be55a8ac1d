"""Where platforms send what happens. Open to everybody: the signature says who it is."""

from http import HTTPMethod
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.asking import Parts, Settings
from api.bodies import read_body
from connectors.contract.connector import WebhookRequest
from services.parts import Services

router = APIRouter(tags=["webhooks"])
PATH = "/webhooks/{platform}/{account:path}"
"""An account may hold a `/`, sent as %2F."""
_BODY = {"required": True, "description": "As the platform sends it.", "content": {"*/*": {}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The signature is missing or wrong; nothing of the request is kept."},
    404: {"description": "No such channel is bound."},
    413: {"description": "Too large; nothing was accepted."},
    429: {"description": "Too much at once; nothing was accepted. Come back after Retry-After seconds."},
    503: {"description": "The log cannot be written now; nothing was accepted."},
}


@router.get(PATH, summary="A platform asks whether this address is ours", responses=_ANSWERS)
async def handshake(platform: str, account: str, request: Request, parts: Parts) -> Response:
    """Answer the platform's verification request."""
    return await _received(platform, account, request, parts, b"")


@router.post(
    PATH,
    summary="A platform's own webhook",
    openapi_extra={"requestBody": _BODY},
    responses=_ANSWERS,
)
async def webhook(platform: str, account: str, request: Request, parts: Parts, settings: Settings) -> Response:
    """Answer once everything the request tells is durable; what it tells that cannot be read is kept as rejected."""
    with request.app.state.admission.batch(request):
        return await _received(platform, account, request, parts, await read_body(request, settings.most_body))


async def _received(platform: str, account: str, request: Request, parts: Services, body: bytes) -> Response:
    asked = WebhookRequest(
        method="GET" if request.method == HTTPMethod.GET else "POST",
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query_params),
        body=body,
    )
    answer = await parts.webhooks.receive(platform, account, asked)
    return Response(answer.body, answer.status, media_type=answer.media_type if answer.body else None)
