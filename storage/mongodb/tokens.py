"""Words of a text for the multikey indexes, and whether a text has what a query asks for.

A word is an index key; of scripts without spaces every character and every pair of neighbours is one. What the keys
cannot tell (longer phrases) is verified on the text. At most MOST_WORDS keys a document: ids and names come first,
what lies behind the first some hundred different words of a very long text is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from operator import add
from typing import Any

from storage.texts import LONGEST_NAME, NAMES, SPACELESS, folded
from storage.words import Phrase, Term, is_spaceless, words_of

MOST_WORDS = 1_000
LONGEST_WORD = 48
"""Letters of a word that are indexed; longer ones are told apart on the text."""
_FIRST_SPACELESS = SPACELESS[0]


def keys_of(*texts: str, name: str = "") -> list[str]:
    """The index keys of folded texts, those of the first text first; before them those of `name`.

    Whoever writes does so again and again: the keys of a name are remembered.
    """
    found = list(_keys_of_name(name)) if len(name) <= LONGEST_NAME else _keys(name)
    whole = " ".join(texts)
    for text in (whole,) if whole.isascii() else texts:
        found += _keys(text)
    found = list(dict.fromkeys(found))
    return found if len(found) <= MOST_WORDS else found[:MOST_WORDS]


@lru_cache(maxsize=NAMES)
def _keys_of_name(name: str) -> tuple[str, ...]:
    return tuple(_keys(name))


def _keys(text: str) -> list[str]:
    words = words_of(text)
    if len(text) > LONGEST_WORD and words and max(map(len, words)) > LONGEST_WORD:
        words = [word[:LONGEST_WORD] for word in words]
    if text.isascii():
        return words
    return [*words, *_pairs(words)]


def _pairs(words: list[str]) -> Iterable[str]:
    """Neighbours of scripts without spaces. A pair too many, of other lone letters, does no harm and is cheaper."""
    if len("".join(words)) == len(words):
        return map(add, words, words[1:])
    first = _FIRST_SPACELESS
    return [a + b for a, b in pairwise(words) if a >= first and b >= first and len(a) == 1 == len(b)]


def is_exact(term: Term) -> bool:
    """Whether the index keys alone decide."""
    return all(map(_exact, term.phrases))


def _exact(phrase: Phrase) -> bool:
    words = phrase.words
    if any(len(word) > LONGEST_WORD for word in words):
        return False
    return len(words) == 1 or (len(words) == 2 and all(map(is_spaceless, words)))  # noqa: PLR2004 # a pair is a key


def condition_of(term: Term) -> dict[str, Any]:
    """What the index keys of a document that has this term fulfil."""
    either = [{"$and": _conditions(phrase)} for phrase in term.phrases]
    return either[0] if len(either) == 1 else {"$or": either}


def _conditions(phrase: Phrase) -> list[dict[str, Any]]:
    words, last = phrase.words, len(phrase.words) - 1
    found: list[dict[str, Any]] = []
    for place, word in enumerate(words):
        if place and is_spaceless(word) and is_spaceless(words[place - 1]):
            found.append({"words": words[place - 1] + word})
        elif place == last and phrase.prefix:
            found.append({"words": {"$regex": "^" + re.escape(word[:LONGEST_WORD])}})
        elif not (place < last and is_spaceless(word) and is_spaceless(words[place + 1])):
            found.append({"words": word[:LONGEST_WORD]})
    return found


def id_keys(text: str) -> list[str]:
    """Index keys that every message with exactly this id has; empty for an id that cannot be found by them."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate: no stored id has one
        return []
    return sorted(keys_of(folded(text)), key=len, reverse=True)[:3]
