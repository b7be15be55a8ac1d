"""`loss` of what we send: rulings 2, 26 and 27."""

from __future__ import annotations

import pytest

from tests.actors.trace import DAY, answer, message, receipt, run


def outbound(found):
    return found.of("loss", cause="outbound")


def test_no_receipt_at_all_within_the_grace_is_a_loss():
    loss = run(answer("a1", 10, sent=8)).one("loss")
    assert (loss.evidence["status"], loss.opened_at, loss.since, loss.message) == ("none", 70, 8, "a1")


@pytest.mark.parametrize("status", ["accepted", "delivered", "read"])
def test_any_receipt_ends_the_grace(status):
    assert not run(answer("a1", 0), receipt("a1", 60, status)).of("loss")


def test_a_failed_receipt_opens_whenever_it_comes():
    loss = run(answer("a1", 0), receipt("a1", 5, "failed", error={"code": 7, "reason": "blocked"})).one("loss")
    assert (loss.evidence["status"], loss.opened_at) == ("failed", 5)
    late = run(answer("a1", 0), receipt("a1", 5, "accepted"), receipt("a1", 500, "failed")).one("loss")
    assert late.opened_at == 500


@pytest.mark.parametrize("good", ["delivered", "read"])
def test_a_failed_receipt_after_a_good_one_opens_nothing(good):
    assert not run(answer("a1", 0), receipt("a1", 5, good), receipt("a1", 6, "failed")).of("loss")


@pytest.mark.parametrize("good", ["delivered", "read"])
def test_a_later_good_receipt_resolves(good):
    for bad in (receipt("a1", 5, "failed"), receipt("zz", 61, "accepted")):
        loss = run(answer("a1", 0), bad, receipt("a1", 99, good)).one("loss")
        assert (loss.resolution, loss.resolved_at) == ("delivered", 99)


def test_accepted_alone_does_not_resolve():
    assert run(answer("a1", 0), receipt("a1", 5, "failed"), receipt("a1", 9, "accepted")).one("loss").status == "open"


@pytest.mark.parametrize("good", ["delivered", "read"])
def test_a_re_send_that_gets_through_resolves_the_first(good):
    found = run(answer("a1", 0), receipt("a1", 5, "failed"), answer("a2", 10, resend_of="a1"), receipt("a2", 12, good))
    assert (found.one("loss").resolution, found.one("loss").resolved_at) == ("resent", 12)


@pytest.mark.parametrize("status", ["accepted", "failed"])
def test_a_re_send_that_does_not_get_through_resolves_nothing(status):
    found = run(
        answer("a1", 0), receipt("a1", 5, "failed"), answer("a2", 10, resend_of="a1"), receipt("a2", 12, status)
    )
    assert next(a for a in outbound(found) if a.message == "a1").status == "open"


def test_a_receipt_for_an_inbound_message_is_ignored():
    found = run(message("m1", 0), receipt("m1", 1, "failed"))
    assert not found.of("loss")
    assert found.report["ledger"]["stored"] == 2


@pytest.mark.parametrize(("status", "expected"), [("accepted", []), ("delivered", []), ("failed", ["failed"])])
def test_a_receipt_before_its_message_is_kept_for_it(status, expected):
    found = run(receipt("a1", 0, status), answer("a1", 7 * DAY))
    assert [a.evidence["status"] for a in outbound(found)] == expected
    assert [a.opened_at for a in outbound(found)] == [7 * DAY] * len(expected)


def test_a_receipt_is_kept_for_its_message_no_longer_than_seven_days():
    found = run(receipt("a1", 0, "delivered"), answer("a1", 7 * DAY + 0.001))
    assert found.one("loss").evidence["status"] == "none"


def test_early_receipts_keep_their_order():
    found = run(receipt("a1", 0, "delivered"), receipt("a1", 1, "failed"), answer("a1", 2))
    assert not found.of("loss")


def test_a_receipt_for_a_message_that_never_comes_is_no_anomaly():
    assert run(receipt("a1", 0, "failed")).anomalies == []


@pytest.mark.parametrize("role", ["agent", "bot", "system", None])
def test_whoever_wrote_it_an_outbound_message_needs_a_receipt(role):
    assert run(answer("a1", 0, role=role)).one("loss").evidence["cause"] == "outbound"


def test_fetched_history_needs_no_receipt():
    assert run(answer("a1", 0, history=True), receipt("a1", 1, "failed")).anomalies == []


def test_a_good_receipt_months_later_still_resolves():
    found = run(answer("a1", 0), message("m1", 9 * DAY), receipt("a1", 10 * DAY, "delivered"))
    assert found.one("loss", cause="outbound").resolution == "delivered"
