"""The figures: one documented list."""

from pathlib import Path

import pytest

from weir.metrics import FIGURES, Metrics, page

DOCS = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_the_page_on_metrics_is_current():
    assert DOCS.read_text(encoding="utf-8") == page(), "run `python -m weir.metrics > docs/metrics.md`"


def test_every_figure_says_what_to_do_when_it_moves():
    assert all(figure.help.endswith(".") and figure.action.endswith(".") for figure in FIGURES)
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)


def test_counters_grow_and_labels_that_are_gone_disappear():
    metrics = Metrics()
    metrics.count("weir_http_responses", 1, "200")
    metrics.count("weir_http_responses", 2, "200")
    metrics.replace("weir_part_alive", {("engine",): 1, ("gateway",): 0})
    metrics.replace("weir_part_alive", {("engine",): 1})
    text = metrics.exposition().decode()
    assert 'weir_http_responses_total{code="200"} 3.0' in text
    assert 'part="engine"' in text
    assert 'part="gateway"' not in text


def test_an_unknown_figure_is_an_error():
    with pytest.raises(KeyError):
        Metrics().set("weir_nonsense", 1)
