"""`attachment_failed`: ruling 38."""

from __future__ import annotations

import pytest

from tests.actors.trace import Found, answer, file_status, message, report_of, run


def with_files(*names, name="m1", at=0, **fields):
    return message(name, at, attachments=[{"id": n, "kind": "image"} for n in names], **fields)


def failed(*events, **options):
    return run(*events, **options).of("attachment_failed")


def test_no_status_within_the_grace_opens():
    (found,) = failed(with_files("f1", at=10, sent=8))
    assert (found.opened_at, found.since, found.message) == (70, 8, "m1")
    assert found.evidence["attachment"] == "f1"
    assert found.evidence["status"] == "none"


@pytest.mark.parametrize("status", ["failed", "expired", "unsupported", "too_large", "corrupt"])
def test_any_status_but_ok_opens_at_once(status):
    (found,) = failed(with_files("f1"), file_status("m1", "f1", 5, status))
    assert (found.opened_at, found.evidence["status"], found.status) == (5, status, "open")


def test_a_later_ok_resolves():
    (found,) = failed(with_files("f1"), file_status("m1", "f1", 5, "failed"), file_status("m1", "f1", 99, "ok"))
    assert (found.resolution, found.resolved_at) == ("recovered", 99)
    (found,) = failed(with_files("f1"), file_status("m1", "f1", 99, "ok"))
    assert (found.opened_at, found.resolution) == (60, "recovered")


def test_two_bad_attachments_are_two_anomalies():
    one, other = failed(with_files("f1", "f2"), file_status("m1", "f1", 99, "ok"))
    assert one.id != other.id
    assert {a.evidence["attachment"]: a.status for a in (one, other)} == {"f1": "resolved", "f2": "open"}


def test_ok_and_later_another_status_opens():
    (found,) = failed(with_files("f1"), file_status("m1", "f1", 5, "ok"), file_status("m1", "f1", 500, "expired"))
    assert found.opened_at == 500


def test_attachments_of_outbound_messages_are_not_awaited():
    files = [{"id": "f1"}]
    assert not failed(answer("a1", 0, attachments=files))
    assert failed(answer("a1", 0, attachments=files), file_status("a1", "f1", 5, "failed"))[0].message == "a1"


def test_a_status_for_an_unlisted_attachment_is_kept_without_anomaly():
    found = run(with_files("f1"), file_status("m1", "f1", 1, "ok"), file_status("m1", "f9", 1, "failed"))
    assert not found.of("attachment_failed")
    assert found.report["ledger"]["stored"] == 3


def test_a_status_before_its_message_is_kept_for_it():
    assert not failed(file_status("m1", "f1", 0, "ok"), with_files("f1", at=9))
    assert failed(file_status("m1", "f1", 0, "corrupt"), with_files("f1", at=9))[0].opened_at == 9
    assert not failed(file_status("m1", "f1", 0, "failed"))


def test_the_files_of_fetched_history_are_not_judged():
    assert not failed(with_files("f1", history=True), file_status("m1", "f1", 5, "failed"))


def test_an_attachment_needs_an_id():
    found = Found(report_of([message("m1", 0, attachments=[{"kind": "image"}])]))
    assert len(found.report["rejected"]) == 1


def test_names_with_odd_characters_are_told_apart():
    (found,) = failed(with_files("f\x1f1", name="m\x1f1"))
    assert (found.message, found.evidence["attachment"]) == ("m\x1f1", "f\x1f1")


def test_the_grace_can_be_switched_off():
    assert not failed(with_files("f1"), settings=["attachment.grace_s=off"])
