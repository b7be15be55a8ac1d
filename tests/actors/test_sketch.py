"""The quantile sketch: its error, and merging."""

from __future__ import annotations

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.sketch import ACCURACY, Sketch

durations = st.lists(st.one_of(st.integers(-1000, 90_000_000), st.integers(0, 300)), max_size=200)
quantiles = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0])


def sketch_of(values):
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


@settings(max_examples=150, deadline=None)
@given(durations, quantiles)
def test_every_quantile_is_within_one_per_cent_of_the_value_of_its_rank(values, q):
    found = sketch_of(values).quantile(q)
    if not values:
        assert found is None
        return
    true = max(0, sorted(values)[max(1, ceil(q * len(values))) - 1])
    assert abs(found - true) <= ACCURACY * true * (1 + 1e-9)


@settings(max_examples=80, deadline=None)
@given(durations, durations)
def test_merged_sketches_are_the_sketch_of_both(one, other):
    merged = sketch_of(one)
    merged.merge(sketch_of(other))
    assert merged.buckets == sketch_of(one + other).buckets
    assert merged.count == len(one) + len(other)


@settings(max_examples=50, deadline=None)
@given(durations)
def test_a_sketch_is_the_same_after_encoding(values):
    sketch = sketch_of(values)
    assert Sketch.decode(sketch.encode()).buckets == sketch.buckets


def test_no_bytes_are_an_empty_sketch():
    assert Sketch.decode(b"").count == 0
    assert Sketch.decode(b"").quantile(0.5) is None
