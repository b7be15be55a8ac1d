from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.sketch import Sketch
from services.health.series import LiveSeries, minute_points
from services.health.traffic import MINUTE_MS, RecentTraffic, by_channel, by_step, expected_inbound, total
from storage.records import MinuteRow

NOW = 1_795_312_800_000
MINUTE = NOW // MINUTE_MS


def row(channel="shopee/a", minute=MINUTE, inbound=1, outbound=0, delays=()):
    sketch = Sketch()
    for ms in delays:
        sketch.add(ms)
    return MinuteRow(channel=channel, minute=minute, inbound=inbound, outbound=outbound, delays=sketch.encode())


rows = st.lists(
    st.builds(
        row,
        channel=st.sampled_from(["shopee/a", "shopee/b", "ebay/a"]),
        minute=st.integers(MINUTE - 70, MINUTE),
        inbound=st.integers(0, 9),
        outbound=st.integers(0, 9),
        delays=st.lists(st.integers(0, 10_000), max_size=5),
    ),
    unique_by=lambda r: (r.channel, r.minute),
)


@given(rows)
def test_totals_by_channel_and_by_step_add_up_to_the_whole(given_rows):
    whole = total(given_rows)
    for parts in (by_channel(given_rows).values(), by_step(given_rows, 5 * MINUTE_MS).values()):
        assert sum(p.inbound for p in parts) == whole.inbound
        assert sum(p.outbound for p in parts) == whole.outbound
        assert sum(p.delays.count for p in parts) == whole.delays.count


@given(rows, st.integers(0, 15))
def test_recent_traffic_equals_the_rows_of_the_span_however_often_they_are_read(given_rows, minutes):
    recent = RecentTraffic()
    recent.update(given_rows, NOW)
    recent.update(given_rows[::2], NOW)
    since = NOW - minutes * MINUTE_MS
    expected = by_channel(r for r in given_rows if r.minute >= since // MINUTE_MS)
    found = recent.channels(since)
    assert {c: t.inbound for c, t in found.items() if t.inbound} == {
        c: t.inbound for c, t in expected.items() if t.inbound
    }
    assert {c: t.p95 for c, t in found.items() if t.p95 is not None} == {
        c: t.p95 for c, t in expected.items() if t.p95 is not None
    }


def test_a_finished_minute_that_grows_late_is_counted_anew():
    recent = RecentTraffic()
    recent.update([row(minute=MINUTE - 1, inbound=3), row(inbound=1)], NOW)
    assert recent.channels(NOW - 15 * MINUTE_MS)["shopee/a"].inbound == 4
    recent.update([row(minute=MINUTE - 1, inbound=5)], NOW)
    assert recent.channels(NOW - 15 * MINUTE_MS)["shopee/a"].inbound == 6
    assert recent.minute(MINUTE - 1).inbound == 5


def test_minutes_older_than_an_hour_are_forgotten():
    recent = RecentTraffic()
    recent.update([row(minute=MINUTE - 60), row(minute=MINUTE)], NOW)
    recent.update([], NOW + MINUTE_MS)
    assert [r.minute for r in recent.rows(0)] == [MINUTE]


def test_expected_messages_follow_the_rate_of_each_hour():
    hourly = [0.0] * 24
    hour = NOW // (60 * MINUTE_MS) % 24
    hourly[hour - 1], hourly[hour] = 60.0, 120.0
    assert expected_inbound(hourly, NOW - 30 * MINUTE_MS, NOW + 15 * MINUTE_MS) == 30 + 30


def test_nothing_is_expected_of_a_channel_without_a_rate():
    assert expected_inbound([], 0, NOW) == 0


def points_of(series, now):
    return {start: rest for start, *rest in series.points(now, {})}


def test_what_arrives_between_two_looks_belongs_to_the_moment_it_was_seen():
    series = LiveSeries(15 * MINUTE_MS, 5_000)
    series.observe([row(inbound=2, delays=[100, 100])], NOW + 1_000)
    series.observe([row(inbound=12, outbound=5, delays=[100, 100, *[900] * 10])], NOW + 7_000)
    points = points_of(series, NOW + 10_000)
    assert points[NOW][:2] == [0.4, 0.0]
    assert points[NOW + 5_000][:2] == [2.0, 1.0]
    assert points[NOW + 5_000][2] > 800
    assert sum(p[0] for p in points.values()) * 5 == 12


def test_what_was_there_before_the_first_look_is_spread_over_its_minute():
    series = LiveSeries(15 * MINUTE_MS, 5_000)
    series.observe([row(minute=MINUTE - 3, inbound=60, delays=[50] * 60)], NOW)
    points = points_of(series, NOW)
    spread = [points[start] for start in range(NOW - 3 * MINUTE_MS, NOW - 2 * MINUTE_MS, 5_000)]
    assert [p[0] for p in spread] == [1.0] * 12
    assert {p[2] for p in spread} == {50}


def test_a_burst_of_the_last_minutes_told_at_once_is_spread_over_them():
    series = LiveSeries(15 * MINUTE_MS, 5_000)
    series.observe([row(minute=MINUTE, inbound=1)], NOW + 1_000)
    burst = [row(channel="shopee/b", minute=m, inbound=60) for m in (MINUTE - 1, MINUTE)]
    series.observe(burst, NOW + 29_000)
    points = points_of(series, NOW + 30_000)
    assert max(p[0] for p in points.values()) <= 2.2
    assert round(sum(p[0] for p in points.values()) * 5) == 121


def test_a_minute_told_long_afterwards_belongs_to_its_own_time():
    series = LiveSeries(15 * MINUTE_MS, 5_000)
    series.observe([], NOW)
    series.observe([row(minute=MINUTE - 10, inbound=12)], NOW + 1_000)
    assert points_of(series, NOW + 1_000)[NOW][0] == 0
    assert points_of(series, NOW + 1_000)[NOW - 10 * MINUTE_MS][0] == 0.2


def test_the_chart_has_a_point_for_every_step_even_an_empty_one():
    series = LiveSeries(15 * MINUTE_MS, 5_000)
    points = series.points(NOW, {NOW - 5_000: 3})
    assert len(points) == 180
    assert points[-2] == (NOW - 5_000, 0.0, 0.0, None, None, 3)


def test_points_of_longer_ranges_count_what_their_minutes_count():
    given_rows = [row(minute=MINUTE - n, inbound=60, delays=[10]) for n in range(10)]
    points = minute_points(
        by_step(given_rows, 5 * MINUTE_MS), NOW - 60 * MINUTE_MS, NOW + MINUTE_MS, 5 * MINUTE_MS, {NOW: 2}
    )
    assert sum(in_per_s * 300 for t, in_per_s, *_ in points if t < NOW) == 9 * 60
    assert points[-1][0] == NOW
    assert points[-1][1] == 1.0
    assert points[-1][5] == 2
