from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import RejectedError
from actors.sketch import Sketch
from services.health.stats import POINTS_MOST, Stats, anomalies_by_step, span, traffic_numbers
from services.health.traffic import MINUTE_MS
from storage.records import AnomalyFilter, MinuteRow
from tests.services_health.town import START, wrote

MINUTE = START // MINUTE_MS


def row(channel, minute, inbound, outbound, delays):
    sketch = Sketch()
    for ms in delays:
        sketch.add(ms)
    return MinuteRow(channel=channel, minute=minute, inbound=inbound, outbound=outbound, delays=sketch.encode())


rows = st.lists(
    st.builds(
        row,
        st.sampled_from(["shopee/a", "ebay/b"]),
        st.integers(MINUTE, MINUTE + 2_000),
        st.integers(0, 50),
        st.integers(0, 50),
        st.lists(st.integers(0, 5_000), max_size=4),
    ),
    unique_by=lambda r: (r.channel, r.minute),
)
openings = st.lists(st.tuples(st.integers(MINUTE, MINUTE + 2_000), st.just("loss"), st.integers(1, 9)))


@given(rows, openings, st.integers(1, 2_001))
def test_the_card_the_chart_and_the_channels_say_the_same_number(given_rows, given_openings, minutes):
    chosen = span(START, START + minutes * MINUTE_MS, START)
    given_rows = [r for r in given_rows if r.minute < MINUTE + minutes]
    buckets = [(m * MINUTE_MS, kind, n) for m, kind, n in given_openings if m < MINUTE + minutes]
    numbers = traffic_numbers(given_rows, chosen, anomalies_by_step(buckets, chosen.step_ms))
    for name in ("inbound", "outbound", "duplicates"):
        rate = numbers["rate"][name]
        assert rate == sum(p[name] for p in numbers["series"]) == sum(c[name] for c in numbers["channels"])
        assert rate == sum(getattr(r, name) for r in given_rows)
    assert sum(p["anomalies"] for p in numbers["series"]) == sum(n for _, _, n in buckets)
    assert len(numbers["series"]) <= POINTS_MOST + 1
    assert [p["at"] for p in numbers["series"]] == sorted(p["at"] for p in numbers["series"])


def test_a_span_is_widened_to_whole_minutes():
    chosen = span(START + 1, START + MINUTE_MS + 1, START)
    assert (chosen.since, chosen.until) == (START, START + 2 * MINUTE_MS)


def test_the_default_span_ends_with_the_running_minute():
    chosen = span(None, None, START + 30_000)
    assert (chosen.since, chosen.until) == (START - 15 * MINUTE_MS, START + MINUTE_MS)


@pytest.mark.parametrize(("since", "until"), [(START, START), (START, START - 1), (0, START)])
def test_a_span_that_ends_before_it_begins_or_is_too_long_is_refused(since, until):
    with pytest.raises(RejectedError, match="since"):
        span(since, until, START)


async def test_every_number_equals_the_rows_behind_it(town):
    events = [wrote(n, START + 1_000 * n, seq=n + n // 7, delay=40_000 if n % 9 == 0 else 0) for n in range(40)]
    await town.tell(*events, wrote(3, START + 41_000, seq=3), wrote(50, START + 42_000, platform="ebay", seq=1))
    await town.pass_to(START + 2 * MINUTE_MS)
    numbers = await Stats(town.store, town.clock).stats()
    rows_behind = await town.store.anomalies(AnomalyFilter(since=START - 10**7, until=town.now + 10**7), 500)
    assert numbers["anomalies"]["total"] == len(rows_behind.items) > 10
    for kind, counts in numbers["anomalies"]["by_kind"].items():
        assert counts["total"] == len([a for a in rows_behind.items if a.kind == kind])
        assert counts["open"] == len([a for a in rows_behind.items if a.kind == kind and a.status == "open"])
    for platform, counts in numbers["anomalies"]["by_platform"].items():
        assert counts["total"] == len([a for a in rows_behind.items if a.platform == platform])
    held = await town.store.counts()
    assert numbers["rate"]["messages"] == sum(c["stored"] for c in held.values()) == 41
    assert numbers["rate"]["duplicates"] == 1
    assert sum(p["anomalies"] for p in numbers["series"]) == numbers["anomalies"]["total"]
    assert numbers["ledger"]["accepted"] == 42
    assert numbers["ledger"]["balanced"]
    assert numbers["sla"]["ok"] == 2


async def test_a_filter_counts_one_channel_only(town):
    await town.tell(wrote(1, START), wrote(2, START, platform="ebay"), wrote(2, START, platform="ebay"))
    numbers = await Stats(town.store, town.clock).stats(platform="ebay")
    assert numbers["rate"]["inbound"] == 1
    assert numbers["anomalies"]["by_kind"]["duplicate"]["total"] == 1
    assert set(numbers["anomalies"]["by_platform"]) == {"ebay"}
    assert (numbers["ledger"]["accepted"], numbers["ledger"]["duplicates"]) == (2, 1)
