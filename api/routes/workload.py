"""Workload and SLA: what is open and how response clocks ended, by team, person and platform."""

from typing import Annotated

from fastapi import APIRouter, Depends
from msgspec import to_builtins
from starlette.responses import Response

from api.asking import Parts, needs
from api.views import answer
from services.people.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["inbox"])
Supervisor = Annotated[Caller, Depends(needs("view_workload"))]


@router.get("/workload", summary="Who has how much that waits, and how clocks ended")
async def workload(parts: Parts, caller: Supervisor) -> Response:
    """Of the conversations that the caller sees; times and spans in milliseconds. What is `now`, the inbox lists."""
    return answer(to_builtins(await parts.workload.of(caller)))
