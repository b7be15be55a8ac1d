"""Words of a text for the multikey indexes, and whether a text has what a query asks for.

A word is an index key; of scripts without spaces every character and every pair of neighbours is one. What the keys
cannot tell (longer phrases) is verified on the text. At most MOST_WORDS keys a document: ids and names come first,
what lies behind the first some hundred different words of a very long text is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import add
from typing import Any
from unicodedata import category, normalize

from msgspec import Struct

from storage.texts import SPACELESS, SPACELESS_RUN, folded, undashed

MOST_WORDS = 1_000
LONGEST_WORD = 48
"""Letters of a word that are indexed; longer ones are told apart on the text."""

_MARKS = "\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0dff"
_SMALL = "\u0e31\u0e34-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
"""Marks and symbols of the scripts without spaces: each is a word, though no letter."""
_WORD = re.compile(f"(?=[{SPACELESS}])(?:[^\\W_]|[{_SMALL}])|(?:(?![{SPACELESS}])[^\\W_]|[{_MARKS}])+")
_ODD = re.compile(f"[{_MARKS}{_SMALL}]")
"""Where there is none of these, folding has parted the words already and a quicker look finds them."""
_PLAIN_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_ACCENTED = re.compile("[\u00c0-\u058f]")
"""Letters that may bear an accent, and the accents themselves."""
_FIRST_SPACELESS = SPACELESS[0]


def words_of(text: str) -> list[str]:
    """The words of a folded text, in order; accents of Latin, Greek and Cyrillic letters gone."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    text = _ACCENTED.sub(_plain, text)
    return _WORD.findall(text) if _ODD.search(text) else _PLAIN_WORD.findall(text)


def _plain(match: re.Match[str]) -> str:
    return _base(match[0])


@lru_cache(maxsize=2_048)
def _base(letter: str) -> str:
    return "" if category(letter) == "Mn" else normalize("NFD", letter)[0]


def keys_of(*texts: str) -> list[str]:
    """The index keys of folded texts, those of the first text first."""
    found: dict[str, None] = {}
    for text in texts:
        words = words_of(text)
        if not words:
            continue
        if len(text) > LONGEST_WORD and max(map(len, words)) > LONGEST_WORD:
            words = [word[:LONGEST_WORD] for word in words]
        found.update(dict.fromkeys(words))
        if not text.isascii():
            found.update(dict.fromkeys(_pairs(words)))
    return list(found) if len(found) <= MOST_WORDS else list(found)[:MOST_WORDS]


def _pairs(words: list[str]) -> Iterable[str]:
    """Neighbours of scripts without spaces. A pair too many, of other lone letters, does no harm and is cheaper."""
    if len("".join(words)) == len(words):
        return map(add, words, words[1:])
    first = _FIRST_SPACELESS
    return [a + b for a, b in pairwise(words) if a >= first and b >= first and len(a) == 1 == len(b)]


class Phrase(Struct, frozen=True):
    """Words that must follow each other; `prefix`: the last one may go on."""

    words: tuple[str, ...]
    prefix: bool

    @property
    def exact(self) -> bool:
        """Whether the index keys alone decide."""
        if any(len(word) > LONGEST_WORD for word in self.words):
            return False
        return len(self.words) == 1 or (len(self.words) == 2 and all(map(_spaceless, self.words)))  # noqa: PLR2004 # a pair is a key

    def condition(self) -> list[dict[str, Any]]:
        """What the index keys of a document that has this phrase fulfil."""
        last = len(self.words) - 1
        found: list[dict[str, Any]] = []
        for place, word in enumerate(self.words):
            if place and _spaceless(word) and _spaceless(self.words[place - 1]):
                found.append({"words": self.words[place - 1] + word})
            elif place == last and self.prefix:
                found.append({"words": {"$regex": "^" + re.escape(word[:LONGEST_WORD])}})
            elif not (place < last and _spaceless(word) and _spaceless(self.words[place + 1])):
                found.append({"words": word[:LONGEST_WORD]})
        return found

    def within(self, words: Sequence[str]) -> bool:
        """Whether these words have the phrase."""
        size = len(self.words)
        *first, last = self.words
        for start in range(len(words) - size + 1):
            end = words[start + size - 1]
            if (end.startswith(last) if self.prefix else end == last) and words[start : start + size - 1] == first:
                return True
        return False


def _spaceless(word: str) -> bool:
    return len(word) == 1 and SPACELESS_RUN.match(word) is not None


class Term(Struct, frozen=True):
    """One word of a query: any of these phrases."""

    phrases: tuple[Phrase, ...]

    def condition(self) -> dict[str, Any]:
        """What the index keys of a document that has this term fulfil."""
        either = [{"$and": phrase.condition()} for phrase in self.phrases]
        return either[0] if len(either) == 1 else {"$or": either}

    def within(self, columns: Iterable[Sequence[str]]) -> bool:
        """Whether one of a document's columns has the term."""
        return any(phrase.within(words) for words in columns for phrase in self.phrases)


def terms_of(chunks: Iterable[str]) -> list[Term]:
    """The terms of a query's folded words (`storage.texts.query_words`); words of symbols alone ask for nothing."""
    terms: list[Term] = []
    for chunk in chunks:
        phrases = [phrase for text in (chunk, undashed(chunk)) if (phrase := _phrase(text))]
        if phrases:
            terms.append(Term(tuple(phrases)))
    return terms


def _phrase(text: str) -> Phrase | None:
    words = words_of(text)
    if not words:
        return None
    # A single letter as a prefix would gather most of the index.
    return Phrase(tuple(words), prefix=len(words[-1]) > 1 and not SPACELESS_RUN.match(words[-1][-1]))


def id_keys(text: str) -> list[str]:
    """Index keys that every message with exactly this id has; empty for an id that cannot be found by them."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: no stored id has one
        return []
    return sorted(keys_of(folded(text)), key=len, reverse=True)[:3]
