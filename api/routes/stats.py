"""The dashboard's numbers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.asking import Instant, Parts, instant, needs
from api.views import answer
from services.permissions import Caller

router = APIRouter(prefix="/api/v1", tags=["monitor"])
Reader = Annotated[Caller, Depends(needs("view_health"))]
Word = Annotated[str | None, Query(max_length=1024)]


@router.get("/stats", summary="The dashboard's numbers")
async def stats(
    parts: Parts,
    _caller: Reader,
    since: Instant = None,
    until: Instant = None,
    platform: Word = None,
    account: Word = None,
) -> Response:
    """Rate, delay quantiles, anomalies by kind and platform, SLA counts, ledger; the last 15 minutes by default.

    The span is widened to whole minutes and stated in the answer; every number is the sum of the rows of that span.
    """
    numbers = await parts.stats.stats(
        since=instant(since, "since"), until=instant(until, "until"), platform=platform, account=account
    )
    return answer(numbers)
