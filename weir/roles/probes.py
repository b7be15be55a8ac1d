"""A small HTTP side for a process without web: /healthz while it runs, /readyz with reasons, /metrics."""

from __future__ import annotations

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.problems import problem
from api.routes.health import PROMETHEUS
from weir.vitals import Vitals


def probes(vitals: Vitals) -> Starlette:
    """The app; the same paths and answers as those of the web."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        reasons = vitals.unready()
        if reasons:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(reasons), reasons=reasons)
        return JSONResponse({"status": "ready"})

    async def metrics(_: Request) -> Response:
        return Response(await vitals.exposition(), media_type=PROMETHEUS)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
