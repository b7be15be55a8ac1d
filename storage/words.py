"""Words of a text and whether they have what a query asks for: the same for every adapter.

Of scripts without spaces every character is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from unicodedata import category, normalize

from msgspec import Struct

from storage.texts import SPACELESS, SPACELESS_RUN, undashed

_MARKS = "\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0dff"
_SMALL = "\u0e31\u0e34-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
"""Marks and symbols of the scripts without spaces: each is a word, though no letter."""
WORD = re.compile(f"(?=[{SPACELESS}])(?:[^\\W_]|[{_SMALL}])|(?:(?![{SPACELESS}])[^\\W_]|[{_MARKS}])+")
_ODD = re.compile(f"[{_MARKS}{_SMALL}]")
"""Where there is none of these, folding has parted the words already and a quicker look finds them."""
_PLAIN_WORD = re.compile(r"[^\W_]+")
ASCII_WORD = re.compile("[a-z0-9]+")
_ASCII = bytes(ord(c.lower()) if (c := chr(byte)).isascii() and c.isalnum() else ord(" ") for byte in range(256))
"""Letters made small, and blanks for all but letters and digits: `split` then finds what ASCII_WORD does in a third."""
ACCENTED = re.compile("[\u00c0-\u058f]")
"""Letters that may bear an accent, and the accents themselves."""


def words_of(text: str) -> list[str]:
    """The words of a folded text, in order; accents of Latin, Greek and Cyrillic letters gone."""
    if text.isascii():
        return text.encode().translate(_ASCII).decode().split()
    text = ACCENTED.sub(_plain, text)
    return WORD.findall(text) if _ODD.search(text) else _PLAIN_WORD.findall(text)


def _plain(match: re.Match[str]) -> str:
    return base_letter(match[0])


@lru_cache(maxsize=2_048)
def base_letter(letter: str) -> str:
    """The letter without its accent; empty for an accent alone."""
    return "" if category(letter) == "Mn" else normalize("NFD", letter)[0]


class Phrase(Struct, frozen=True):
    """Words that must follow each other; `prefix`: the last one may go on."""

    words: tuple[str, ...]
    prefix: bool

    def within(self, words: Sequence[str]) -> bool:
        """Whether these words have the phrase."""
        size = len(self.words)
        *first, last = self.words
        for start in range(len(words) - size + 1):
            end = words[start + size - 1]
            if (end.startswith(last) if self.prefix else end == last) and words[start : start + size - 1] == first:
                return True
        return False


def is_spaceless(word: str) -> bool:
    """Whether a word is one character of a script without spaces."""
    return len(word) == 1 and SPACELESS_RUN.match(word) is not None


class Term(Struct, frozen=True):
    """One word of a query: any of these phrases."""

    phrases: tuple[Phrase, ...]

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
