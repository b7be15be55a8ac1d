"""Rulings 1 to 13: graces, observed time, identity, spells, thresholds."""

from __future__ import annotations

import pytest

from actors.anomaly import KINDS
from actors.errors import ConfigurationError
from tests.actors.trace import (
    DAY,
    HOUR,
    Found,
    action,
    answer,
    auth,
    checkpoint,
    clock,
    event,
    file_status,
    message,
    notification,
    receipt,
    report_of,
    run,
    seconds,
    thresholds,
    translation,
)

FILE = {"id": "f1", "kind": "image"}
GRACES = [
    ("loss", 20, [message("m1", 0, seq=1), message("m3", 10, seq=3)], message("m2", 0, sent=0, seq=2)),
    ("loss", 20, [message("m1", 10, reply_to="m0")], message("m0", 0, sent=0)),
    ("loss", 20, [checkpoint(10, 0, 9, 1, conversation="c1", messages=["m0"])], message("m0", 0, sent=0)),
    ("loss", 60, [answer("a1", 10)], receipt("a1", 0, "accepted")),
    ("out_of_sync", 30, [clock(0), message("m1", 0), checkpoint(10, 0, 9, 2)], message("m2", 0, sent=5)),
    ("attachment_failed", 60, [message("m1", 10, attachments=[FILE])], file_status("m1", "f1", 0, "ok")),
    ("notification_missed", 15, [message("m1", 10)], notification("m1", 0)),
    ("translation_failed", 20, [message("m1", 10, lang="th")], translation("m1", 0)),
]


@pytest.mark.parametrize(("kind", "grace", "story", "cure"), GRACES)
def test_what_is_observed_at_the_very_end_of_a_grace_is_in_time(kind, grace, story, cure):
    cure = cure | {"at": clock(10 + grace)["at"]}
    assert not run(*story, cure).of(kind)


@pytest.mark.parametrize(("kind", "grace", "story", "cure"), GRACES)
def test_a_millisecond_after_its_grace_an_anomaly_has_opened_at_the_end_of_the_grace(kind, grace, story, cure):
    cure = cure | {"at": clock(10 + grace + 0.001)["at"]}
    anomaly = next(a for a in run(*story, cure).of(kind) if a.opened_at == 10 + grace)
    stays = kind == "out_of_sync" or anomaly.evidence.get("cause") == "outbound"
    assert anomaly.resolved_at == (None if stays else 10 + grace + 0.001)


@pytest.mark.parametrize(("kind", "grace", "story"), [row[:3] for row in GRACES])
def test_without_any_cure_an_anomaly_opens_at_the_end_of_its_grace_and_stays_open(kind, grace, story):
    anomaly = next(a for a in run(*story).of(kind) if a.opened_at == 10 + grace)
    assert (anomaly.status, anomaly.resolved_at, anomaly.resolution) == ("open", None, None)


def test_opened_at_is_the_end_of_the_grace_however_late_the_next_event_comes():
    assert run(message("m1", 0), clock(5000), message("m2", 9000)).of("notification_missed")[0].opened_at == 15


def test_a_gap_grace_starts_when_the_first_higher_message_is_observed():
    found = run(message("m1", 0, seq=1), message("m4", 10, seq=4), message("m5", 25, seq=5), message("m2", 26, seq=2))
    gap = found.one("loss", cause="gap")
    assert (gap.opened_at, gap.evidence["seq"], gap.status) == (30, 3, "open")


def test_a_reference_grace_starts_with_the_first_message_that_names_the_id():
    found = run(message("m1", 10, reply_to="m0"), message("m2", 25, reply_to="m0"))
    assert found.one("loss").opened_at == 30
    assert found.one("loss").since == 10


def test_a_smaller_at_counts_as_the_present_for_every_purpose():
    found = run(clock(100), message("m1", 50, sent=60))
    assert found.one("delay").evidence["delay_s"] == 40
    assert found.one("delay").opened_at == 100
    assert found.one("notification_missed").opened_at == 115


def test_time_is_one_for_all_channels_of_a_trace():
    found = run(message("m1", 100, account="other"), message("m1", 50, sent=60))
    assert found.one("delay").opened_at == 100


def test_a_jump_of_at_is_accepted_as_it_is():
    found = run(message("m1", 0), message("m2", 400 * DAY))
    assert found.report["messages"] == 2


def test_a_sent_at_far_ahead_is_accepted_and_teaches_no_offset():
    found = run(message("m1", 0, sent=601), message("m2", 1, sent=1))
    assert found.report["messages"] == 2
    assert found.report["channels"][0]["clock_offset_s"] == 0
    assert not found.of("delay")


def test_a_sent_at_ten_minutes_ahead_still_teaches_an_offset():
    found = run(message("m1", 0, sent=600), message("m2", 1, sent=1))
    assert found.report["channels"][0]["clock_offset_s"] == -600
    assert found.one("delay").evidence == {"delay_s": 600, "threshold_s": 30, "offset_s": -600}


def test_a_rejected_event_moves_no_clock_and_is_not_remembered():
    bad = message("m2", 500) | {"seq": -1}
    found = Found(report_of([message("m1", 0, reply_to="m2"), bad, message("m3", 1)]))
    assert [r["line"] for r in found.report["rejected"]] == [2]
    assert found.one("loss", cause="reference").status == "open"
    assert max(a.opened_at for a in found.of("notification_missed")) == 16
    assert found.report["channels"][0]["last_at"] == "2026-11-23T00:00:01.000Z"


def test_a_rejected_event_leaves_its_idempotency_key_free():
    bad = auth(0, "expired", event="k") | {"expires_at": "nonsense"}
    found = Found(report_of([bad, auth(1, "expired", event="k")]))
    assert found.one("channel_silent").opened_at == 1


def test_while_one_is_open_no_second_opens_and_a_new_spell_is_a_new_anomaly():
    story = [message("m1", 0), notification("m1", 1, "failed"), notification("m1", 2, "failed")]
    assert len(run(*story).of("notification_missed")) == 1
    story = [auth(0, "expired"), auth(1, "revoked"), auth(2, "ok"), auth(3, "expired"), auth(4, "ok")]
    first, second = run(*story).of("channel_silent")
    assert first.id != second.id
    assert [(a.opened_at, a.resolved_at) for a in (first, second)] == [(0, 2), (3, 4)]


def test_an_id_depends_on_kind_subject_and_spell_only():
    early = run(message("m1", 0), message("m2", 0)).of("notification_missed")
    late = run(clock(0), message("m2", 70, sent=1)).one("notification_missed")
    assert len({a.id for a in early}) == 2
    assert late.id in {a.id for a in early}


def test_the_same_message_id_in_other_conversations_and_channels_is_another_subject():
    found = run(message("m1", 0), message("m1", 0, conversation="c2"), message("m1", 0, account="x"))
    assert found.report["messages"] == 3
    assert len({a.id for a in found.of("notification_missed")}) == 3


def test_the_message_of_an_anomaly_by_kind():
    gap = run(message("m1", 0, seq=1), message("m3", 0, seq=3), message("m2", 30, seq=2)).one("loss")
    assert (gap.message, gap.evidence["seq"], gap.evidence["message"]) == (None, 2, "m2")
    reference = run(message("m1", 0, reply_to="m0")).one("loss")
    assert reference.message == "m0"
    assert "m1" in reference.evidence.values()
    assert run(checkpoint(0, 0, 1, 1, conversation="c1", messages=["m0"])).one("loss").message == "m0"
    assert run(answer("a1", 0)).one("loss").message == "a1"


def test_an_anomaly_names_the_bare_conversation_and_an_sla_row_the_encoded_key():
    found = run(message("m1", 0, conversation="50%/é", account="a/b"))
    assert found.one("notification_missed").conversation == "50%/é"
    assert found.clock("first_response").conversation == "shopee/a%2Fb/50%25%2Fé"


def test_since_is_raw_event_time():
    ahead = [message(f"w{n}", n, sent=n + 100, conversation="c9") for n in range(3)]
    found = run(*ahead, message("m1", 10, sent=5, reply_to="m0"), answer("a1", 10, sent=6))
    assert found.one("loss", cause="reference").since == 5
    assert found.one("loss", cause="outbound").since == 6
    assert run(clock(0), message("m1", 10, sent=5)).one("notification_missed").since == 5
    gap = run(message("m1", 0, seq=1), message("m3", 9, sent=7, seq=3), message("m4", 9, sent=8, seq=4)).one("loss")
    assert gap.since == 7
    named = run(checkpoint(50, 3, 40, 1, conversation="c1", messages=["m0"])).one("loss")
    assert named.since == 3
    sync = run(clock(0), auth(0, "ok"), checkpoint(50, 3, 40, 1)).one("out_of_sync")
    assert sync.since == 3
    assert run(clock(90), auth(8, "expired")).one("channel_silent").since == 90


@pytest.mark.parametrize(
    ("kind", "story", "severity"),
    [
        ("duplicate", [message("m1", 0), message("m1", 1)], "info"),
        ("delay", [message("m1", 299.999, sent=0)], "info"),
        ("delay", [message("m1", 300, sent=0)], "warning"),
        ("attachment_failed", [message("m1", 0, attachments=[FILE])], "warning"),
        ("notification_missed", [message("m1", 0)], "warning"),
        ("translation_failed", [message("m1", 0, lang="th")], "warning"),
        ("out_of_sync", [auth(0, "ok"), checkpoint(0, 0, 9, 1)], "warning"),
        ("loss", [message("m1", 0, seq=1), message("m3", 0, seq=3)], "critical"),
        ("loss", [message("m1", 0, reply_to="m0")], "critical"),
        ("loss", [checkpoint(0, 0, 9, 1, conversation="c1", messages=["m0"])], "critical"),
        ("loss", [answer("a1", 0)], "critical"),
        ("channel_silent", [auth(0, "expired")], "critical"),
        ("channel_silent", [auth(0, "revoked")], "critical"),
    ],
)
def test_severity_by_kind(kind, story, severity):
    assert run(*story).one(kind).severity == severity


@pytest.mark.parametrize(
    ("kind", "story", "severity"),
    [
        ("duplicate", [message("m1", 0, vip=True), message("m1", 1, vip=True)], "warning"),
        ("delay", [message("m1", 299.999, sent=0, vip=True)], "warning"),
        ("delay", [message("m1", 300, sent=0, vip=True)], "critical"),
        ("attachment_failed", [message("m1", 0, attachments=[FILE], vip=True)], "critical"),
        ("notification_missed", [message("m1", 0, vip=True)], "critical"),
        ("translation_failed", [message("m1", 0, lang="th", vip=True)], "critical"),
        ("loss", [answer("a1", 0, vip=True)], "critical"),
        ("loss", [message("m1", 0, reply_to="m0", vip=True)], "critical"),
    ],
)
def test_vip_raises_one_step_and_never_above_critical(kind, story, severity):
    assert run(*story).one(kind).severity == severity


def test_every_anomaly_says_what_to_do_next():
    found = run(
        message("m1", 60, sent=0, lang="th", attachments=[FILE], reply_to="m0"), answer("a1", 80), auth(80, "expired")
    )
    assert {a.kind for a in found.anomalies} | {"duplicate", "out_of_sync"} == set(KINDS)
    for anomaly in found.anomalies:
        assert anomaly.actions
        for step in anomaly.actions:
            assert set(step) == {"action", "text_key", "tried_at", "result"}


def test_a_threshold_is_set_for_all_for_a_platform_or_for_one_account():
    story = [
        message("m1", 10, sent=0),
        message("m1", 10, sent=0, account="us"),
        message("m1", 10, sent=0, platform="ebay", account="us"),
        message("m1", 10, sent=0, platform="lazada"),
    ]
    settings = [
        "delay.threshold_s=9",
        "shopee:delay.threshold_s=11",
        "shopee/us:delay.threshold_s=8",
        "ebay:delay.threshold_s=12",
    ]
    late = [(a.platform, a.account, a.evidence["threshold_s"]) for a in run(*story, settings=settings).of("delay")]
    assert sorted(late) == [("lazada", "sg-1", 9), ("shopee", "us", 8)]


@pytest.mark.parametrize(
    "text",
    [
        "delay.treshold_s=3",
        "shopee:nothing=1",
        "delay.threshold_s",
        "delay.threshold_s=x",
        "delay.threshold_s=-1",
        ":loss.grace_s=1",
    ],
)
def test_a_wrong_assignment_is_an_error(text):
    with pytest.raises(ConfigurationError):
        thresholds(text)


def test_graces_use_their_thresholds():
    settings = [
        "loss.grace_s=1",
        "loss.outbound_grace_s=2",
        "attachment.grace_s=3",
        "notification.grace_s=4",
        "translation.grace_s=5",
    ]
    found = run(message("m1", 0, reply_to="m0", attachments=[FILE], lang="th"), answer("a1", 4.5), settings=settings)
    assert [(a.kind, a.opened_at) for a in found.anomalies] == [
        ("loss", 1),
        ("attachment_failed", 3),
        ("notification_missed", 4),
        ("translation_failed", 5),
        ("loss", 6.5),
    ]


def test_timers_up_to_and_including_a_day_after_the_last_event_fire():
    found = run(message("m1", 0), settings=["notification.grace_s=86400", "attachment.grace_s=86400"])
    assert found.one("notification_missed").opened_at == DAY
    assert not run(message("m1", 0), settings=["notification.grace_s=86400.001"]).of("notification_missed")
    resolution = run(message("m1", 0)).clock("resolution")
    assert resolution.breached_at == DAY


def test_an_anomaly_can_be_acknowledged_and_resolved_by_hand():
    identity = run(message("m1", 0)).one("notification_missed").id
    story = [
        message("m1", 0),
        action(20, "acknowledged", anomaly=identity, agent="ann"),
        action(30, "resolved", anomaly=identity, agent="ann"),
    ]
    assert run(*story[:2]).one("notification_missed").status == "acknowledged"
    done = run(*story).one("notification_missed")
    assert (done.status, done.resolution, done.resolved_at) == ("resolved", "manual", 30)


def test_an_acknowledged_anomaly_still_resolves_by_itself():
    identity = run(message("m1", 0)).one("notification_missed").id
    found = run(message("m1", 0), action(20, "acknowledged", anomaly=identity), notification("m1", 25))
    assert found.one("notification_missed").resolution == "fired"


def test_edits_and_deletions_open_nothing():
    found = run(
        answer("a1", 0),
        receipt("a1", 1, "read"),
        event("edit", 2, conversation="c1", message="a1", text="b"),
        event("delete", 3, conversation="c1", message="zz"),
    )
    assert found.anomalies == []
    assert found.report["events"] == 4


def test_a_repeated_event_key_does_nothing_for_seven_days_and_counts_as_duplicate_in_the_ledger_only():
    week = 7 * DAY
    story = [auth(0, "expired", event="k"), auth(1, "ok"), auth(week, "expired", event="k")]
    found = run(*story)
    assert len(found.of("channel_silent")) == 1
    assert found.report["duplicates"] == 0
    assert found.report["ledger"]["duplicates"] == 1
    assert found.report["ledger"]["stored"] == 2
    story[2] |= {"at": clock(week + 0.001)["at"]}
    assert len(run(*story).of("channel_silent")) == 2


def test_event_keys_are_told_apart_by_channel_and_type():
    found = run(
        message("m1", 0),
        notification("m1", 1, event="k"),
        translation("m1", 1, event="k"),
        auth(1, "expired", event="k"),
        auth(1, "expired", event="k", account="x"),
    )
    assert found.report["ledger"]["duplicates"] == 0
    assert len(found.of("channel_silent")) == 2


def test_an_event_key_on_a_message_is_ignored():
    found = run(message("m1", 0, event="k"), message("m2", 1, event="k"))
    assert (found.report["messages"], found.report["duplicates"], found.report["ledger"]["duplicates"]) == (2, 0, 0)


def test_an_event_without_a_key_is_applied_again():
    story = [message("m1", 0), notification("m1", 1, "failed"), notification("m1", 2), notification("m1", 3, "failed")]
    assert len(run(*story).of("notification_missed")) == 1
    assert run(auth(0, "expired"), auth(1, "ok"), auth(2, "expired")).of("channel_silent")[1].opened_at == 2


def test_times_in_the_report_are_utc_with_milliseconds():
    record = run(message("m1", 60.5, sent=0)).report["anomalies"][0]
    assert record["opened_at"] == "2026-11-23T00:01:00.500Z"
    assert seconds(record["since"]) == 0
    assert HOUR == 3600
