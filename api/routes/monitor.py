"""The message-health monitor: the snapshot, incidents, and what operators do about an incident."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from msgspec import to_builtins
from starlette.responses import Response

from api.asking import HealthReader, Operator, Parts, Word
from api.bodies import Resolution, read_json
from api.description import body_of
from api.views import answer

router = APIRouter(prefix="/api/v1", tags=["monitor"])
IncidentId = Annotated[str, Path(max_length=64)]
Range = Literal["15m", "1h", "6h", "24h"]


@router.get("/monitor", summary="The monitor's whole screen")
async def monitor(
    parts: Parts,
    _caller: HealthReader,
    span: Annotated[Range, Query(alias="range")] = "15m",
    platform: Word = None,
    account: Word = None,
) -> Response:
    """The same numbers as on the screen, at most a few seconds old; times and spans in milliseconds."""
    return answer(to_builtins(await parts.monitor.snapshot(span, platform, account)))


@router.get("/incidents", summary="Incidents, the most urgent first")
async def incidents(
    parts: Parts, _caller: HealthReader, span: Annotated[Range, Query(alias="range")] = "15m"
) -> Response:
    """Those hidden by a larger trouble too; `hidden_by` names it."""
    found = await parts.monitor.incidents(span)
    return answer({"items": to_builtins(found), "next": None})


@router.get("/incidents/{incident_id}", summary="One incident in detail")
async def incident(parts: Parts, _caller: HealthReader, incident_id: IncidentId) -> Response:
    """With sample anomalies, the hop that took the time, and what to do."""
    return answer(to_builtins(await parts.incidents.detail(incident_id)))


@router.post("/incidents/{incident_id}/acknowledge", summary="Look after an incident")
async def acknowledge(parts: Parts, caller: Operator, incident_id: IncidentId) -> Response:
    """Acknowledges every open anomaly of it."""
    return answer(to_builtins(await parts.incidents.acknowledge(incident_id, who=caller.name)))


@router.post("/incidents/{incident_id}/resolve", summary="Resolve an incident", openapi_extra=body_of(Resolution))
async def resolve(request: Request, parts: Parts, caller: Operator, incident_id: IncidentId) -> Response:
    """Resolves every unresolved anomaly of it. Body: `{"cause": "…"}`, or none."""
    wanted = await read_json(request, Resolution)
    return answer(to_builtins(await parts.incidents.resolve(incident_id, who=caller.name, cause=wanted.cause)))


@router.post("/incidents/{incident_id}/resync", summary="Fetch again what an incident misses")
async def resync(parts: Parts, caller: Operator, incident_id: IncidentId) -> Response:
    """Asks the channel's connector; 409 when there is none that can."""
    return answer(to_builtins(await parts.incidents.resync(incident_id, who=caller.name)))


@router.post("/incidents/{incident_id}/false-alarm", summary="Resolve an incident as no trouble at all")
async def false_alarm(parts: Parts, caller: Operator, incident_id: IncidentId) -> Response:
    """Resolves every unresolved anomaly of it; a hint to tune the threshold."""
    return answer(to_builtins(await parts.incidents.false_alarm(incident_id, who=caller.name)))
