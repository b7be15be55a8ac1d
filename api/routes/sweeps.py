"""How far every channel is compared with its platform, and comparing one by hand."""

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from actors.errors import RejectedError
from api.asking import HealthReader, Operator, Parts, instant
from api.bodies import read_json
from api.description import body_of
from api.views import View, answer, resync_view, rfc3339
from services.errors import ConflictError
from services.parts import Services
from services.sweeps.resyncs import Resyncs
from storage.channel_records import SweepRow

router = APIRouter(prefix="/api/v1/sweeps", tags=["channels"])


class Span(Struct, forbid_unknown_fields=True):
    """From when to when, RFC 3339 with offset, or milliseconds since the epoch; 24 hours at most."""

    since: str | int
    until: str | int


@router.get("", summary="How far each channel is compared with its platform")
async def sweeps(parts: Parts, _caller: HealthReader) -> Response:
    """Channels that were swept, or could not be. `swept_to`: messages sent before it are compared."""
    return answer({"items": [_view(row) for row in await _resyncs(parts).sweeps()], "next": None})


@router.post(
    "/{platform}/{account:path}", summary="Compare a span of a channel with its platform", openapi_extra=body_of(Span)
)
async def sweep(platform: str, account: str, request: Request, parts: Parts, caller: Operator) -> Response:
    """404 when no such channel is bound, 409 when its platform gives no history."""
    span = await read_json(request, Span)
    since, until = (_instant(getattr(span, name), name) for name in ("since", "until"))
    found = await _resyncs(parts).window(platform, account, since, until, who=caller.name)
    return answer({"resync": resync_view(found)}, 202)


def _resyncs(parts: Services) -> Resyncs:
    if parts.resyncs is None:
        raise ConflictError("this process asks no platforms; ask one that has the screens")
    return parts.resyncs


def _instant(value: str | int, name: str) -> int:
    found = instant(str(value), name)
    if found is None:
        raise RejectedError(f"{name}: it is missing")
    return found


def _view(row: SweepRow) -> View:
    counts = ("checked", "new", "duplicate", "new_ever", "reason")
    times = ("swept_to", "began_at", "ended_at", "failing_since")
    view: View = {"platform": row.platform, "account": row.account}
    view |= {name: rfc3339(getattr(row, name)) for name in times}
    return view | {name: getattr(row, name) for name in counts}
