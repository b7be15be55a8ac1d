"""`duplicate`: rulings 28 to 34."""

from __future__ import annotations

import pytest

from tests.actors.trace import DAY, answer, checkpoint, clock, event, message, notification, run

SAID = {"text": "where is my parcel", "sender": {"id": "u1"}}
FILE = {"kind": "image", "mime": "image/png", "size": 9, "url": "https://x/1"}


def pair(one, other, *, apart=1):
    """Two messages under different ids."""
    return [message("m1", 0, **one), message("m2", apart, **other)]


def test_the_same_id_again_is_one_resolved_anomaly_that_counts_copies():
    found = run(message("m1", 0, sent=0), message("m1", 5, sent=0), message("m1", 6, sent=0))
    twice = found.one("duplicate")
    assert (twice.status, twice.resolution, twice.message, twice.since) == ("resolved", "merged", "m1", 0)
    assert (twice.opened_at, twice.resolved_at) == (5, 5)
    assert twice.evidence["copies"] == 2
    assert twice.evidence["differs"] is False
    assert (found.report["messages"], found.report["duplicates"]) == (1, 2)
    assert found.report["channels"][0]["duplicates"] == 2
    assert found.report["ledger"]["duplicates"] == 2


def test_the_first_body_stays_and_a_different_one_is_still_a_duplicate():
    story = [
        message("m1", 0, text="one and only"),
        message("m1", 1, text="something else"),
        message("m1", 2, text="one and only"),
    ]
    assert run(*story).one("duplicate").evidence["differs"] is True
    assert run(story[0], story[2]).one("duplicate").evidence["differs"] is False


def test_another_short_text_differs_too():
    assert run(message("m1", 0, text="ok"), message("m1", 1, text="no")).one("duplicate").evidence["differs"] is True


@pytest.mark.parametrize("name", ["content_id", "sha256"])
def test_pictures_of_which_only_their_content_differs_are_no_twins(name):
    bare = {"id": "a1", "kind": "image", "mime": "image/jpeg"}
    one, other = ({"sender": {"id": "u1"}, "attachments": [bare | {name: told}]} for told in ("c1", "c2"))
    assert run(*pair(one, other)).of("duplicate") == []
    assert run(*pair(one, one)).one("duplicate").message == "m2"


@pytest.mark.parametrize(("later", "copies"), [(7 * DAY, 1), (7 * DAY + 0.001, 0)])
def test_ids_are_known_for_seven_days_from_the_first_delivery(later, copies):
    found = run(message("m1", 0), message("m1", later))
    assert len(found.of("duplicate")) == copies
    assert found.report["messages"] == 2 - copies


def test_copies_do_not_prolong_the_seven_days():
    found = run(message("m1", 0), message("m1", 6 * DAY), message("m1", 7 * DAY + 1))
    assert found.one("duplicate").evidence["copies"] == 1
    assert found.report["messages"] == 2


def test_duplicates_of_the_new_message_are_a_new_anomaly():
    found = run(message("m1", 0), message("m1", 1), message("m1", 8 * DAY), message("m1", 8 * DAY + 1))
    first, second = found.of("duplicate")
    assert first.id != second.id


def test_the_same_words_again_are_merged_into_the_first():
    found = run(*pair(SAID, SAID))
    twin = found.one("duplicate")
    assert (twin.message, twin.since, twin.opened_at, twin.resolution) == ("m2", 1, 1, "merged")
    assert twin.evidence["copies"] == 1
    assert (found.report["messages"], found.report["duplicates"]) == (1, 1)
    assert len(found.of("notification_missed")) == 1


@pytest.mark.parametrize(("apart", "merged"), [(2, 1), (2.001, 0)])
def test_sent_exactly_the_window_apart_is_merged(apart, merged):
    assert len(run(*pair(SAID, SAID, apart=apart)).of("duplicate")) == merged


def test_the_window_is_of_sent_at_whatever_the_order_of_arrival():
    assert run(message("m1", 5, sent=5, **SAID), message("m2", 9, sent=3, **SAID)).one("duplicate").message == "m2"
    assert not run(message("m1", 5, sent=5, **SAID), message("m2", 5, sent=2.9, **SAID)).of("duplicate")


def test_the_window_is_a_threshold():
    assert run(*pair(SAID, SAID, apart=60), settings=["duplicate.content_window_s=60"]).of("duplicate")


def test_compared_with_the_nearest_earlier_one_merged_or_not():
    found = run(
        message("m1", 0, **SAID), message("m2", 2, **SAID), message("m3", 4, **SAID), message("m4", 6.1, **SAID)
    )
    assert [a.message for a in found.of("duplicate")] == ["m2", "m3"]


@pytest.mark.parametrize(
    ("text", "merged"),
    [("1234567", 0), ("12345678", 1), ("👍👍👍👍👍👍👍", 0), ("👍👍👍👍👍👍👍👍", 1), ("我的包裹在哪里呀", 1)],
)
def test_eight_code_points_are_enough(text, merged):
    said = SAID | {"text": text}
    assert len(run(*pair(said, said)).of("duplicate")) == merged


def test_characters_count_as_sent_before_trimming_and_composing():
    said = SAID | {"text": "  abc   "}
    assert run(*pair(said, said)).of("duplicate")
    decomposed = SAID | {"text": "cafe\u0301 ok"}  # 8 as sent, 7 composed
    assert run(*pair(decomposed, decomposed)).of("duplicate")


def test_texts_are_equal_after_composing_and_trimming():
    assert run(*pair(SAID | {"text": "un café noir"}, SAID | {"text": " un cafe\u0301 noir\n"})).of("duplicate")
    assert not run(*pair(SAID, SAID | {"text": "Where is my parcel"})).of("duplicate")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SAID, SAID | {"sender": {"id": "u2"}}),
        (SAID, SAID | {"conversation": "c2"}),
        (SAID, SAID | {"direction": "out"}),
        (SAID | {"sender": None}, SAID | {"sender": None}),
        (SAID | {"sender": {"name": "x"}}, SAID | {"sender": {"name": "x"}}),
        (SAID | {"sender": {"id": ""}}, SAID | {"sender": {"id": ""}}),
        (SAID | {"text": None}, SAID | {"text": None}),
        (SAID, SAID | {"attachments": [FILE | {"id": "f"}]}),
    ],
)
def test_what_makes_two_messages_different(one, other):
    assert not run(*pair(one, other)).of("duplicate")


def test_attachments_are_the_same_whatever_their_ids():
    one = {"sender": {"id": "u1"}, "attachments": [FILE | {"id": "f1"}, FILE | {"id": "f2", "kind": "pdf"}]}
    other = {"sender": {"id": "u1"}, "attachments": [FILE | {"id": "g1"}, FILE | {"id": "g2", "kind": "pdf"}]}
    assert run(*pair(one, other)).one("duplicate").message == "m2"
    for changed in ({"kind": "x"}, {"mime": "x"}, {"size": 8}, {"url": "x"}):
        assert not run(*pair(one, other | {"attachments": [other["attachments"][0], FILE | {"id": "h"} | changed]})).of(
            "duplicate"
        )
    assert not run(*pair(one, other | {"attachments": other["attachments"][:1]})).of("duplicate")
    assert not run(*pair(one, other | {"attachments": other["attachments"][::-1]})).of("duplicate")


def test_short_texts_with_the_same_attachments_must_be_equal_too():
    one = {"sender": {"id": "u1"}, "attachments": [FILE | {"id": "f1"}], "text": "ok"}
    assert run(*pair(one, one)).of("duplicate")
    assert not run(*pair(one, one | {"text": "no"})).of("duplicate")


def test_a_merged_message_counts_in_checkpoints():
    story = [clock(0), message("m1", 1, **SAID), message("m2", 2, **SAID)]
    assert not run(*story, checkpoint(5, 1, 5, 2)).of("out_of_sync")
    assert not run(*story, checkpoint(5, 1, 5, 2, conversation="c1")).of("out_of_sync")
    assert run(*story, checkpoint(5, 1, 5, 1)).one("out_of_sync").evidence["ours"] == 2


def test_a_merged_message_is_known_by_its_id():
    assert not run(*pair(SAID, SAID), checkpoint(5, 0, 5, 2, conversation="c1", messages=["m1", "m2"])).of("loss")
    found = run(message("m0", 0, reply_to="m2"), *pair(SAID, SAID))
    assert not found.of("loss")


def test_a_merged_message_delivered_again_counts_a_copy_of_its_own_anomaly():
    twin = run(*pair(SAID, SAID), message("m2", 3, sent=1, **SAID)).one("duplicate")
    assert (twin.message, twin.evidence["copies"]) == ("m2", 2)


def test_exact_duplicates_never_count_in_checkpoints():
    story = [clock(0), message("m1", 1), message("m1", 2, sent=1)]
    assert not run(*story, checkpoint(5, 1, 5, 1)).of("out_of_sync")


def test_a_duplicate_starts_no_clock_and_awaits_nothing():
    late = {"lang": "th", "attachments": [FILE | {"id": "f"}]}
    once = run(message("m1", 0), notification("m1", 1), message("z", 900, direction="out"))
    again = run(
        message("m1", 0), notification("m1", 1), message("m1", 50, sent=0, **late), message("z", 900, direction="out")
    )
    assert [a.kind for a in again.anomalies if a.kind != "duplicate"] == [a.kind for a in once.anomalies]
    assert [vars(row) for row in again.sla] == [vars(row) for row in once.sla]


def test_a_merged_message_starts_no_clock_and_awaits_nothing():
    merged = message("m2", 901, lang="th", **SAID) | {"attachments": None}
    found = run(message("m1", 900, **SAID), notification("m1", 901), answer("a1", 901), merged)
    assert not found.of("translation_failed")
    assert not found.of("notification_missed")
    assert len(found.clocks("first_response") + found.clocks("next_response")) == 1


def test_what_is_told_of_a_merged_message_opens_nothing():
    found = run(
        *pair(SAID, SAID),
        notification("m1", 1),
        event("notification", 2, conversation="c1", message="m2", status="failed"),
        event("translation", 2, conversation="c1", message="m2", status="failed"),
    )
    assert [a.kind for a in found.anomalies] == ["duplicate"]


def test_our_own_words_twice_are_merged_too():
    ours = {"text": "it is on its way", "sender": {"id": "a1", "role": "agent"}, "direction": "out"}
    assert run(*pair(ours, ours)).one("duplicate").message == "m2"
    assert [a.message for a in run(*pair(ours, ours)).of("loss")] == ["m1"]


def test_fetched_history_opens_no_duplicate():
    found = run(
        message("m1", 0),
        message("m1", 5, sent=0, history=True),
        message("h1", 5, sent=0, history=True, **SAID),
        message("h2", 6, sent=1, history=True, **SAID),
    )
    assert not found.of("duplicate")
    assert found.report["duplicates"] == 2
