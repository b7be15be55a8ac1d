"""`translation_failed`: ruling 43."""

from __future__ import annotations

import pytest
from msgspec import json

from actors.detectors.translation import LONGEST, words_of
from actors.intake import parse_event
from tests.actors.trace import message, run, translation


def read(told):
    return parse_event(json.encode(told), need_at=False)


def failed(*events, **options):
    return run(*events, **options).of("translation_failed")


def test_a_language_that_nobody_reads_needs_a_translation_within_the_grace():
    (found,) = failed(message("m1", 10, sent=9, lang="th"))
    assert (found.opened_at, found.since, found.message, found.severity) == (30, 9, "m1", "warning")


@pytest.mark.parametrize("lang", ["en", "zh", "EN", "zh-TW", "en_GB", None, ""])
def test_a_language_of_the_team_or_none_needs_nothing(lang):
    assert not failed(message("m1", 0, lang=lang, text="สินค้าไม่ตรงปก"))


def test_the_teams_languages_are_a_threshold():
    settings = ["translation.team_languages=th,vi"]
    assert [a.message for a in failed(message("m1", 0, lang="th"), message("m2", 0, lang="en"), settings=settings)] == [
        "m2"
    ]


def test_ok_for_any_target_settles_it():
    assert not failed(message("m1", 0, lang="th"), translation("m1", 20, target="xx"))


def test_failed_opens_whenever_it_comes():
    (found,) = failed(message("m1", 0, lang="th"), translation("m1", 5, "failed"))
    assert (found.opened_at, found.evidence["status"]) == (5, "failed")
    assert (
        failed(message("m1", 0, lang="th"), translation("m1", 5), translation("m1", 500, "failed"))[0].opened_at == 500
    )
    assert failed(message("m1", 0, lang="en"), translation("m1", 5, "failed"))[0].opened_at == 5


def test_a_later_ok_resolves():
    for story in ([translation("m1", 3, "failed")], []):
        (found,) = failed(message("m1", 0, lang="th"), *story, translation("m1", 99))
        assert (found.resolution, found.resolved_at) == ("translated", 99)


def test_what_we_write_and_history_need_no_translation():
    assert not failed(message("m1", 0, lang="th", direction="out"), message("m2", 0, lang="th", history=True))
    assert not failed(message("m1", 0, lang="th", direction="out"), translation("m1", 1, "failed"))


def test_a_status_before_its_message_is_kept_for_it():
    assert not failed(translation("m1", 0), message("m1", 9, lang="th"))
    assert failed(translation("m1", 0, "failed"), message("m1", 9, lang="th"))[0].opened_at == 9
    assert not failed(translation("m1", 0, "failed"))


def test_a_message_of_the_system_is_translated_too():
    assert failed(message("m1", 0, lang="th", sender={"id": "s", "role": "system"}))


def test_the_words_of_a_translation_are_handed_on_wherever_they_stand():
    for told in ({"text": "Where is it?"}, {"detail": {"text": "Where is it?"}}):
        found = words_of(read(translation("m1", 1, target="en", source="th", **told)))
        assert json.decode(found) == {"text": "Where is it?", "source": "th", "target": "en"}
    for nothing in ({}, {"text": 7}, {"text": ""}, {"detail": "done"}, {"detail": {"text": None}}):
        assert words_of(read(translation("m1", 1, **nothing))) is None
    long = json.decode(words_of(read(translation("m1", 1, text="x" * (LONGEST + 1)))))
    assert len(long["text"]) == LONGEST
