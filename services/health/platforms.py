"""Platforms side by side: how much they carried, how late, with how much trouble, and what that cost of response time.

Pure, of the same traffic and counts as the rest of the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from actors.keys import split_key
from actors.sketch import GAMMA, ZERO
from services.health.traffic import Total, nothing
from storage.records import AnomalyCount


class PlatformHealth(Struct, frozen=True, kw_only=True):
    """One platform over the range looked at; `p50_ms` and `p95_ms` are delays of messages both ways.

    `anomalies`: opened within the range. `lost_ms`: response time lost by transport, see `lost_by_transport`.
    """

    platform: str
    inbound: int = 0
    outbound: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    anomalies: int = 0
    lost_ms: int = 0


def compare(traffic: Mapping[str, Total], opened: Iterable[AnomalyCount]) -> list[PlatformHealth]:
    """Every platform with traffic or anomalies, by name; `traffic` by channel key."""
    totals: dict[str, Total] = {}
    lost: dict[str, float] = {}
    for key, part in traffic.items():
        if not part.inbound and not part.outbound:
            continue
        platform = split_key(key)[0]
        whole = totals.get(platform)
        if whole is None:
            whole = totals[platform] = nothing()
        whole.inbound += part.inbound
        whole.outbound += part.outbound
        whole.delays.merge(part.delays)
        lost[platform] = lost.get(platform, 0.0) + lost_by_transport(part)
    anomalies: dict[str, int] = {}
    for count in opened:
        anomalies[count.platform] = anomalies.get(count.platform, 0) + count.count
    return [
        _health(platform, totals.get(platform) or nothing(), anomalies.get(platform, 0), lost.get(platform, 0.0))
        for platform in sorted({*totals, *anomalies})
    ]


def lost_by_transport(part: Total) -> float:
    """Response time (ms) that was used up before Weir had the customers' messages of one channel.

    A response clock starts when the customer wrote, by the platform's time. What a message then takes to reach Weir,
    corrected by the channel's clock offset, is taken from the answer's time before anybody here could know. This is
    the sum of those delays over the customers' messages of a span, history left out. Each message counts for itself,
    also where several of one conversation came late together, and hours outside business time count as well.

    The store keeps the delays of a minute as one sketch for both ways (each value within one per cent), so the sum
    over both is shared by the number of messages each way. It costs the buckets of one sketch, however many messages.
    """
    counted = part.delays.count
    if not counted or not part.inbound:
        return 0.0
    whole = sum(
        count * 2 * GAMMA**bucket / (GAMMA + 1) for bucket, count in part.delays.buckets.items() if bucket != ZERO
    )
    return whole * min(1.0, part.inbound / counted)


def _health(platform: str, whole: Total, anomalies: int, lost: float) -> PlatformHealth:
    return PlatformHealth(
        platform=platform,
        inbound=whole.inbound,
        outbound=whole.outbound,
        p50_ms=whole.p50,
        p95_ms=whole.p95,
        anomalies=anomalies,
        lost_ms=round(lost),
    )


__all__ = ["PlatformHealth", "compare", "lost_by_transport"]
