"""Instants as people and protocols write them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC with milliseconds: `2026-11-27T00:00:00.000Z`."""
    minute, rest = divmod(ms, MINUTE_MS)
    second, milli = divmod(rest, 1000)
    return f"{_up_to_the_minute(minute)}{second:02}.{milli:03}Z"


@lru_cache(maxsize=4096)
def _up_to_the_minute(minute: int) -> str:
    """The part that most instants of a report share."""
    return (EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:")
