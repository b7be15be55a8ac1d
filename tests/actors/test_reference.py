"""`loss` by name, from replies and checkpoints: rulings 7, 23 and 25."""

from __future__ import annotations

from tests.actors.trace import DAY, HOUR, Found, checkpoint, message, report_of, run


def test_a_reply_to_a_message_never_seen_is_a_loss():
    loss = run(message("m1", 10, sent=9, reply_to="m0")).one("loss")
    assert (loss.evidence["cause"], loss.message, loss.since, loss.opened_at) == ("reference", "m0", 9, 30)


def test_it_resolves_when_the_message_arrives():
    late = run(message("m1", 0, reply_to="m0"), message("m0", 50)).one("loss")
    assert (late.resolution, late.resolved_at) == ("arrived_late", 50)
    assert run(message("m1", 0, reply_to="m0"), message("m0", 50, via="resync")).one("loss").resolution == "resynced"


def test_one_anomaly_however_often_and_by_whatever_the_id_is_named():
    found = run(
        message("m1", 0, reply_to="m0"),
        checkpoint(1, 0, 5, 1, conversation="c1", messages=["m0"]),
        message("m2", 2, reply_to="m0"),
        message("m3", 60, reply_to="m0"),
        checkpoint(70, 0, 5, 1, conversation="c1", messages=["m0"]),
    )
    assert found.one("loss").opened_at == 20
    assert found.one("loss").evidence["cause"] == "reference"


def test_a_reply_is_looked_up_in_its_own_conversation():
    assert run(message("m0", 0, conversation="c2"), message("m1", 0, reply_to="m0")).one("loss").message == "m0"


def test_a_reply_to_itself_is_ignored():
    assert not run(message("m1", 0, reply_to="m1")).of("loss")


def test_a_reply_to_a_merged_message_is_fine():
    body = {"text": "where is my parcel", "sender": {"id": "u1"}}
    assert not run(message("m1", 0, **body), message("m2", 1, **body), message("m3", 2, reply_to="m2")).of("loss")


def test_an_answer_that_quotes_a_message_never_seen_tells_of_a_loss_too():
    assert run(message("m1", 0, direction="out", reply_to="m0")).one("loss", cause="reference").message == "m0"


def test_the_first_hour_of_a_conversation_joined_in_the_middle_is_not_judged():
    joined = message("m7", 0, seq=7, reply_to="m3")
    assert not run(joined).of("loss")
    assert not run(joined, message("m8", HOUR, seq=8, reply_to="m4")).of("loss")
    assert run(joined, message("m8", HOUR + 0.001, seq=8, reply_to="m4")).one("loss").message == "m4"
    assert run(message("m1", 0, seq=1, reply_to="m0")).one("loss").message == "m0"


def test_history_names_nothing_that_is_missed():
    assert not run(message("m1", 0, reply_to="m0", history=True)).of("loss")


def test_a_checkpoint_that_names_what_was_never_seen_tells_of_one_loss_each():
    found = run(message("m1", 0), checkpoint(10, 2, 9, 3, conversation="c1", messages=["m1", "m2", "m3"]))
    assert sorted(a.message for a in found.of("loss")) == ["m2", "m3"]
    assert {(a.evidence["cause"], a.opened_at, a.since) for a in found.of("loss")} == {("checkpoint", 30, 2)}


def test_what_a_sweep_finds_missing_is_a_loss_though_it_is_brought_back_at_once():
    swept = checkpoint(200, 9, 9.001, 1, conversation="c1", messages=["m2"], found_by="sweep")
    found = run(message("m1", 0), swept, message("m2", 200, sent=9, via="resync"))
    loss = found.one("loss")
    assert (loss.message, loss.since, loss.opened_at) == ("m2", 9, 200)
    assert (loss.status, loss.resolution, loss.resolved_at) == ("resolved", "resynced", 200)
    assert loss.evidence == {"cause": "checkpoint", "found_by": "sweep"}


def test_what_a_sweep_names_and_weir_has_is_no_loss():
    swept = checkpoint(200, 0, 10, 2, conversation="c1", messages=["m1", "m2"], found_by="sweep")
    assert not run(message("m1", 0), message("m2", 9), swept, message("m2", 201, via="resync")).of("loss")


def test_a_sweep_does_not_wait_for_the_grace_of_a_reply_that_named_the_message():
    swept = checkpoint(5, 0, 1, 1, conversation="c1", messages=["m0"], found_by="sweep")
    found = run(message("m1", 0, reply_to="m0"), swept, message("m0", 6, sent=0, via="resync"))
    assert (found.one("loss").opened_at, found.one("loss").resolution) == (5, "resynced")
    assert run(message("m1", 0, reply_to="m0"), swept, swept, message("m2", 90)).one("loss").opened_at == 5


def test_a_checkpoint_that_names_ids_is_never_out_of_sync():
    story = [message("m1", 0), message("m2", 0), checkpoint(10, 0, 9, 1, conversation="c1", messages=["m1"])]
    found = run(*story)
    assert not found.of("out_of_sync")
    assert not found.of("loss")


def test_ids_that_aged_out_are_still_known():
    story = [message("m1", 0), message("m2", 8 * DAY), checkpoint(8 * DAY, 0, 9, 1, conversation="c1", messages=["m1"])]
    assert not run(*story).of("loss")


def test_a_checkpoint_of_ids_without_a_conversation_or_with_another_count_is_rejected():
    found = Found(
        report_of(
            [
                checkpoint(0, 0, 9, 1, messages=["m1"]),
                checkpoint(0, 0, 9, 2, conversation="c1", messages=["m1"]),
                checkpoint(0, 0, 9, 0, conversation="c1", messages=[]),
            ]
        )
    )
    assert [r["line"] for r in found.report["rejected"]] == [1, 2]
    assert not found.of("loss")


def test_what_was_lost_twice_is_two_anomalies():
    story = [
        message("m1", 0, reply_to="m0"),
        message("m0", 50),
    ]
    assert run(*story).one("loss").status == "resolved"
