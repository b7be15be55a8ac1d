"""Anomalies: lists with filters, and what operators do about one."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from actors.anomaly import Kind, Severity, Status
from api.asking import Cursor, HealthReader, Instant, Limit, Operator, Parts, Word, instant
from api.bodies import Resolution, read_json
from api.description import body_of
from api.views import anomaly_view, answer, page_answer, resync_view
from storage.records import AnomalyFilter

router = APIRouter(prefix="/api/v1/anomalies", tags=["anomalies"])
AnomalyId = Annotated[str, Path(max_length=64)]


@router.get("", summary="List anomalies, newest first")
async def anomalies(  # one parameter per filter
    parts: Parts,
    _caller: HealthReader,
    *,
    kind: Kind | None = None,
    status: Status | None = None,
    unresolved: bool = False,
    severity: Severity | None = None,
    platform: Word = None,
    account: Word = None,
    conversation: Word = None,
    message: Word = None,
    cause: Word = None,
    since: Instant = None,
    until: Instant = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """`since` and `until` bound `opened_at`; `conversation` is the platform's own id; `cause` is the evidence's."""
    where = AnomalyFilter(
        kind=kind,
        status=status,
        unresolved=unresolved,
        severity=severity,
        platform=platform,
        account=account,
        conversation=conversation,
        message=message,
        cause=cause,
        since=instant(since, "since"),
        until=instant(until, "until"),
    )
    return page_answer(await parts.anomalies.page(where, limit, cursor), anomaly_view)


@router.get("/{anomaly_id}", summary="One anomaly")
async def anomaly(parts: Parts, _caller: HealthReader, anomaly_id: AnomalyId) -> Response:
    """One anomaly by its id, with `resync` while one is under way or has failed."""
    view = anomaly_view(await parts.anomalies.one(anomaly_id))
    state = await parts.anomalies.resync_state(anomaly_id)
    return answer(view if state is None else {**view, "resync": resync_view(state)})


@router.post("/{anomaly_id}/acknowledge", summary="Look after an anomaly")
async def acknowledge(parts: Parts, caller: Operator, anomaly_id: AnomalyId) -> Response:
    """Answers with the anomaly as it will be in a moment."""
    return answer(anomaly_view(await parts.anomalies.acknowledge(anomaly_id, who=caller.name)))


@router.post("/{anomaly_id}/resolve", summary="Resolve an anomaly by hand", openapi_extra=body_of(Resolution))
async def resolve(request: Request, parts: Parts, caller: Operator, anomaly_id: AnomalyId) -> Response:
    """Body: `{"cause": "…"}`, or none. Answers with the anomaly as it will be in a moment."""
    wanted = await read_json(request, Resolution)
    return answer(anomaly_view(await parts.anomalies.resolve(anomaly_id, who=caller.name, cause=wanted.cause)))


@router.post("/{anomaly_id}/false-alarm", summary="Resolve an anomaly as no trouble at all")
async def false_alarm(parts: Parts, caller: Operator, anomaly_id: AnomalyId) -> Response:
    """Resolved with the cause `false_alarm`."""
    return answer(anomaly_view(await parts.anomalies.false_alarm(anomaly_id, who=caller.name)))


@router.post("/{anomaly_id}/resync", summary="Fetch again what an anomaly misses")
async def resync(parts: Parts, caller: Operator, anomaly_id: AnomalyId) -> Response:
    """`resync` says how it stands, with counts when it is done. 409 when no connector of the channel can."""
    found = await parts.anomalies.resync(anomaly_id, who=caller.name)
    return answer({**anomaly_view(found.anomaly), "resync": resync_view(found.resync)}, 202)
