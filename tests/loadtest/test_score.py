"""The score, and the proof that replay and simulator agree: two implementations of one specification."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtest.options import INCIDENTS, TROUBLES
from loadtest.score import score
from loadtest.simulator import SimulationOptions, write_trace
from streams.replay import replay_file


def played(folder, options):
    trace, truth = folder / "trace.ndjson", folder / "truth.json"
    write_trace(options, trace, truth)
    return replay_file(str(trace)), json.loads(truth.read_bytes())


def assert_perfect(report, truth):
    result = score(report, truth)
    assert report["rejected"] == []
    assert result.perfect, result.as_dict()
    assert [k.kind for k in result.kinds if k.resolutions != k.matched] == []


@pytest.mark.parametrize("profile", ["steady", "diurnal", "flash-sale"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_replay_finds_exactly_what_a_trace_implies(profile, seed, tmp_path):
    assert_perfect(*played(tmp_path, SimulationOptions(messages=3000, profile=profile, seed=seed)))


def test_replay_finds_nothing_where_nothing_is_wrong(tmp_path):
    report, truth = played(tmp_path, SimulationOptions(messages=5000, faults={}))
    assert truth["anomalies"] == report["anomalies"] == []


@given(
    seed=st.integers(0, 2**32),
    messages=st.sampled_from([1, 20, 300, 1200]),
    profile=st.sampled_from(["steady", "diurnal", "flash-sale"]),
    faults=st.dictionaries(st.sampled_from([*TROUBLES, *INCIDENTS]), st.sampled_from([0.002, 0.02, 0.2])),
    conversations=st.sampled_from([None, 1, 40]),
)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mix_of_faults_is_found_at_any_seed(tmp_path, **options):
    assert_perfect(*played(tmp_path, SimulationOptions(**options)))


def test_a_silence_may_follow_right_after_another(tmp_path):
    options = SimulationOptions(
        messages=4000, conversations=4000, profile="steady", seed=10, channels=1, faults={"silence": 0.2}
    )
    report, truth = played(tmp_path, options)
    assert len(truth["anomalies"]) > 3
    assert_perfect(report, truth)


def test_anomalies_open_at_the_instant_that_the_rules_imply(tmp_path):
    report, truth = played(tmp_path, SimulationOptions(messages=4000, profile="steady"))
    opened = {(a["kind"], a["platform"], a["conversation"], a["opened_at"]) for a in report["anomalies"]}
    for expected in truth["anomalies"]:
        if expected["opened_at"] is not None:
            at = rfc3339(expected["opened_at"])
            assert (expected["kind"], expected["platform"], expected["conversation"], at) in opened


def rfc3339(at):
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


EXPECTED = {
    "kind": "loss",
    "cause": "gap",
    "platform": "shopee",
    "account": "a",
    "conversation": "c",
    "seq": 4,
    "message": None,
    "resolution": "resynced",
}
FOUND = {
    "kind": "loss",
    "platform": "shopee",
    "account": "a",
    "conversation": "c",
    "message": None,
    "evidence": {"seq": 4, "cause": "gap"},
    "resolution": "resynced",
}


def test_a_missed_anomaly_lowers_recall():
    result = score({"anomalies": []}, {"anomalies": [EXPECTED]})
    loss = next(k for k in result.kinds if k.kind == "loss")
    assert (loss.recall, loss.precision, result.perfect) == (0.0, 1.0, False)
    assert result.missed == [["loss", "shopee", "a", "c", 4]]


def test_an_invented_anomaly_lowers_precision():
    result = score({"anomalies": [FOUND, {**FOUND, "evidence": {"seq": 5, "cause": "gap"}}]}, {"anomalies": [EXPECTED]})
    loss = next(k for k in result.kinds if k.kind == "loss")
    assert (loss.recall, loss.precision, result.perfect) == (1.0, 0.5, False)
    assert result.invented == [["loss", "shopee", "a", "c", 5]]


def test_the_same_trouble_found_twice_counts_as_invented():
    result = score({"anomalies": [FOUND, FOUND]}, {"anomalies": [EXPECTED]})
    assert (len(result.invented), result.perfect) == (1, False)


def test_another_ending_is_told_apart_from_a_miss():
    result = score({"anomalies": [{**FOUND, "resolution": "arrived_late"}]}, {"anomalies": [EXPECTED]})
    loss = next(k for k in result.kinds if k.kind == "loss")
    assert (loss.matched, loss.resolutions) == (1, 0)


def test_silence_and_lost_authorisation_of_one_channel_are_two_subjects():
    channel = {"kind": "channel_silent", "platform": "p", "account": "a"}
    truth = [{**channel, "cause": "silence"}, {**channel, "cause": "auth"}]
    found = [{**channel, "evidence": {"probability": 1e-7}}, {**channel, "evidence": {"status": "expired"}}]
    assert score({"anomalies": found}, {"anomalies": truth}).perfect


def test_the_table_has_a_line_for_every_kind():
    table = score({"anomalies": [FOUND]}, {"anomalies": [EXPECTED]}).table()
    assert len(table.splitlines()) == 9
    assert "1.000" in table
