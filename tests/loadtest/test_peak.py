"""The curve of a sale day: six times a normal day, its bursts as they were measured."""

from __future__ import annotations

import csv
from statistics import mean

import pytest

from loadtest.peak import BURSTS, HIGHEST, PEAK_DAY, QUIET_SLOTS, SALE, Curve
from loadtest.shapes import DAY


def over_mean(path, column):
    with path.open() as rows:
        counts = [float(row[column]) for row in csv.DictReader(rows)]
    middle = mean(counts)
    return [count / middle for count in counts]


@pytest.mark.parametrize(
    ("file", "begins"), [("mentions_AMZN_5min.csv", 10), ("mentions_UPS_5min.csv", 20)], ids=["shop", "carrier"]
)
def test_the_bursts_are_those_of_the_public_data(public_data, file, begins):
    counts = over_mean(public_data / "traffic_shapes" / file, "mentions")
    peak = counts.index(max(counts))
    measured = counts[peak : peak + len(BURSTS[begins])]
    assert measured == pytest.approx(BURSTS[begins], abs=0.01)


def test_a_sale_day_has_six_times_a_normal_day_and_bursts_of_thirty():
    sale = PEAK_DAY[QUIET_SLOTS : QUIET_SLOTS + 24]
    calm = [share / SALE for hour, share in enumerate(sale) if share == SALE * DAY[hour]]
    assert mean(calm) == pytest.approx(1, abs=0.2)
    assert pytest.approx(30, abs=1) == HIGHEST


def test_a_curve_counts_every_event_once():
    curve = Curve(60, 1500)
    steps = [curve.count(s / 10) for s in range(700)]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert steps[-1] == pytest.approx(curve.total)
    assert curve.count(59.999) == pytest.approx(curve.total, rel=0.001)


def test_the_highest_rate_of_a_curve_is_the_peak():
    curve = Curve(60, 1500)
    assert curve.highest(0, 60) == 1500
    assert curve.highest(0, 1) < 100
    assert curve.highest(200, 201) == curve.highest(59.9, 60)
