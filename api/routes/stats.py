"""The dashboard's numbers."""

from fastapi import APIRouter
from msgspec import to_builtins
from starlette.responses import Response

from api.asking import HealthReader, Instant, Parts, Word, instant
from api.views import answer

router = APIRouter(prefix="/api/v1", tags=["monitor"])


@router.get("/stats/hours", summary="Anomalies by kind and hour")
async def hours(parts: Parts, _caller: HealthReader, platform: Word = None, account: Word = None) -> Response:
    """Those opened in each of the last 24 hours, the running one last; hours are starts in milliseconds (UTC).

    `cells` has a row per kind and a column per hour. At most a few seconds old.
    """
    return answer(to_builtins(await parts.stats.hours(platform=platform, account=account)))


@router.get("/stats", summary="The dashboard's numbers")
async def stats(
    parts: Parts,
    _caller: HealthReader,
    since: Instant = None,
    until: Instant = None,
    platform: Word = None,
    account: Word = None,
) -> Response:
    """Rate, delay quantiles, anomalies by kind and platform, SLA counts, ledger; the last 15 minutes by default.

    `platforms` are compared, with the response time each lost by transport: the delays of customers' messages in all.

    The span is widened to whole minutes and stated in the answer; every number is the sum of the rows of that span.
    """
    numbers = await parts.stats.stats(
        since=instant(since, "since"), until=instant(until, "until"), platform=platform, account=account
    )
    return answer(numbers)
