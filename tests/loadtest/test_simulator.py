"""The simulated sale: repeatable, in order, valid, and clean where no trouble strikes."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from actors.anomaly import KINDS
from actors.errors import ConfigurationError
from actors.intake import parse_event
from loadtest.options import INCIDENTS, TROUBLES, known_faults, parse_faults
from loadtest.simulator import Simulation, SimulationOptions, simulate, write_trace

PROFILES = ("steady", "diurnal", "flash-sale")


def run(**options):
    truth = []
    events = list(simulate(SimulationOptions(**options), truth.append))
    return events, truth


def test_the_same_seed_gives_the_same_trace():
    first, second, other = run(messages=800, seed=7), run(messages=800, seed=7), run(messages=800, seed=8)
    assert first == second
    assert first[0] != other[0]


@pytest.mark.parametrize("profile", PROFILES)
def test_events_come_in_the_order_of_their_observation(profile):
    events, _ = run(messages=1500, profile=profile)
    times = [e["at"] for e in events]
    assert times == sorted(times)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_event_is_accepted_by_the_way_in(profile, tmp_path):
    trace = tmp_path / "trace.ndjson"
    summary = write_trace(SimulationOptions(messages=1500, profile=profile), trace, tmp_path / "truth.json")
    events = [parse_event(line, need_at=True) for line in trace.read_bytes().splitlines()]
    assert len(events) == summary.events


def test_about_as_many_messages_are_sent_as_were_asked_for():
    events, _ = run(messages=4000, faults={})
    sent = sum(e["type"] == "message" for e in events)
    assert 4000 <= sent <= 4000 * 1.03


def test_without_faults_nothing_is_implied():
    assert run(messages=2000, faults={})[1] == []


def test_the_default_mix_has_every_kind_of_anomaly():
    _, truth = run(messages=12_000, profile="steady")
    assert {e.kind for e in truth} == set(KINDS)


@pytest.mark.parametrize("trouble", [*TROUBLES, *INCIDENTS])
def test_every_trouble_can_be_asked_for_alone(trouble):
    _, truth = run(messages=4000, profile="steady", faults={trouble: 0.02})
    assert truth


def test_the_rate_of_a_trouble_is_its_share_of_the_messages():
    _, truth = run(messages=20_000, profile="steady", faults={"duplicate_exact": 0.01})
    assert 140 < len(truth) < 240


def test_several_platforms_speak_several_languages():
    events, _ = run(messages=6000)
    messages = [e for e in events if e["type"] == "message"]
    assert len({e["platform"] for e in messages}) >= 9
    assert len({e["lang"] for e in messages}) == 10


def test_every_type_of_event_occurs():
    events, _ = run(messages=6000)
    kinds = Counter(e["type"] for e in events)
    assert set(kinds) == {
        "message", "receipt", "attachment", "translation", "notification",
        "checkpoint", "auth", "edit", "delete", "action", "clock",
    }  # fmt: skip


def test_a_flash_sale_has_its_peak():
    events, _ = run(messages=8000, faults={}, conversations=8000)
    per_minute = Counter(e["at"] // 60_000 for e in events if e["type"] == "message")
    assert max(per_minute.values()) > 4 * sum(per_minute.values()) / len(per_minute)


def test_an_endless_sale_does_not_end():
    options = SimulationOptions(messages=1 << 60, conversations=1 << 57)
    events = Simulation(options, lambda _: None, per_second=30.0).events()
    last = [next(events) for _ in range(20_000)][-1]
    assert last["at"] > options.start


def test_the_truth_file_lists_what_was_implied(tmp_path):
    truth = tmp_path / "truth.json"
    heard = []
    summary = write_trace(SimulationOptions(messages=1000), tmp_path / "t.ndjson", truth, heard.append)
    document = json.loads(truth.read_bytes())
    assert Counter(a["kind"] for a in document["anomalies"]) == summary.anomalies == document["counts"]
    assert document["totals"] == {"events": summary.events, "messages": summary.messages}
    assert heard[-1] == summary.messages


def test_a_kind_of_anomaly_stands_for_the_troubles_that_cause_it():
    assert parse_faults("loss=0.1, delay_single=0.05") == {
        "loss_gap": pytest.approx(0.04),
        "loss_reference": pytest.approx(0.015),
        "loss_checkpoint": pytest.approx(0.015),
        "loss_outbound": pytest.approx(0.03),
        "delay_single": 0.05,
    }
    assert parse_faults("none") == parse_faults("") == {}
    assert set(KINDS) <= set(known_faults())


@pytest.mark.parametrize("text", ["loss", "loss=x", "loos=0.1", "loss=-1", "loss=2", "loss=nan"])
def test_a_wrong_fault_is_named(text):
    with pytest.raises(ConfigurationError):
        parse_faults(text)


@pytest.mark.parametrize("wrong", [{"messages": 0}, {"conversations": 0}, {"profile": "wild"}, {"hours": 0}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ConfigurationError):
        SimulationOptions(**wrong)
