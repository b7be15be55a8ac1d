"""Replays of random stories against the rulings told in the plainest way (`tests.streams.oracle`)."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.actors.trace import Found, ms, report_of
from tests.streams.oracle.whole import Oracle
from tests.streams.stories import SETTINGS, unruly_stories

NUMBERS = ("seq", "copies", "ours", "theirs", "attachment", "delay_s")


def proof(anomaly):
    """What the evidence must say alike; causes and statuses where the anomaly is a loss."""
    names = (*NUMBERS, "cause", "status") if anomaly.kind == "loss" else NUMBERS
    return sorted((name, anomaly.evidence[name]) for name in names if name in anomaly.evidence)


def instants(*seconds):
    return tuple(None if second is None else ms(second) for second in seconds)


def ours(report):
    found = Found(report)
    anomalies = [
        (
            a.kind,
            a.severity,
            (a.platform, a.account),
            a.conversation,
            a.message,
            a.resolution,
            proof(a),
            *instants(a.since, a.opened_at, a.resolved_at),
        )
        for a in found.anomalies
    ]
    rows = [
        (r.conversation, r.kind, *instants(r.started_at, r.due_at, r.warned_at, r.breached_at, r.answered_at))
        for r in found.sla
    ]
    ledger = {name: report["ledger"][name] for name in ("stored", "duplicates")}
    return sorted(map(repr, anomalies)), sorted(map(repr, rows)), ledger


def key(parts):
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def theirs(events):
    oracle = Oracle()
    for event in events:
        oracle.take(event)
    found, clocks, ledger = oracle.finish()
    anomalies = [
        (
            a.kind,
            a.severity,
            a.channel,
            a.conversation,
            a.message,
            a.resolution,
            proof(a),
            a.since,
            a.opened_at,
            a.resolved_at,
        )
        for a in found
    ]
    rows = [(key(c.key), c.kind, c.started, c.due, c.warned, c.breached, c.answered) for c in clocks]
    return sorted(map(repr, anomalies)), sorted(map(repr, rows)), ledger


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(unruly_stories)
def test_a_replay_finds_what_the_rulings_say(events):
    for expected, found in zip(theirs(events), ours(report_of(events, settings=SETTINGS)), strict=True):
        assert found == expected
