"""`channel_silent`: rulings 44 to 48."""

from __future__ import annotations

from math import ceil, exp, log

import pytest

from tests.actors.trace import DAY, HOUR, answer, auth, clock, message, run

NEED = -log(1e-6)


def regular(count, every, *, start=0, **fields):
    """So many messages, one every so many seconds."""
    return [message(f"r{start}-{n}", start + n * every, **fields) for n in range(count)]


def silences(*events, **options):
    return [a for a in run(*events, **options).of("channel_silent") if a.evidence.get("cause") != "auth"]


def first_silent(messages, lived_s):
    """Seconds after the last message at which the chance falls below one in a million, at a steady rate; whole ms."""
    return ceil(NEED / (messages / (lived_s * 1000))) / 1000


def test_a_channel_is_silent_from_the_instant_at_which_that_is_too_unlikely():
    story = regular(50, 10)
    due = 490 + first_silent(50, 490)
    (found,) = silences(*story, clock(due + 0.001))
    assert found.opened_at == due
    assert (found.since, found.conversation, found.message, found.severity) == (490, None, None, "critical")
    assert found.evidence["expected"] == pytest.approx(NEED, abs=0.01)
    assert found.evidence["probability"] == pytest.approx(1e-6, rel=0.01)
    assert found.evidence["probability"] == pytest.approx(exp(-found.evidence["expected"]), rel=0.01)
    assert not silences(*story, clock(due))


def test_fifty_messages_are_learned_before_anything_is_judged():
    assert not silences(*regular(49, 10), clock(DAY))
    assert silences(*regular(50, 10), clock(3000))


def test_speaking_again_resolves_and_a_new_silence_is_a_new_anomaly():
    found = silences(*regular(50, 10), message("x", 3000), clock(3 * DAY))
    assert [(a.status, a.resolution, a.resolved_at) for a in found] == [
        ("resolved", "spoke", 3000),
        ("open", None, None),
    ]
    assert found[0].id != found[1].id


def test_an_answer_a_duplicate_or_a_receipt_is_not_speaking():
    story = [*regular(50, 10), answer("a1", 700), message("r0-49", 701, sent=490), clock(3000)]
    (found,) = silences(*story)
    assert found.status == "open"
    assert found.since == 490


def test_answers_and_duplicates_are_not_learned():
    story = regular(49, 10)
    assert not silences(
        *story, *[answer(f"a{n}", 500 + n) for n in range(9)], *[message("r0-1", 510, sent=10)] * 9, clock(DAY)
    )


def test_the_rate_is_of_the_hour_of_the_day():
    # Sixty in the first hour of the day, none in the others: lived through, their rate is nought.
    story = [*regular(60, 60), *regular(60, 60, start=DAY)]
    assert not silences(*story, clock(2 * DAY - 1))
    rate = 120 / (HOUR + 3540)  # lived up to the last message
    due = 2 * DAY + (NEED - rate * 60) / rate
    (found,) = silences(*story, clock(2 * DAY + HOUR))
    assert found.opened_at == pytest.approx(due, abs=0.01)


def test_an_hour_never_lived_through_has_no_rate():
    story = regular(50, 10, start=3000)  # within the first hour of the day, up to 3490
    assert not silences(*story, clock(DAY - 1))
    assert silences(*story, clock(DAY + HOUR))


def test_time_before_the_first_message_of_a_channel_is_lived_too():
    quiet = [auth(0, "ok"), *regular(50, 10, start=3000)]
    assert not silences(*quiet, clock(3599))
    assert silences(*regular(50, 10, start=3000), clock(3490 + first_silent(50, 490) - 3600 + 3600 + DAY + 1))


def test_it_is_never_judged_before_a_minute():
    (found,) = silences(*regular(100, 0.5), clock(2000))
    assert found.opened_at == 49.5 + 60
    (found,) = silences(*regular(100, 0.5), clock(2000), settings=["silence.min_s=90"])
    assert found.opened_at == 49.5 + 90


def test_silence_is_not_judged_after_the_last_event_of_a_trace():
    assert not silences(*regular(50, 10))
    assert not silences(*regular(50, 10), clock(500))
    assert silences(*regular(50, 10), message("x", 3000, account="elsewhere"))


def test_the_chance_and_the_messages_to_learn_are_thresholds():
    story = regular(20, 10)
    settings = ["silence.min_messages=20", "silence.probability=0.001"]
    (found,) = silences(*story, clock(3000), settings=settings)
    assert found.opened_at == pytest.approx(190 - log(0.001) * 190 / 20, abs=0.01)
    assert not silences(*regular(50, 10), clock(3000), settings=["silence.probability=off"])


def test_the_next_silence_is_judged_by_what_was_learned_meanwhile():
    story = [*regular(50, 10), *regular(50, 1, start=500)]
    (found,) = silences(*story, clock(3000))
    assert found.opened_at == pytest.approx(549 + NEED * 549 / 100, abs=0.01)


def auths(*events):
    return [a for a in run(*events).of("channel_silent") if a.evidence.get("cause") != "silence"]


@pytest.mark.parametrize("status", ["expired", "revoked"])
def test_a_lost_authorisation_opens_on_a_channel_never_heard_too(status):
    (found,) = auths(auth(5, status))
    assert (found.opened_at, found.since, found.status, found.evidence["status"]) == (5, 5, "open", status)


@pytest.mark.parametrize("status", ["ok", "expiring"])
def test_a_sound_authorisation_opens_nothing(status):
    assert not auths(auth(5, status))


def test_only_ok_resolves_it():
    story = [auth(5, "expired"), message("m1", 6), auth(7, "expiring"), auth(8, "revoked")]
    assert auths(*story)[0].status == "open"
    (found,) = auths(*story, auth(9, "ok"))
    assert (found.resolution, found.resolved_at) == ("authorised", 9)


def test_silence_and_authorisation_are_two_anomalies():
    found = run(*regular(50, 10), auth(491, "expired"), clock(3000)).of("channel_silent")
    assert len(found) == 2
    assert len({a.id for a in found}) == 2


def test_the_end_of_an_authorisation_counts_as_expired():
    at = clock(100)["at"]
    for status in ("ok", "expiring"):
        (found,) = auths(auth(5, status, expires_at=at))
        assert (found.opened_at, found.since, found.evidence["status"]) == (100, 100, "expired")
        assert not auths(auth(5, status, expires_at=at), auth(100, "ok"))
        assert auths(auth(5, status, expires_at=at), auth(101, "ok"))[0].resolved_at == 101


def test_expiring_without_a_time_does_not_make_us_forget_the_time():
    at = clock(100)["at"]
    assert auths(auth(5, "ok", expires_at=at), auth(50, "expiring"))[0].opened_at == 100


def test_an_authorisation_that_had_ended_when_we_heard_of_it_opens_at_once():
    (found,) = auths(auth(5, "ok", expires_at=clock(4)["at"]))
    assert found.opened_at == 5


def test_failing_signatures_are_an_anomaly_of_their_own():
    why = {"extra": {"reason": "signatures"}}
    story = [auth(5, "revoked", **why), auth(6, "revoked", **why), auth(7, "ok"), auth(8, "expired")]
    failing, lost = auths(*story)
    assert (failing.status, failing.opened_at, failing.evidence["reason"]) == ("open", 5, "signatures")
    assert "reason" not in lost.evidence
    failing, lost = auths(*story, auth(9, "ok", **why))
    assert (failing.resolution, failing.resolved_at, lost.status) == ("authorised", 9, "open")


def test_signatures_tell_nothing_of_the_authorisation():
    at = clock(100)["at"]
    story = [auth(5, "ok", expires_at=at), auth(50, "ok", extra={"reason": "signatures"})]
    assert auths(*story)[0].opened_at == 100


@pytest.mark.parametrize("extra", [None, "signatures", ["signatures"], {"reason": ["signatures"]}, {"reason": 1}])
def test_another_reason_is_none_at_all(extra):
    (found,) = auths(auth(5, "revoked", extra=extra))
    assert "reason" not in found.evidence
