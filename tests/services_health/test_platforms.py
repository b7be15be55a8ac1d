"""Platforms side by side, and the response time that transport used up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.anomaly import KINDS
from actors.sketch import Sketch
from services.health.board import HOUR_MS
from services.health.platforms import compare, lost_by_transport
from services.health.stats import HOURS, Stats
from services.health.traffic import Total
from tests.services_health.test_board import count
from tests.services_health.town import START, wrote

MINUTE = 60_000


def traffic(delays, *, outbound=0):
    sketch = Sketch()
    for ms in delays:
        sketch.add(ms)
    return Total(inbound=len(delays) - outbound, outbound=outbound, delays=sketch)


@given(st.lists(st.integers(0, 10_000_000), max_size=60))
def test_the_time_lost_is_the_sum_of_the_delays_within_one_per_cent(delays):
    assert lost_by_transport(traffic(delays)) == pytest.approx(sum(delays), rel=0.011, abs=1)


def test_delays_of_both_ways_are_shared_by_the_number_of_messages():
    assert lost_by_transport(traffic([60_000] * 4, outbound=1)) == pytest.approx(180_000, rel=0.011)
    assert lost_by_transport(traffic([60_000] * 4, outbound=4)) == 0
    assert lost_by_transport(traffic([])) == 0


def test_platforms_are_summed_over_their_channels():
    found = compare(
        {"shopee/a": traffic([1_000]), "shopee/b": traffic([3_000], outbound=0), "ebay/x": traffic([])},
        [count("loss", 2), count("delay", 1, platform="line")],
    )
    assert [(p.platform, p.inbound, p.anomalies) for p in found] == [("line", 0, 1), ("shopee", 2, 2)]
    assert found[1].lost_ms == pytest.approx(4_000, rel=0.011)
    assert found[0].p95_ms is None


async def test_the_screen_and_the_numbers_of_the_api_agree(town):
    await town.tell(*(wrote(n, START + n * 1_000, delay=30_000, conversation=f"c{n}") for n in range(4)))
    await town.pass_to(START + MINUTE)
    (shown,) = (await town.monitor().refresh()).platforms
    (told,) = (await Stats(town.store, town.clock).stats())["platforms"]
    assert (shown.platform, shown.inbound, shown.anomalies) == ("shopee", 4, 4)
    assert shown.lost_ms == pytest.approx(120_000, rel=0.011)
    assert told["lost_by_transport_s"] == shown.lost_ms / 1000
    assert told["inbound"] == 4


async def test_the_hours_count_what_the_list_of_each_hour_shows(town):
    stats = Stats(town.store, town.clock)
    await town.tell(wrote(1, START, delay=40_000), wrote(2, START + HOUR_MS, delay=40_000, platform="ebay"))
    await town.tell(wrote(3, START + HOUR_MS + 1, delay=40_000, conversation="c2"))
    found = await stats.hours()
    assert len(found.hours) == HOURS
    assert found.hours[-1] <= town.now < found.hours[-1] + HOUR_MS
    delays = dict(zip(found.hours, found.cells[found.kinds.index("delay")], strict=True))
    assert {at: n for at, n in delays.items() if n} == {START: 1, START + HOUR_MS: 2}
    assert found.kinds == list(KINDS)
    for at, n in delays.items():
        assert len(await town.anomalies(kind="delay", since=at, until=at + HOUR_MS)) == n
    ebay = await stats.hours(platform="ebay")
    assert sum(map(sum, ebay.cells)) == 1
