"""What a load takes: the arithmetic, its limits, and that docs/scaling.md says what the commands say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scaling import Assumed, enough_workers, need, tables, with_part
from benchmarks.scaling_inputs import Inputs, sizes
from loadtest.capacity.skew import split, zipf
from loadtest.capacity.tables import hot_shops, moves, sale_days

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
EVEN = [1 / 5_000] * 5_000
INPUTS = Inputs(
    at="2026-11-22",
    machine="- a machine",
    events_per_message=3.0,
    json_bytes=200,
    log_bytes=150,
    store_rows=0.5,
    store_bytes=400,
    kept_bytes=1_000,
    state_bytes=500,
    single_cpu_ms=1.0,
    batch_cpu_us=20,
    way_in_mib=120,
)


def test_ten_times_the_messages_take_about_ten_times_the_machines():
    less, more = (need(rate, 60_000, INPUTS, Assumed(), EVEN) for rate in (100_000, 1_000_000))
    assert more.events == 10 * less.events == 3_000_000
    assert 8 * less.workers < more.workers < 12 * less.workers
    assert more.shards == pytest.approx(10 * less.shards, rel=0.2)
    assert more.log_disk == pytest.approx(10 * less.log_disk)


def test_every_figure_is_reckoned_from_the_inputs():
    found = need(10_000, 60_000, INPUTS, Assumed(use=0.5, single=0.5), EVEN)
    assert found.cores == pytest.approx(0.5)
    assert found.rows == 15_000
    assert found.log_rate == pytest.approx(4.5e6)
    assert found.log_disk == pytest.approx(4.5e6 * 86_400 * 30 * 3)
    assert found.singles == 30
    assert found.batches == 1


def test_a_shop_larger_than_a_core_is_not_helped_by_workers():
    shares = zipf(1_000, 0.8)
    found = need(1_000_000, 60_000, INPUTS, Assumed(), shares)
    assert found.largest > 1
    assert found.workers is None
    assert found.workers_split > found.cores


def test_there_are_workers_enough_for_the_busiest_one():
    shares = zipf(1_000, 0.8)
    assumed = Assumed()
    few = enough_workers(5.0, EVEN, assumed)
    many = enough_workers(5.0, shares, assumed)
    assert 10 <= few < many


def test_shops_are_split_into_equal_accounts_none_too_large():
    parts = split([0.5, 0.3, 0.2], 0.2)
    assert sum(parts) == pytest.approx(1)
    assert max(parts) <= 0.2
    assert len(parts) == 6


def test_sizes_are_those_of_real_frames_and_documents():
    found = sizes(600)
    assert 2 < found.events_per_message < 4
    assert 50 < found.log_bytes < found.json_bytes < 1_000
    assert 0 < found.store_rows < 5
    assert found.state_bytes > 100


def test_the_tables_are_whole():
    text = tables(60_000, INPUTS, Assumed())
    for part in text.split("### ")[1:]:
        _, _, *lines = part.strip().splitlines()
        assert len({line.count("|") for line in lines}) == 1


def test_a_part_of_the_page_is_replaced_and_the_rest_stays():
    page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert with_part(page, "x", "new") == "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n"
    with pytest.raises(SystemExit):
        with_part(page, "y", "new")


@pytest.mark.parametrize("made", [moves, hot_shops, sale_days])
def test_the_page_says_what_the_simulation_says(made):
    assert made().strip() in PAGE.read_text("utf-8")
