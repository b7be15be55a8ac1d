from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.anomaly import CURES, KINDS
from services.health.incidents import GUIDES, group, guide_of, incident_id
from storage.records import AnomalyCount


def count(kind="loss", n=1, *, status="open", cause="", severity="critical", account="a", at=1000, wide=0):
    return AnomalyCount(
        platform="shopee",
        account=account,
        kind=kind,
        status=status,
        severity=severity,
        count=n,
        oldest=at,
        latest=at + n,
        cause=cause,
        channel_level=wide,
    )


def by_guide(incidents):
    return {i.guide: i for i in incidents}


def test_seven_thousand_late_messages_are_one_incident():
    opened = [count("delay", 7_200, status="resolved", severity="info")]
    unresolved = [count("delay", 1, severity="warning", wide=1)]
    (incident,) = group(unresolved, [*opened, *unresolved])
    assert (incident.count, incident.open, incident.status) == (7_201, 1, "open")
    assert incident.channel_level
    assert incident.severity == "warning"


def test_troubles_of_two_channels_are_two_incidents():
    assert len(group([count(account="a"), count(account="b")], [])) == 2


def test_failed_answers_are_no_part_of_the_incident_of_lost_messages():
    incidents = by_guide(group([count(cause="gap"), count(cause="checkpoint"), count(cause="outbound", n=3)], []))
    assert incidents["loss"].count == 2
    assert incidents["loss_outbound"].count == 3


def test_a_silence_hides_what_follows_from_it_and_counts_it():
    silence = count("channel_silent", cause="silence", wide=1)
    incidents = by_guide(group([silence, count("loss", 5, cause="gap"), count("attachment_failed", 2)], []))
    assert incidents["loss"].hidden_by == incidents["channel_silent"].id
    assert incidents["channel_silent"].hidden == 5
    assert incidents["attachment_failed"].hidden_by is None


def test_lost_authorisation_hides_the_silence_and_failed_answers():
    auth = count("channel_silent", cause="auth", wide=1)
    silence = count("channel_silent", cause="silence", wide=1)
    incidents = by_guide(group([auth, silence, count(cause="outbound", n=4)], []))
    assert {i.guide for i in incidents.values() if i.hidden_by} == {"channel_silent", "loss_outbound"}
    assert incidents["auth"].hidden == 5
    assert incidents["channel_silent"].hidden == 0


def test_a_silence_of_one_channel_hides_nothing_of_another():
    silence = count("channel_silent", cause="silence", wide=1, account="a")
    incidents = group([silence, count(cause="gap", account="b")], [])
    assert [i.hidden_by for i in incidents] == [None, None]


def test_a_silence_that_is_over_hides_nothing():
    silence = count("channel_silent", cause="silence", status="resolved")
    incidents = by_guide(group([count(cause="gap")], [silence]))
    assert incidents["loss"].hidden_by is None


def test_an_incident_is_acknowledged_when_all_that_is_left_of_it_is():
    assert group([count(n=2, status="acknowledged")], [])[0].status == "acknowledged"
    assert group([count(n=2, status="acknowledged"), count(cause="gap")], [])[0].status == "open"


def test_what_is_resolved_comes_after_what_is_open_and_the_severest_first():
    unresolved = [
        count("translation_failed", 9, severity="warning"),
        count("loss", 1, cause="gap"),
        count("notification_missed", 9, severity="warning", status="acknowledged"),
    ]
    opened = [count("duplicate", 50, status="resolved", severity="info")]
    assert [i.kind for i in group(unresolved, opened)] == [
        "loss",
        "translation_failed",
        "notification_missed",
        "duplicate",
    ]


def test_the_id_stays_while_anomalies_come_and_go():
    first = group([count("loss", 1, cause="gap", at=1000)], [])[0]
    later = group([count("loss", 70, cause="reference", at=5000)], [])[0]
    assert first.id == later.id == incident_id("shopee", "a", "loss")
    assert first.id != group([count(account="b")], [])[0].id


counts = st.lists(
    st.builds(
        count,
        kind=st.sampled_from(["loss", "delay", "duplicate", "channel_silent", "notification_missed"]),
        n=st.integers(1, 99),
        status=st.sampled_from(["open", "acknowledged", "resolved"]),
        cause=st.sampled_from(["", "gap", "outbound", "auth", "silence"]),
        account=st.sampled_from(["a", "b"]),
    )
)


@given(counts)
def test_no_anomaly_is_counted_twice_or_left_out(given_counts):
    unresolved = [c for c in given_counts if c.status != "resolved"]
    incidents = group(unresolved, given_counts)
    assert sum(i.count for i in incidents) == sum(c.count for c in given_counts)
    assert sum(i.open for i in incidents) == sum(c.count for c in unresolved)
    assert sum(i.hidden for i in incidents) == sum(i.open for i in incidents if i.hidden_by)
    assert len({i.id for i in incidents}) == len(incidents)


def test_every_guide_has_a_runbook():
    assert {*KINDS, *GUIDES.values()} == set(CURES)
    assert guide_of("loss", None) == "loss"
