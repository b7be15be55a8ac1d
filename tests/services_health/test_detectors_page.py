"""The examples of docs/detectors.md are true: each is replayed as its command says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from actors.thresholds import ThresholdSet, parse_assignment
from streams.replay import replay_file

PAGE = Path(__file__).resolve().parents[2] / "docs" / "detectors.md"
EXAMPLE = re.compile(r"```\nweir replay ([^\n]+)\n```\n\n```ndjson\n(.*?)```\n\n```json( last)?\n(.*?)```", re.DOTALL)
LEFT_OUT = {"id", "actions"}


def examples():
    """(file name, its options, the trace, the anomalies, which of them) of every example on the page.

    `json last` shows the last anomaly of the report only.
    """
    return [
        (command.split()[0], shlex.split(command)[1:], trace, json.loads(report), slice(-1 if last else 0, None))
        for command, trace, last, report in EXAMPLE.findall(PAGE.read_text("utf-8"))
    ]


def replayed(folder, options, trace):
    """The anomalies of a trace as the page shows them; `options` are pairs of `--set` and an assignment."""
    file = folder / "trace.ndjson"
    file.write_text(trace, "utf-8")
    thresholds = ThresholdSet()
    for flag, assignment in zip(options[::2], options[1::2], strict=True):
        assert flag == "--set"
        thresholds = thresholds.changed(*parse_assignment(assignment))
    return [shown(anomaly) for anomaly in replay_file(str(file), settings=thresholds)["anomalies"]]


def shown(anomaly):
    return {name: value for name, value in anomaly.items() if name not in LEFT_OUT and value is not None}


@pytest.mark.parametrize("example", examples() if PAGE.exists() else [], ids=lambda e: e[0])
def test_an_example_of_the_page_gives_the_report_beside_it(example, tmp_path):
    _, options, trace, report, part = example
    assert replayed(tmp_path, options, trace)[part] == report


def test_the_page_has_an_example_for_every_kind_and_cause():
    found = {(a["kind"], a["evidence"].get("cause")) for _, _, _, report, _ in examples() for a in report}
    kinds = {kind for kind, _ in found}
    assert kinds == {
        "delay",
        "loss",
        "duplicate",
        "out_of_sync",
        "attachment_failed",
        "notification_missed",
        "translation_failed",
        "channel_silent",
    }
    assert {cause for kind, cause in found if kind == "loss"} == {"gap", "reference", "checkpoint", "outbound"}
    assert {cause for kind, cause in found if kind == "channel_silent"} == {"silence", "auth"}
