"""`Labeller.label`: what a text is about, in which language, and whether somebody should look at once.

The rules of the text's language first; where they find nothing, the trained model, if it knows the language; `other`
only for texts that say something and fit nothing. What says nothing (ok, thanks, a number, an emoji) gets no label and
no language, so that it changes nothing about its conversation.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from services.labels.classifier import Classifier, packaged_classifier
from services.labels.language import Guess, guess_language
from services.labels.rules import Findings, Hit, Matcher, is_neutral
from services.labels.words import LANGUAGES, OTHER, packaged
from storage.label_records import OwnWords

REMEMBERED = 16_384
"""Texts whose labels are remembered: floods repeat themselves, apart from their numbers."""
NUMBER = re.compile(r"\d{4,}")
"""What stands for an order, a parcel or a telephone: no label hangs on its digits. A laugh does: 5555."""
LONGEST_DOUBTED = 60
"""Characters of a text whose language, when it is unsure, is tried against the words of its neighbours."""
ENOUGH_WORDS, ENOUGH_LETTERS = 3, 6
"""From how many words, or letters of a script without spaces, a text that fits nothing is `other`."""
NEAR = {"ms": "id"}
"""A language without words of its own, and the one whose words are near enough."""
EVERY = "*"
"""Stands for every language where people add words of their own."""
_SPACED = tuple(lang for lang in LANGUAGES if packaged(lang).script == "words")


class Labelled(Struct, frozen=True):
    """What is known of a text. `lang`: ISO 639-1, None when nobody could tell; `sure`: by rules, not by the model."""

    labels: tuple[str, ...] = ()
    lang: str | None = None
    sensitive: bool = False
    sure: bool = False


class Explained(Struct, frozen=True):
    """The same with its reasons: phrases found, how probable the language is, what the model said and when."""

    labelled: Labelled
    hits: tuple[Hit, ...] = ()
    language: Guess | None = None
    neutral: bool = False
    model: tuple[str, float] | None = None


NOTHING = Labelled()


class Labeller:
    """Labels texts with the packaged words and with what people changed about them."""

    def __init__(
        self,
        own: Iterable[OwnWords] = (),
        inactive: Collection[str] = (),
        classifier: Classifier | None = None,
    ) -> None:
        changes = list(own)
        self._inactive = frozenset(inactive)
        self._classifier = classifier or packaged_classifier()
        self._matchers = {
            lang: Matcher(packaged(lang), [change for change in changes if change.lang in {lang, EVERY}])
            for lang in LANGUAGES
        }
        self._numbers_say = any(NUMBER.search(phrase) for change in changes for phrase in change.added)
        self._remembered = lru_cache(REMEMBERED)(self._label)

    @property
    def looked_at(self) -> int:
        """How many texts took the work of being looked at; the others were remembered."""
        return self._remembered.cache_info().misses

    def forget(self) -> None:
        """Remember no text any more."""
        self._remembered.cache_clear()

    def label(self, text: str, lang: str | None = None) -> Labelled:
        """What a text is about; `lang` as the platform told it."""
        return self._remembered(self._without_numbers(text), lang)

    def _label(self, text: str, lang: str | None) -> Labelled:
        return self.explain(text, lang).labelled

    def _without_numbers(self, text: str) -> str:
        return text if self._numbers_say else NUMBER.sub(_digits_gone, text)

    def explain(self, text: str, lang: str | None = None) -> Explained:
        """The same, with reasons; labels that are not active are left out."""
        found = self._explained(self._without_numbers(text), lang)
        if self._inactive.isdisjoint(found.labelled.labels):
            return found
        labels = tuple(label for label in found.labelled.labels if label not in self._inactive)
        return replace(found, labelled=replace(found.labelled, labels=labels))

    def _explained(self, text: str, lang: str | None) -> Explained:
        if is_neutral(text):
            return Explained(NOTHING, neutral=True)
        guess = guess_language(text)
        tongue = _base(lang) or (guess.lang if guess else None)
        tongue, findings = self._findings(text, tongue, guess)
        if findings is not None and findings.labels:
            labelled = Labelled(findings.labels, tongue, findings.sensitive, sure=True)
            return Explained(labelled, findings.hits, guess)
        verdict = self._classifier.decided(text) if tongue in self._classifier.languages else None
        hits = findings.hits if findings is not None else ()
        sensitive = findings is not None and findings.sensitive
        labels = (verdict.label,) if verdict else (OTHER,) if _says_something(text, tongue) else ()
        if sensitive:
            labels = ("complaint",)
        model = (verdict.label, verdict.probability) if verdict else None
        return Explained(Labelled(labels, tongue, sensitive, sure=False), hits, guess, model=model)

    def _findings(self, text: str, lang: str | None, guess: Guess | None) -> tuple[str | None, Findings | None]:
        """The language whose words were found, and the findings; an unsure guess is tried against its neighbours."""
        matcher = self._matchers.get(NEAR.get(lang or "", lang or ""))
        findings = matcher.find(text) if matcher is not None else None
        if findings is not None and (findings.labels or findings.sensitive):
            return lang, findings
        if guess is not None and guess.sure and (lang == guess.lang or guess.lang not in self._matchers):
            return lang, findings
        if len(text) > LONGEST_DOUBTED:
            return lang, findings
        others = _SPACED if guess is None or guess.lang in _SPACED or guess.lang not in LANGUAGES else (guess.lang,)
        best, found = lang, findings
        for other in others:
            tried = self._matchers[other].find(text) if other != lang else None
            if tried is not None and tried.labels and (not found or tried.scores[:1] > found.scores[:1]):
                best, found = other, tried
        return (best, found) if found is not findings else (lang, findings)


def _digits_gone(number: re.Match[str]) -> str:
    digits = number[0]
    return digits if digits == digits[0] * len(digits) else "0" * len(digits)


def _base(lang: str | None) -> str | None:
    """The language of a tag such as zh-CN or pt_BR, when there are rules for it."""
    base = lang.replace("_", "-").partition("-")[0].lower() if lang else None
    return base if base in LANGUAGES else None


def _says_something(text: str, lang: str | None) -> bool:
    words = [word for word in text.split() if any(c.isalpha() for c in word)]
    if lang in LANGUAGES and lang not in _SPACED:
        return sum(map(len, words)) >= ENOUGH_LETTERS
    return len(words) >= ENOUGH_WORDS


__all__ = ["EVERY", "NOTHING", "Explained", "Labelled", "Labeller"]
