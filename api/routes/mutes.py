"""Mutes: troubles that alarm nobody for a while. Everybody sees them; supervisors and admins make and lift them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import Struct
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import HealthReader, Parts, instant, needs
from api.bodies import read_json
from api.description import body_of
from api.views import answer, mute_view
from services.health.mutes import LONGEST_MS, MINUTE_MS
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1/mutes", tags=["monitor"])
Muter = Annotated[Caller, Depends(needs("mute"))]
MuteId = Annotated[str, Path(max_length=64)]


class NewMute(Struct, forbid_unknown_fields=True):
    """What to mute (a platform, an account of it, a kind of trouble), why, and for how long.

    Give either `minutes` from now or `until`: RFC 3339 with offset, or milliseconds since the epoch.
    """

    reason: str
    kind: str | None = None
    platform: str | None = None
    account: str | None = None
    minutes: int | None = None
    until: int | str | None = None


@router.get("", summary="What is muted, and what was")
async def mutes(
    parts: Parts,
    _caller: HealthReader,
    limit: Annotated[int, Query(ge=1, le=500, description="Most items.")] = 200,
    *,
    past: Annotated[bool, Query(description="Those that are over, too.")] = False,
) -> Response:
    """Those in force, the one that lasts longest first; then the past ones."""
    found = await parts.mutes.page(limit, past=past)
    now = parts.gateway.now()
    return answer({"items": [mute_view(mute, now) for mute in found], "next": None})


@router.post("", summary="Mute something for a while", status_code=201, openapi_extra=body_of(NewMute))
async def mute(request: Request, parts: Parts, caller: Muter) -> Response:
    """At most seven days. 409 when too many mutes are in force."""
    wanted = await read_json(request, NewMute)
    now = parts.gateway.now()
    made = await parts.mutes.mute(
        who=caller.name,
        until=end_of(wanted, now),
        reason=wanted.reason,
        kind=wanted.kind,
        platform=wanted.platform,
        account=wanted.account,
    )
    return answer(mute_view(made, now), 201)


@router.delete("/{mute_id}", summary="Lift a mute before its end")
async def lift(parts: Parts, caller: Muter, mute_id: MuteId) -> Response:
    """What it kept quiet is told again at once. 409 when it is over already."""
    lifted = await parts.mutes.lift(mute_id, who=caller.name)
    return answer(mute_view(lifted, parts.gateway.now()))


def end_of(wanted: NewMute, now: int) -> int:
    """When the mute ends (ms); raises RejectedError."""
    if (wanted.minutes is None) == (wanted.until is None):
        raise RejectedError('give either "minutes" or "until"')
    if wanted.minutes is not None:
        if not 0 < wanted.minutes * MINUTE_MS <= LONGEST_MS:
            raise RejectedError("minutes: 1 to 10080 (seven days)")
        return now + wanted.minutes * MINUTE_MS
    end = instant(str(wanted.until), "until")
    return now if end is None else end
