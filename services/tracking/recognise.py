"""Finding tracking numbers in a text, with the words around them as evidence for and against."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path

from msgspec import Struct, json

from services.tracking.formats import CARRIERS, LONGEST, Carrier, Match, link, matching, plain

SHORTEST = 8
FEWEST_DIGITS = 5
BEFORE = 60
"""How many letters before a number its word may stand."""
AFTER = 30
MOST = 50
"""Numbers told of one text: who sends more sends a list."""
LONGEST_TEXT = 20_000
_MOST_PIECES = 12

# Letters that look like ASCII's, one for one, so that places stay as they are in the text.
_ALIKE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_ALIKE |= dict.fromkeys(map(ord, "‐‑‒–—−"), ord("-")) | dict.fromkeys((0x00A0, 0x2007, 0x202F, 0x3000), ord(" "))  # noqa: RUF001 # these are what is meant
_PIECE = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+")
_MONEY_AND_CALLS = ("+", "$", "€", "£", "¥", "+(")
_INSIDE_BEFORE = re.compile(r"[0-9A-Za-z][._/\\@&=%]")
_INSIDE_AFTER = re.compile(r"[._/\\:,@&=%][0-9A-Za-z]")
_PREFIX = 4
_SUFFIX = 2
_JOINS = frozenset((" ", "-"))


class Found(Struct, frozen=True, kw_only=True):
    """A tracking number from `start` to before `end` of a text (in code points).

    `number` as carriers write it; `carriers` it may be of, the likeliest first, and where that one shows it; `formats`
    their formats; `sure`: nothing speaks against it, and something for it.
    """

    start: int
    end: int
    number: str
    carriers: list[str]
    formats: list[str]
    url: str | None
    sure: bool


class _Words:
    """The nearest of some words to a place of a text."""

    def __init__(self) -> None:
        words = json.decode(Path(__file__).with_name("words.json").read_bytes(), type=dict[str, dict[str, list[str]]])
        self._kinds = {word: kind for kind, langs in words.items() for word in chain(*langs.values())}
        self._pattern = _either(self._kinds)
        self._carriers: dict[str, list[str]] = {}
        for carrier in CARRIERS.values():
            for name in carrier.names:
                self._carriers.setdefault(name, []).append(carrier.id)
        self._names = _either(self._carriers)

    def kind(self, text: str, start: int, end: int) -> str | None:
        """`parcel`, `other` or None: the last word before the place, else the first after it."""
        before = [self._kinds[found[0]] for found in self._pattern.finditer(text, max(0, start - BEFORE), start)]
        if before:
            return before[-1]
        after = self._pattern.search(text, end, min(len(text), end + AFTER))
        return self._kinds[after[0]] if after else None

    def carriers(self, text: str, start: int, end: int) -> set[str]:
        """The carriers named around the place."""
        around = ((max(0, start - BEFORE), start), (end, min(len(text), end + AFTER)))
        named = (found[0] for low, high in around for found in self._names.finditer(text, low, high))
        return {carrier for name in named for carrier in self._carriers[name]}


class _Span(Struct, frozen=True):
    """A stretch of pieces; `whole`: no further piece is joined to it."""

    start: int
    end: int
    number: str
    pieces: int
    whole: bool


def recognise(text: str, known: Collection[str] = ()) -> list[Found]:
    """Give the tracking numbers in a text, in their order, none over another.

    Args:
        text: what somebody wrote; its first 20,000 code points are looked at.
        known: numbers of parcels that the writer's orders are known to have; they are found wherever they stand.

    """
    even = text[:LONGEST_TEXT].translate(_ALIKE)
    if sum(map(_digits, even)) < FEWEST_DIGITS:
        return []
    lower = _same_places(even)
    taken = [found.span() for found in _ADDRESS.finditer(even)]
    numbers = {plain(number) for number in known}
    found: list[Found] = []
    for span in _spans(even):
        if any(span.start < end and start < span.end for start, end in taken):
            continue
        one = _judged(span, even, lower, numbers)
        if one is not None:
            found.append(one)
            taken.append((span.start, span.end))
            if len(found) == MOST:
                break
    return sorted(found, key=lambda one: one.start)


def _judged(span: _Span, text: str, lower: str, known: Collection[str]) -> Found | None:
    matches = matching(span.number)
    if span.number in known:
        return _found(span, matches, named=set(), sure=True)
    if not matches or _part_of_more(text, span):
        return None
    kind, named = _words.kind(lower, span.start, span.end), _words.carriers(lower, span.start, span.end)
    believed = [match for match in matches if _believed(match, span, kind, named)]
    if not believed:
        return None
    told = kind != "other" and (kind == "parcel" or any(match.carrier.id in named for match in believed))
    proven = kind != "other" and any(match.format.needs == "nothing" for match in believed)
    return _found(span, believed, named, sure=told or proven)


def _believed(match: Match, span: _Span, kind: str | None, named: Collection[str]) -> bool:
    """Whether the words around are what this format needs."""
    needs, called = match.format.needs, match.carrier.id in named
    if span.pieces > 1 and not match.checked and not span.whole:
        return False
    if span.number.isdigit() and not span.whole:
        return False
    allowed: dict[str, bool] = {
        "nothing": True,
        "shape": kind != "other",
        "word": kind == "parcel" or (called and kind is None),
        "name": called and kind != "other" and (span.pieces == 1 or match.checked),
    }
    return allowed[needs]


def _found(span: _Span, matches: Collection[Match], named: Collection[str], *, sure: bool) -> Found:
    ordered = sorted(matches, key=lambda match: match.carrier.id not in named)
    carriers: dict[str, Carrier] = {match.carrier.id: match.carrier for match in ordered}
    first = next(iter(carriers.values()), None)
    return Found(
        start=span.start,
        end=span.end,
        number=span.number,
        carriers=[carrier.name for carrier in carriers.values()],
        formats=[match.format.id for match in ordered],
        url=link(first, span.number) if first else None,
        sure=sure,
    )


def _spans(text: str) -> Iterator[_Span]:
    """Stretches of letters and digits that may be one number, longer ones of a place first."""
    pieces = [(found.start(), found.end()) for found in _PIECE.finditer(text)]
    for first in range(len(pieces)):
        stretch: list[_Span] = []
        for last in range(first, min(len(pieces), first + _MOST_PIECES)):
            if last > first and not _joined(text, pieces[last - 1], pieces[last]):
                break
            start, end = pieces[first][0], pieces[last][1]
            number = plain(text[start:end])
            if len(number) > LONGEST:
                break
            if len(number) >= SHORTEST and _digits(number) and _numeric(text, pieces[first : last + 1]):
                whole = _whole(text, pieces, first, last)
                stretch.append(_Span(start, end, number, last - first + 1, whole))
        yield from reversed(stretch)


def _joined(text: str, left: tuple[int, int], right: tuple[int, int]) -> bool:
    return right[0] - left[1] == 1 and text[left[1]] in _JOINS


def _numeric(text: str, pieces: list[tuple[int, int]]) -> bool:
    """Whether each piece looks like a part of a number: a word of a sentence is none."""
    *rest, last = [text[start:end] for start, end in pieces]
    letters = [piece for piece in rest if not _digits(piece)]
    return all(len(piece) <= _PREFIX and piece.isupper() for piece in letters) and (
        _digits(last) or len(last) <= _SUFFIX
    )


def _whole(text: str, pieces: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether no further digits are joined to it; a long number of one piece may have some beside it, after a blank."""
    alone = first == last
    for at, other in ((first, first - 1), (last, last + 1)):
        if not 0 <= other < len(pieces):
            continue
        left, right = sorted((pieces[at], pieces[other]))
        joined = _joined(text, left, right) and _digits(text[slice(*pieces[other])])
        if joined and not (alone and text[left[1]] == " "):
            return False
    return True


def _part_of_more(text: str, span: _Span) -> bool:
    """Whether it is a piece of something else: a telephone number, an amount, a path."""
    before, after = text[max(0, span.start - 2) : span.start], text[span.end : span.end + 2]
    if before.endswith(_MONEY_AND_CALLS):
        return True
    return bool(_INSIDE_BEFORE.fullmatch(before) or _INSIDE_AFTER.fullmatch(after))


def _digits(piece: str) -> bool:
    return any("0" <= letter <= "9" for letter in piece)


def _same_places(text: str) -> str:
    """The text in small letters, letter for letter: `lower()` of some has two."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(low if len(low := each.lower()) == 1 else each for each in text)
    )


def _either(words: Collection[str]) -> re.Pattern[str]:
    """Any of these words, the longest first; those of alphabets that part words must be whole ones."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(_bounded(word) for word in ordered))


def _bounded(word: str) -> str:
    parts = re.escape(word)
    if not _parted(word[0]):
        return parts
    return rf"(?<![^\W\d_]){parts}(?![^\W\d_])"


def _parted(letter: str) -> bool:
    """Whether words of this letter's alphabet are parted by blanks: up to the end of Latin, with Vietnamese."""
    return letter < "\u0250" or "\u1e00" <= letter <= "\u1eff"


_words = _Words()
__all__ = ["Found", "recognise"]
