"""Where in a message the words of a query are, in places of the text as it was written: the same for every adapter.

Folding changes how long a text is (full width, ligatures, accents, half-width voiced kana), so it is done piece by
piece, and every folded letter remembers the piece it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from storage.records import MessageRow
from storage.search_records import MessageHit
from storage.texts import SPACELESS_RUN, alike, dashes_within_ids, folded, undashed
from storage.words import ACCENTED, ASCII_WORD, WORD, Phrase, Term, base_letter, words_of

MOST_LETTERS = 65_536
"""Of a longer text what lies behind is found but not highlighted."""

# A letter with what is written onto it: accents, voiced marks of half-width kana, vowels and finals of Hangul.
_PIECE = re.compile(
    "[\\s\\S][\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u3099\u309a\uff9e\uff9f\u1160-\u11ff]*"
)


class Placed(NamedTuple):
    """A word with where it is written; `ends[n]`: where its letter n ends."""

    word: str
    start: int
    ends: Sequence[int]


def located(row: MessageRow, contact_name: str | None, terms: Sequence[Term]) -> MessageHit:
    """The message as a hit: in its text, else in the latest older version that has a word of the query."""
    ranges, version = ranges_in(row.text or "", terms), None
    if not ranges:
        for number in range(len(row.versions) - 1, -1, -1):
            if found := ranges_in(row.versions[number]["text"] or "", terms):
                ranges, version = found, number
                break
    named = {"message": row.message, "order": row.order, "sender_name": row.sender_name, "sender_id": row.sender_id}
    fields = [name for name, value in named.items() if value and _has_any(value, terms)]
    return MessageHit(row=row, contact_name=contact_name, ranges=ranges, version=version, fields=fields)


def is_from(name: str | None, sender_id: str | None, terms: Sequence[Term]) -> bool:
    """Whether the name and id of who wrote a message have all these terms."""
    told = [folded(value) for value in (name, sender_id) if value]
    columns = [words_of(text) for one in told for text in (one, undashed(one)) if text]
    return all(term.within(columns) for term in terms)


def ranges_in(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """[start, end) of all that the terms ask for, ascending, overlapping ones as one."""
    if not terms:
        return []
    phrases = [phrase for term in terms for phrase in term.phrases]
    columns = _columns(text[:MOST_LETTERS])
    found = sorted(place for words in columns for phrase in phrases for place in _places(words, phrase))
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _has_any(value: str, terms: Iterable[Term]) -> bool:
    letters = folded(value)
    columns = [words_of(text) for text in (letters, undashed(letters)) if text]
    return any(term.within(columns) for term in terms)


def _places(words: Sequence[Placed], phrase: Phrase) -> Iterator[tuple[int, int]]:
    *first, last = phrase.words
    size = len(phrase.words)
    for place, end in enumerate(words[size - 1 :]):
        if not (end.word.startswith(last) if phrase.prefix else end.word == last):
            continue
        if all(words[place + n].word == word for n, word in enumerate(first)):
            yield words[place].start, end.ends[len(last) - 1]


def _columns(text: str) -> list[list[Placed]]:
    """The words of a text; and once more without the dashes inside ids, where it has such."""
    letters, starts, ends = _folded(text)
    columns = [_words(letters, starts, ends)]
    if dashes := set(dashes_within_ids(letters)):
        kept = [place for place in range(len(letters)) if place not in dashes]
        without = "".join([letters[place] for place in kept])
        columns.append(_words(without, [starts[place] for place in kept], [ends[place] for place in kept]))
    return columns


def _words(letters: str, starts: Sequence[int], ends: Sequence[int]) -> list[Placed]:
    pattern = ASCII_WORD if letters.isascii() else WORD
    return [
        Placed(match[0], starts[match.start()], ends[match.start() : match.end()])
        for match in pattern.finditer(letters)
    ]


def _folded(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The folded letters, and where the piece each came from starts and ends in the text."""
    if text.isascii():
        return text.lower(), range(len(text)), range(1, len(text) + 1)
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _PIECE.finditer(text):
        made = _piece(match[0])
        # What folding leaves as long as it was keeps its places letter by letter.
        exact = len(made) == match.end() - match.start()
        for number, letter in enumerate(made):
            start, end = (match.start() + number, match.start() + number + 1) if exact else match.span()
            for one in (" ", letter, " ") if SPACELESS_RUN.match(letter) else letter:
                letters.append(one)
                starts.append(start)
                ends.append(end)
    return "".join(letters), starts, ends


@lru_cache(maxsize=4_096)
def _piece(piece: str) -> str:
    return ACCENTED.sub(_plain, alike(piece))


def _plain(match: re.Match[str]) -> str:
    return base_letter(match[0])
