"""Liveness, readiness, metrics: open to whoever probes; numbers only, no customer's or account's name."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from api.asking import Parts
from api.problems import problem
from api.views import answer

router = APIRouter(tags=["health"])
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz", summary="Liveness")
async def healthz() -> Response:
    """200 while the process serves."""
    return answer({"status": "ok"})


@router.get("/readyz", summary="Readiness", responses={503: {"description": "Not ready; the reasons are listed."}})
async def readyz(parts: Parts) -> Response:
    """200 when events are taken in and the parts that process them are alive, else 503 with the reasons."""
    reasons = parts.ready()
    if reasons:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(reasons), reasons=reasons)
    return answer({"status": "ready"})


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(parts: Parts) -> Response:
    """The figures in Prometheus' text format."""
    return Response(await parts.metrics(), media_type=PROMETHEUS)
