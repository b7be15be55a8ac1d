"""`out_of_sync`: rulings 10, 35 to 37."""

from __future__ import annotations

import pytest

from tests.actors.trace import DAY, auth, checkpoint, clock, message, run

START = auth(0, "ok")


def sync(*events, **options):
    return run(START, *events, **options).of("out_of_sync")


def test_another_count_than_ours_opens_at_the_end_of_the_grace():
    (found,) = sync(message("m1", 1), checkpoint(10, 0, 9, 3))
    assert (found.opened_at, found.since, found.message, found.conversation) == (40, 0, None, None)
    assert (found.evidence["ours"], found.evidence["theirs"]) == (1, 3)
    assert sync(message("m1", 1), checkpoint(10, 0, 9, 0))


def test_it_is_compared_at_the_end_of_the_grace():
    assert not sync(message("m1", 1), checkpoint(10, 0, 9, 2), message("m2", 40, sent=5))
    assert sync(message("m1", 1), checkpoint(10, 0, 9, 2), message("m2", 40.001, sent=5))
    (found,) = sync(message("m1", 1), checkpoint(10, 0, 9, 3), message("m2", 30, sent=5))
    assert found.evidence["ours"] == 2


@pytest.mark.parametrize(("sent", "counted"), [(4, True), (3.999, False), (8.999, True), (9, False)])
def test_a_window_starts_with_from_and_ends_before_to(sent, counted):
    assert bool(sync(message("m1", 9, sent=sent), checkpoint(10, 4, 9, 1))) is not counted


def test_both_directions_count():
    assert not sync(message("m1", 1), message("m2", 2, direction="out"), checkpoint(10, 0, 9, 2))


def test_windows_are_in_raw_platform_time():
    assert not sync(message("m1", 1, sent=100), checkpoint(10, 99, 101, 1))


def test_a_conversation_is_compared_with_its_own_messages():
    story = [message("m1", 1), message("m2", 2, conversation="c2"), message("m3", 2, account="x")]
    assert not sync(*story, checkpoint(10, 0, 9, 1, conversation="c1"))
    assert not sync(*story, checkpoint(10, 0, 9, 2))
    (found,) = sync(*story, checkpoint(10, 0, 9, 2, conversation="c1"))
    assert (found.conversation, found.evidence["ours"]) == ("c1", 1)


def test_the_same_window_of_channel_and_conversation_are_two_subjects():
    assert len(sync(checkpoint(10, 0, 9, 2, conversation="c1"), checkpoint(10, 0, 9, 2))) == 2


def test_a_window_from_before_the_channels_first_event_is_not_judged():
    for first, begins in (
        (message("m1", 5), 5),
        (message("m1", 5, sent=4), 4),
        (message("m1", 5, sent=9), 5),
        (auth(5, "ok"), 5),
    ):
        assert not run(first, checkpoint(10, begins - 0.001, 9, 7)).of("out_of_sync")
        assert run(first, message("m2", 6, sent=1), checkpoint(10, begins, 9, 7)).of("out_of_sync")


def test_it_is_judged_when_history_was_fetched():
    assert (
        run(message("m1", 50, sent=5, history=True), checkpoint(51, 0, 9, 7)).one("out_of_sync").evidence["ours"] == 1
    )


def test_a_later_checkpoint_of_an_overlapping_window_that_agrees_resolves_at_once():
    story = [message("m1", 1), checkpoint(10, 0, 9, 2)]
    (found,) = sync(*story, checkpoint(60, 8.999, 20, 0))
    assert (found.resolution, found.resolved_at) == ("agreed", 60)
    for start, end in ((9, 20), (30, 40)):
        assert sync(*story, checkpoint(60, start, end, 0))[0].status == "open"


def test_a_checkpoint_that_agrees_at_the_end_of_its_grace_resolves_then():
    story = [message("m1", 1), checkpoint(10, 0, 9, 2), checkpoint(60, 0, 9, 3)]
    (found,) = sync(*story, message("m2", 70, sent=2), message("m3", 71, sent=3))
    assert (found.resolution, found.resolved_at) == ("agreed", 90)


def test_another_disagreement_in_an_overlapping_window_updates_the_open_one():
    (found,) = sync(message("m1", 1), checkpoint(10, 0, 9, 2), checkpoint(60, 5, 50, 7))
    assert (found.opened_at, found.evidence["ours"], found.evidence["theirs"]) == (40, 0, 7)


def test_two_windows_apart_are_two_anomalies():
    assert len(sync(message("m1", 1), checkpoint(10, 0, 5, 2), checkpoint(10, 5, 9, 2))) == 2


def test_a_re_sync_that_brings_what_was_missing_closes_it():
    story = [message("m1", 1), checkpoint(10, 0, 9, 3)]
    (found,) = sync(*story, message("m2", 60, sent=2, via="resync"))
    assert found.status == "open"
    (found,) = sync(*story, message("m2", 60, sent=2, via="resync"), message("m3", 61, sent=3, via="resync"))
    assert (found.resolution, found.resolved_at) == ("resynced", 61)
    assert (found.evidence["ours"], found.evidence["theirs"]) == (1, 3)
    assert sync(*story, message("m2", 60, sent=2), message("m3", 61, sent=3))[0].status == "open"


def test_a_re_sync_closes_the_difference_of_a_conversation_too():
    story = [message("m1", 1), checkpoint(10, 0, 9, 2, conversation="c1")]
    (found,) = sync(*story, message("m2", 60, sent=2, via="resync"))
    assert found.resolution == "resynced"


def test_a_new_spell_of_the_same_window_is_a_new_anomaly():
    story = [message("m1", 1), checkpoint(10, 0, 9, 2), checkpoint(50, 0, 9, 1), checkpoint(60, 0, 9, 2)]
    first, second = sync(*story)
    assert (first.resolution, second.opened_at, second.status) == ("agreed", 90, "open")


def test_the_grace_is_a_threshold():
    assert sync(checkpoint(10, 0, 9, 2), settings=["sync.grace_s=5"])[0].opened_at == 15


def test_messages_older_than_seven_days_still_count():
    story = [message("m1", 1), message("m2", 2), message("m3", 8 * DAY), message("m4", 9 * DAY)]
    assert not sync(*story, checkpoint(9 * DAY, 0, 9, 2, conversation="c1"))
    assert not sync(*story, checkpoint(9 * DAY, 0, 9, 2))


def test_a_channel_compares_at_its_own_time_whoever_speaks_next():
    (found,) = sync(checkpoint(10, 0, 9, 1), message("m1", 41, sent=5), clock(50))
    assert found.evidence["ours"] == 0
