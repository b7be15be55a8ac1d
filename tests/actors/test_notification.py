"""`notification_missed`: rulings 39 to 42."""

from __future__ import annotations

import pytest

from tests.actors.trace import action, answer, message, notification, run


def missed(*events, **options):
    return run(*events, **options).of("notification_missed")


def test_nothing_fired_within_the_grace_opens():
    (found,) = missed(message("m1", 10, sent=9))
    assert (found.opened_at, found.since, found.message, found.evidence["status"]) == (25, 9, "m1", "none")


@pytest.mark.parametrize("medium", ["desktop", "mobile", "email", "webhook"])
def test_fired_on_any_medium_settles_the_message(medium):
    fired = notification("m1", 15) | {"medium": medium}
    assert not missed(message("m1", 0), fired)
    assert not missed(message("m1", 0), fired, notification("m1", 20, "failed"))


def test_failed_opens_at_once_while_none_has_fired():
    (found,) = missed(message("m1", 0), notification("m1", 3, "failed"))
    assert (found.opened_at, found.evidence["status"]) == (3, "failed")


def test_a_later_fired_resolves():
    for story in ([notification("m1", 3, "failed")], []):
        (found,) = missed(message("m1", 0), *story, notification("m1", 99))
        assert (found.resolution, found.resolved_at) == ("fired", 99)


def test_opening_the_conversation_resolves_and_settles():
    (found,) = missed(message("m1", 0), action(99, "opened"))
    assert (found.resolution, found.resolved_at) == ("opened", 99)
    assert not missed(message("m1", 0), action(15, "opened"))
    assert not missed(message("m1", 0), action(10, "opened"), notification("m1", 11, "failed"))


def test_seen_counts_as_opened_and_as_fired():
    assert missed(message("m1", 0), notification("m1", 99, "seen"))[0].resolution == "opened"
    assert not missed(message("m1", 0), notification("m1", 15, "seen"))
    assert not missed(message("m1", 0), notification("m1", 5, "seen"), notification("m1", 6, "failed"))


def test_only_what_came_before_the_opening_is_opened():
    (found,) = missed(message("m1", 0), action(5, "opened"), message("m2", 6))
    assert found.message == "m2"


def test_another_conversation_opened_settles_nothing():
    assert missed(message("m1", 0), action(5, "opened", conversation="c2"))


@pytest.mark.parametrize("role", ["agent", None])
def test_an_answer_resolves_and_settles(role):
    assert missed(message("m1", 0), answer("a1", 99, role=role))[0].resolution == "answered"
    assert not missed(message("m1", 0), answer("a1", 15, role=role))


@pytest.mark.parametrize("role", ["bot", "system"])
def test_only_an_agents_message_answers(role):
    assert missed(message("m1", 0), answer("a1", 10, role=role))[0].status == "open"


@pytest.mark.parametrize(("role", "expected"), [("customer", 1), (None, 1), ("agent", 0), ("bot", 0), ("system", 0)])
def test_a_customers_message_has_the_role_customer_or_none(role, expected):
    sender = {"id": "u1", "role": role} if role else {"id": "u1"}
    assert len(missed(message("m1", 0, sender=sender))) == expected
    assert len(run(message("m1", 0, sender=sender)).clocks("first_response")) == expected


def test_answers_and_history_need_no_notification():
    assert not missed(answer("a1", 0), message("m1", 0, history=True), notification("m1", 1, "failed"))


def test_a_notification_before_its_message_is_kept_for_it():
    assert not missed(notification("m1", 0), message("m1", 9))
    assert missed(notification("m1", 0, "failed"), message("m1", 9))[0].opened_at == 9
    assert not missed(notification("m1", 0, "failed"))


def test_each_message_is_told_of_by_itself():
    (found,) = missed(message("m1", 0), message("m2", 0), notification("m1", 1))
    assert found.message == "m2"
