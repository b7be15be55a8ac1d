"""Index keys of texts and the conditions that look for them; needs no server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.effects import AttachmentChanged, Effects, HopReached
from storage.mongodb.compose_messages import message_documents, progress_documents
from storage.mongodb.tokens import LONGEST_WORD, MOST_WORDS, condition_of, is_exact, keys_of
from storage.mongodb.writes import Group, Writes, encoded, packed, unpacked
from storage.texts import folded, query_words
from storage.words import ASCII_WORD, terms_of, words_of
from tests.storage.flushes import stored

ALPHABET = "ab1 -é上海退テス한国ไม่з№"


def fulfils(keys, condition):
    """Whether a document with these keys would be found."""
    (name, value), *more = condition.items()
    assert not more
    match name:
        case "$and":
            return all(fulfils(keys, part) for part in value)
        case "$or":
            return any(fulfils(keys, part) for part in value)
        case "words" if isinstance(value, dict):
            return any(key.startswith(value["$regex"].removeprefix("^")) for key in keys)
        case _:
            return value in keys


@given(text=st.text(ALPHABET, max_size=40), query=st.text(ALPHABET, min_size=1, max_size=8))
def test_what_the_text_holds_is_never_missed_by_the_index(text, query):
    words = words_of(folded(text))
    for term in terms_of(query_words(query)):
        if term.within([words]):
            assert fulfils(keys_of(folded(text)), condition_of(term))


@given(text=st.text(ALPHABET, max_size=40), query=st.text(ALPHABET, min_size=1, max_size=8))
def test_where_the_index_alone_decides_it_decides_as_the_text_does(text, query):
    words = words_of(folded(text))
    for term in terms_of(query_words(query)):
        if is_exact(term):
            assert term.within([words]) == fulfils(keys_of(folded(text)), condition_of(term))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("João Ångström", ["joao", "angstrom"]),
        ("Ёлка", ["елка"]),
        ("上海 ok", ["上", "海", "ok"]),
        ("e\u0301t\u00e9", ["ete"]),
        ("a_b-c", ["a", "b", "c"]),
    ],
)
def test_accents_and_punctuation_make_no_difference(text, words):
    assert words_of(folded(text)) == words


def test_a_name_is_found_like_any_text_however_long_it_is():
    for name in ("Zoë 李雷 u-517", "n" * 200, ""):
        assert keys_of("id-1", "text", name=folded(name)) == keys_of(folded(name), "id-1", "text")


def test_a_documents_keys_are_bounded_in_number_and_length():
    keys = keys_of("id-1", " ".join(f"word{n}" for n in range(5_000)), "y" * 100_000)
    assert len(keys) == MOST_WORDS
    assert keys[:2] == ["id", "1"]
    assert max(map(len, keys_of("x" * 100_000))) == LONGEST_WORD


@given(st.text(st.characters(max_codepoint=127)))
def test_the_words_of_ascii_texts_are_their_letters_and_digits(text):
    assert words_of(text) == ASCII_WORD.findall(text.lower())


@given(
    rows=st.lists(
        st.dictionaries(
            st.text("abc", min_size=1, max_size=3), st.none() | st.integers(-9, 9) | st.text(max_size=5) | st.binary()
        ),
        max_size=40,
    )
)
def test_a_redo_record_gives_back_what_it_was_made_of(rows):
    documents = encoded(rows)
    writes = Writes([Group("a", "insert", documents), Group("b", "update", documents[:3], phase=1)])
    assert unpacked(packed(writes)) == writes


def test_a_storm_of_edits_goes_into_documents_that_are_bounded():
    effects = Effects()
    effects.messages.append(stored("m1"))
    effects.hops.extend(HopReached("shopee/shop/c1", "m1", "edited", n, f"{n} " + "x" * 250_000) for n in range(100))
    effects.attachments.extend(
        AttachmentChanged("shopee/shop/c1", "m2", f"{n}" + "y" * 1_000, "ok", n) for n in range(10_000)
    )
    fresh, _ = message_documents(effects, {}, partition=0, version=1, stamp=1, stored_at=0)
    documents = [*progress_documents(effects, fresh, partition=0, stamp=1), *fresh.values()]
    assert max(map(len, encoded(documents))) < 6 << 20
    assert len({row["_id"] for row in documents}) == len(documents) > 10
    told = [version["at"] for row in [documents[-1], *documents] for version in row.get("versions", ())]
    assert sorted(set(told)) == list(range(100))
    assert sum(len(row.get("attachments", ())) for row in documents) == 10_000
