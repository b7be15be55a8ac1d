"""Finds the words of a language's labels in a text: some tens of microseconds a message.

Every phrase is filed under its first two or three characters; a text is looked through once, at the beginnings of its
words or, where a script has no spaces, at every character. Where a phrase lies within a longer one of another label,
the longer one counts: "track my refund" is no question about a parcel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from unicodedata import category, normalize

from msgspec import Struct
from msgspec.structs import replace

from services.labels.words import LANGUAGES, SENSITIVE, LanguageWords, packaged
from storage.label_records import OwnWords

STRONG, WEAK = 2, 1
ENOUGH = 2
"""From this score on a label is given."""
SHORT_WORDS, SHORT_LETTERS = 2, 5
"""In a text no longer than this one weak word is enough: "price?" asks for the price."""
MOST = 3
"""Labels given for one text."""
LONGEST = 2_000
"""Characters of a message that are looked at."""
NEUTRAL_LENGTH = 40
GAP = "_"
_SHORTEST_BARE = 6

_NO_WORD = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\w+")
_STRETCHED = re.compile(r"(.)\1{2,}")
_PLAIN = {ord("đ"): "d", 0x131: "i", ord("ø"): "o", ord("ł"): "l"}


class Hit(Struct, frozen=True):
    """A phrase found: as it is written in the list, of which label, where in the text as it was compared."""

    label: str
    phrase: str
    weight: int
    start: int
    end: int


class Findings(Struct, frozen=True):
    """What the rules say of a text: (label, score) with the highest score first, and the phrases behind it."""

    scores: tuple[tuple[str, int], ...]
    hits: tuple[Hit, ...]
    sensitive: bool
    enough: int = ENOUGH

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels the text earned."""
        if not self.scores:
            return ()
        least = max(self.enough, self.scores[0][1] // 2)
        return tuple(label for label, score in self.scores if score >= least)[:MOST]


class _Phrase(Struct, frozen=True):
    label: str
    phrase: str
    weight: int
    literal: str
    open_end: bool = False
    pattern: re.Pattern[str] | None = None
    unless: bool = False


class Matcher:
    """One language's words, compiled."""

    def __init__(self, words: LanguageWords, own: Iterable[OwnWords] = ()) -> None:
        self._spaced = words.script == "words"
        self._key = 3 if self._spaced else 2
        self._fold = words.fold
        phrases = list(_phrases(words, list(own)))
        self._index = self._filed(phrases, plain_only=False)
        self._bare = self._filed(phrases, plain_only=True) if words.bare else None

    def find(self, text: str) -> Findings:
        """What is found in a text."""
        text = compared(text[:LONGEST], spaced=self._spaced, fold=self._fold) + "  " * self._spaced
        index = self._bare if self._bare is not None and text.isascii() else self._index
        hits = _settled(self._found(text, index))
        scores: dict[str, int] = {}
        for label, _, weight in {(hit.label, hit.phrase, hit.weight) for hit in hits}:
            scores[label] = scores.get(label, 0) + weight
        sensitive = scores.pop(SENSITIVE, 0) >= ENOUGH
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        short = len(text.split()) <= SHORT_WORDS if self._spaced else len(text) <= SHORT_LETTERS
        return Findings(tuple(ranked), tuple(hits), sensitive, WEAK if short else ENOUGH)

    def _found(self, text: str, index: dict[str, list[_Phrase]]) -> Iterator[tuple[_Phrase, int, int]]:
        starts = (word.start() for word in _WORD.finditer(text)) if self._spaced else range(len(text))
        nothing: list[_Phrase] = []
        last = len(text) - 1
        for start in starts:
            filed = index.get(text[start : start + self._key], nothing)
            if not self._spaced and start < last:
                filed = filed + index.get(text[start], nothing)  # words of a single character are filed under that
            for phrase in filed:
                end = self._end(phrase, text, start)
                if end:
                    yield phrase, start, end

    def _end(self, phrase: _Phrase, text: str, start: int) -> int:
        """Where the phrase that begins at `start` ends; 0 when it is not there."""
        if phrase.pattern is not None:
            found = phrase.pattern.match(text, start)
            return found.end() if found else 0
        if not text.startswith(phrase.literal, start):
            return 0
        end = start + len(phrase.literal)
        if phrase.open_end:
            return end
        if self._spaced:
            return end if text[end] == " " else 0
        inside = phrase.literal.isascii() and (_latin(text[end : end + 1]) or (start and _latin(text[start - 1])))
        return 0 if inside else end

    def _filed(self, phrases: Iterable[_Phrase], *, plain_only: bool) -> dict[str, list[_Phrase]]:
        index: dict[str, list[_Phrase]] = {}
        for phrase in phrases:
            made = _compiled(phrase, spaced=self._spaced, fold=self._fold or plain_only)
            if not made.literal or (plain_only and len(made.literal) < _SHORTEST_BARE):
                continue  # without its marks a short syllable may be anything
            index.setdefault((made.literal + "  " * self._spaced)[: self._key], []).append(made)
        return index


def _phrases(words: LanguageWords, own: Iterable[OwnWords]) -> Iterator[_Phrase]:
    off = {(change.label, phrase) for change in own for phrase in change.off}
    for label, strengths in words.labels.items():
        yield from (_Phrase(label, word, STRONG, "") for word in strengths.strong if (label, word) not in off)
        yield from (_Phrase(label, word, WEAK, "") for word in strengths.weak if (label, word) not in off)
    yield from (_Phrase(SENSITIVE, word, STRONG, "") for word in words.sensitive if (SENSITIVE, word) not in off)
    for change in own:
        yield from (_Phrase(change.label, word, STRONG, "") for word in change.added)
    for label, listed in words.unless.items():
        yield from (_Phrase(label, word, 0, "", unless=True) for word in listed)


def _compiled(phrase: _Phrase, *, spaced: bool, fold: bool) -> _Phrase:
    if not spaced:
        return replace(phrase, literal=compared(phrase.phrase, spaced=False, fold=False))
    tokens: list[str] = []
    for part in phrase.phrase.split():
        end = "*" if part.endswith("*") else ""
        tokens += [GAP] if part == GAP else [word + end for word in compared(part, spaced=True, fold=fold).split()]
    written = " ".join(tokens)
    first = re.split(r"[*_]", written, maxsplit=1)[0]
    if GAP in tokens or "*" in written[:-1]:
        return replace(phrase, literal=first, pattern=_pattern(tokens))
    return replace(phrase, literal=first, open_end=written.endswith("*"))


def _pattern(tokens: list[str]) -> re.Pattern[str]:
    parts: list[str] = []
    for token in tokens:
        if token == GAP:
            parts.append(r"(?:\w+ ){0,3}")
        else:
            parts.append(re.escape(token.rstrip("*")) + (r"\w*" if token.endswith("*") else "") + " ")
    return re.compile("".join(parts).rstrip() + "(?= )")


def _settled(found: Iterable[tuple[_Phrase, int, int]]) -> list[Hit]:
    """Those that count: not within an `unless` of their label, not within a longer phrase of another one."""
    all_found = list(found)
    hits: list[Hit] = []
    for phrase, start, end in all_found:
        if phrase.unless:
            continue
        for other, other_start, other_end in all_found:
            if other_start > start or other_end < end:
                continue
            longer = other_end - other_start > end - start
            if other.label == phrase.label and other.unless:
                break
            if (
                longer
                and other.label != phrase.label
                and not other.unless
                and SENSITIVE not in {phrase.label, other.label}
            ):
                break
        else:
            hits.append(Hit(phrase.label, phrase.phrase, phrase.weight, start, end))
    return hits


def compared(text: str, *, spaced: bool, fold: bool) -> str:
    """A text as it is compared: no capitals, one form of every character, nothing but words and single spaces."""
    text = normalize("NFKC", text).casefold()
    if fold and not text.isascii():
        text = unaccented(text)
    return _NO_WORD.sub(" ", text).strip() if spaced else _SPACE.sub(" ", text).strip()


def unaccented(text: str) -> str:
    """Without accents and the like, for languages whose writers often leave them out."""
    parts = normalize("NFD", text.translate(_PLAIN))
    return "".join(c for c in parts if category(c) != "Mn")


def is_neutral(text: str) -> bool:
    """Whether a text says nothing of what it is about: ok, thanks, hello, a number, an emoji, nothing."""
    if len(text) > NEUTRAL_LENGTH:
        return not any(c.isalpha() for c in text[:LONGEST])
    if text.isascii():
        words = " ".join(_NO_WORD.sub(" ", text.lower()).split())
    else:
        letters = "".join(c if category(c)[0] in "LMN" else " " for c in normalize("NFKC", text).casefold())
        words = " ".join(letters.split())
    return not any(c.isalpha() for c in words) or words in _neutral() or _STRETCHED.sub(r"\1", words) in _neutral()


@cache
def _neutral() -> frozenset[str]:
    listed = (word for lang in LANGUAGES for word in packaged(lang).neutral)
    return frozenset(" ".join(normalize("NFKC", word).casefold().split()) for word in listed)


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


__all__ = ["GAP", "Findings", "Hit", "Matcher", "compared", "is_neutral", "unaccented"]
