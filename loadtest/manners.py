"""How each platform's events reach Weir: pushed by its webhook, few at a time, or fetched and posted in batches."""

from __future__ import annotations

import re

from msgspec import Struct

BRANCH = re.compile(r"-b(\d+)(?:-|$)")
AGGREGATOR = "aggregator"
"""A seller's program that fetches from many shops and posts for all of them."""


class Lane(Struct, frozen=True, kw_only=True):
    """One sender whose events must arrive in order.

    Attributes:
        name: the channel, or the aggregator.
        way: `webhook` or `batch`.
        least: a sender waits for so many events, but not for long.
        most: events in one request.
        wait_s: how long the oldest event may wait for others.
    """

    name: str
    way: str
    least: int = 1
    most: int = 1
    wait_s: float = 0.0


PUSHED: dict[str, int] = {
    "lazada": 1,
    "mercadolibre": 1,
    "ebay": 1,
    "shopee": 3,
    "tiktok": 3,
    "temu": 3,
    "line": 5,
    "whatsapp": 10,
}
"""Most events in one webhook. Marketplaces send each by itself; messengers put into one what happened meanwhile."""

BATCH_LEAST, BATCH_MOST = 100, 1_000
BATCH_WAIT_S = 0.5
FETCHED_BRANCHES = 2
"""Every second branch of a shop that could push is fetched from all the same."""


def lane_of(platform: str, account: str) -> Lane:
    """Who brings the events of a channel: the platform itself, or the aggregator."""
    most = PUSHED.get(platform)
    if most is None or _is_fetched_branch(account):
        return Lane(name=AGGREGATOR, way="batch", least=BATCH_LEAST, most=BATCH_MOST, wait_s=BATCH_WAIT_S)
    return Lane(name=f"{platform}/{account}", way="webhook", most=most)


def _is_fetched_branch(account: str) -> bool:
    branch = BRANCH.search(account)
    return branch is not None and int(branch.group(1)) % FETCHED_BRANCHES == 0
