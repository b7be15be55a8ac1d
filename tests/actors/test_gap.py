"""`loss` by sequence number: rulings 18 to 21 and 24."""

from __future__ import annotations

import pytest

from actors.detectors.gap import LONGEST_JUMP
from tests.actors.trace import checkpoint, clock, message, run


def numbered(*numbers, at=0, step=0):
    return [message(f"s{n}", at + i * step, seq=n) for i, n in enumerate(numbers)]


def missing(found):
    return [a.evidence["seq"] for a in found.of("loss")]


def test_several_numbers_in_one_gap_are_one_anomaly_each_and_resolve_alone():
    found = run(*numbered(1, 5), message("late", 50, seq=3))
    assert missing(found) == sorted(missing(found), key=lambda n: found.one("loss", seq=n).id)
    assert sorted(missing(found)) == [2, 3, 4]
    gap = found.one("loss", seq=3)
    assert (gap.resolution, gap.resolved_at, gap.evidence) == (
        "arrived_late",
        50,
        {"seq": 3, "cause": "gap", "message": "late"},
    )
    assert found.one("loss", seq=2).status == "open"


def test_a_re_sync_that_brings_the_message_resolves_as_resynced():
    found = run(*numbered(1, 3), message("late", 50, seq=2, via="resync"))
    assert found.one("loss").resolution == "resynced"


@pytest.mark.parametrize("order", [(3, 1, 2), (2, 3, 1), (1, 3, 2), (5, 9, 8, 7, 6)])
def test_messages_may_arrive_in_any_order_within_the_grace(order):
    assert not run(*numbered(*order, step=1)).of("loss")


def test_numbers_below_the_first_one_seen_are_never_missing():
    assert not run(*numbered(100, 101, 50)).of("loss")


def test_zero_is_a_number():
    assert missing(run(*numbered(0, 2))) == [1]


def test_messages_without_a_number_are_ignored():
    assert not run(*numbered(1), message("x", 1), *numbered(2)).of("loss")


def test_a_second_id_with_a_known_number_is_ignored():
    assert not run(*numbered(1, 2), message("again", 1, seq=2), *numbered(3)).of("loss")
    assert missing(run(*numbered(1, 3), message("again", 1, seq=3))) == [2]


@pytest.mark.parametrize(("jump", "restarts"), [(1000, False), (1001, True)])
def test_a_jump_of_more_than_a_thousand_starts_anew_and_is_one_out_of_sync(jump, restarts):
    found = run(*numbered(5, 5 + jump), *numbered(6 + jump, 8 + jump, at=1))
    if restarts:
        sync = found.one("out_of_sync")
        assert (sync.evidence["ours"], sync.evidence["theirs"]) == (5, 5 + jump)
        assert (sync.opened_at, sync.conversation) == (0, "c1")
        assert missing(found) == [7 + jump]
    else:
        assert not found.of("out_of_sync")
        assert len(missing(found)) == jump - 1 + 1
    assert LONGEST_JUMP == 1000


def test_a_jump_is_closed_by_a_checkpoint_of_the_conversation_that_agrees():
    story = [*numbered(5), *numbered(1006, at=1)]
    assert run(*story, checkpoint(10, 0, 9, 3, conversation="c1")).of("out_of_sync")[0].status == "open"
    assert run(*story, checkpoint(10, 2, 9, 0, conversation="c1")).one("out_of_sync").status == "open"
    assert run(*story, checkpoint(10, 0, 9, 2, conversation="c1")).one("out_of_sync").resolution == "agreed"


def test_a_number_awaited_before_a_jump_may_still_come_in_time():
    found = run(*numbered(1, 3), *numbered(9000, at=1), message("s2", 2, seq=2))
    assert not found.of("loss")


def test_a_number_lost_before_a_jump_still_resolves_when_it_comes():
    found = run(*numbered(1, 3), clock(30), *numbered(9000, at=31), message("s2", 40, seq=2))
    assert found.one("loss").resolution == "arrived_late"


def test_a_checkpoint_makes_numbers_below_the_first_one_seen_expected():
    found = run(*numbered(3), checkpoint(10, 5, 9, 3, conversation="c1", first_seq=1, last_seq=3))
    assert sorted(missing(found)) == [1, 2]
    gap = found.one("loss", seq=1)
    assert (gap.opened_at, gap.evidence["cause"], gap.message) == (30, "gap", None)


def test_a_checkpoint_makes_numbers_above_the_last_one_seen_expected():
    story = [*numbered(3), checkpoint(10, 5, 9, 3, conversation="c1", first_seq=3, last_seq=5)]
    assert sorted(missing(run(*story))) == [4, 5]
    assert missing(run(*story, message("s5", 20, seq=5))) == [4]
    assert run(*story, message("s4", 50, seq=4)).one("loss", seq=4).resolution == "arrived_late"


def test_a_checkpoint_with_the_last_number_only_expects_everything_up_to_it():
    found = run(*numbered(3), checkpoint(10, 5, 9, 3, conversation="c1", last_seq=6))
    assert sorted(missing(found)) == [4, 5, 6]


def test_a_checkpoint_with_the_first_number_only_expects_everything_from_it():
    found = run(*numbered(3), checkpoint(10, 5, 9, 3, conversation="c1", first_seq=1))
    assert sorted(missing(found)) == [1, 2]


def test_a_checkpoint_ahead_of_us_leaves_no_hole_unwatched():
    found = run(*numbered(3), checkpoint(10, 5, 9, 3, conversation="c1", first_seq=6, last_seq=7))
    assert sorted(missing(found)) == [4, 5, 6, 7]


def test_a_checkpoint_names_the_numbers_of_a_conversation_never_heard():
    found = run(checkpoint(10, 5, 9, 3, conversation="c1", first_seq=1, last_seq=3), message("s2", 11, seq=2))
    assert sorted(missing(found)) == [1, 3]


def test_an_exact_duplicate_fills_nothing_and_a_content_duplicate_fills_its_number():
    body = {"text": "where is my parcel", "sender": {"id": "u1"}}
    story = [message("s1", 0, seq=1, **body), message("s3", 0, seq=3), message("x2", 1, sent=1, seq=2, **body)]
    found = run(*story)
    assert found.one("duplicate").message == "x2"
    assert not found.of("loss")


def test_the_same_message_missed_by_number_and_by_name_is_two_anomalies_and_both_resolve():
    found = run(*numbered(1), message("s3", 0, seq=3, reply_to="s2"), message("s2", 50, seq=2))
    assert sorted(a.evidence["cause"] for a in found.of("loss")) == ["gap", "reference"]
    assert {a.resolution for a in found.of("loss")} == {"arrived_late"}


def test_history_opens_no_gap():
    found = run(message("h1", 0, seq=1, history=True), message("h5", 0, seq=5, history=True), *numbered(6))
    assert not found.of("loss")


def test_each_conversation_counts_for_itself():
    assert not run(message("a", 0, seq=1), message("b", 0, seq=3, conversation="c2")).of("loss")
