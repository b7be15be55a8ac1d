"""Channels bound to their platforms: admins only. Values of settings go in and never come out."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from msgspec import Struct, field
from starlette.responses import Response

from actors.errors import ConfigurationError
from api.asking import Parts, needs
from api.bodies import read_json
from api.description import body_of
from api.problems import Problem
from api.views import answer, rfc3339
from connectors.registry import CONNECTORS
from services.channels.probes import probed
from services.channels.states import ChannelStates
from services.channels.views import platform_view, state_view
from services.errors import NotFoundError
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["channels"])
ChannelAdmin = Annotated[Caller, Depends(needs("manage_channels"))]
PATH = "/bindings/{platform}/{account:path}"
"""An account may hold a `/`, sent as %2F."""


class NewBinding(Struct, forbid_unknown_fields=True):
    """How to bind a channel: the address registered at the platform, and settings; those left out keep their value.

    `unset`: optional settings that are taken away.
    """

    url: str
    settings: dict[str, str] = field(default_factory=dict[str, str])
    unset: list[str] = field(default_factory=list[str])


@router.get("/platforms", summary="Platforms a channel can be bound to")
async def platforms(_caller: ChannelAdmin) -> Response:
    """Each with the settings it wants."""
    return answer({"items": [platform_view(one) for one in CONNECTORS], "next": None})


@router.get("/bindings", summary="Every bound channel")
async def bindings(parts: Parts, _caller: ChannelAdmin) -> Response:
    """Names of what is set, never values; `state`: how each does."""
    states = await ChannelStates(parts.store, parts.bindings).all()
    return answer({"items": [state_view(one) for one in states], "next": None})


@router.put(PATH, summary="Bind a channel, or change its binding", openapi_extra=body_of(NewBinding))
async def bind(platform: str, account: str, request: Request, parts: Parts, caller: ChannelAdmin) -> Response:
    """Holds in every process within five seconds. 409 when somebody else was faster."""
    wanted = await read_json(request, NewBinding)
    try:
        bound = await parts.bindings.bind(caller, platform, account, wanted.url, wanted.settings, unset=wanted.unset)
    except ConfigurationError as wrong:
        raise Problem(503, str(wrong)) from wrong  # an admin is told which setting to mend
    return answer({"platform": bound.platform, "account": bound.account, "url": bound.url})


@router.post(f"{PATH}/probe", summary="Ask the platform now how a channel stands")
async def probe(platform: str, account: str, parts: Parts, _caller: ChannelAdmin) -> Response:
    """Whether the authorisation holds, whether webhooks are sent to us, which permissions lack. It is not kept."""
    try:
        connector = await parts.bindings.connector(platform, account)
    except ConfigurationError as wrong:
        raise Problem(503, str(wrong)) from wrong
    if connector is None:
        raise NotFoundError(f"no channel {platform[:60]}/{account[:100]} is bound")
    found = await probed(connector, parts.apis.of(connector))
    return answer({**msgspec.to_builtins(found), "expires_at": rfc3339(found.expires_at)})


@router.delete(PATH, summary="Forget a binding with its secrets", status_code=204)
async def unbind(platform: str, account: str, parts: Parts, caller: ChannelAdmin) -> Response:
    """What the channel told so far stays."""
    await parts.bindings.unbind(caller, platform, account)
    return Response(status_code=204)
