"""Other ways to guess a language, to hold `services.labels.language` against: the same texts, the same languages.

The packaged model alone is always there; `lingua-language-detector` and `py3langid` are measured where they are
installed, and always saying the commonest language is what any of them must beat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from importlib.util import find_spec

from services.labels.language import packaged_model

Guesser = Callable[[str], str | None]


def peers(languages: Collection[str], truth: Sequence[str]) -> dict[str, Guesser]:
    """By name, those there are; each answers only with one of `languages`."""
    commonest = Counter(truth).most_common(1)[0][0]
    found: dict[str, Guesser] = {
        "always the commonest": lambda _text: commonest,
        "lid.176.ftz alone": _model_alone(languages),
    }
    if find_spec("py3langid"):
        found["py3langid"] = _py3langid(languages)
    if find_spec("lingua"):
        found["lingua"] = _lingua(languages)
    return found


def _model_alone(languages: Collection[str]) -> Guesser:
    def guess(text: str) -> str | None:
        labels, _ = packaged_model().predict(" ".join(text.lower().split()), k=60)
        return next((one for label in labels if (one := label.removeprefix("__label__")) in languages), None)

    return guess


def _py3langid(languages: Collection[str]) -> Guesser:
    module = import_module("py3langid")
    module.set_languages(sorted(languages))
    return lambda text: module.classify(text)[0]


def _lingua(languages: Collection[str]) -> Guesser:
    module = import_module("lingua")
    codes = [getattr(module.IsoCode639_1, lang.upper()) for lang in sorted(languages)]
    detector = module.LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def guess(text: str) -> str | None:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else None

    return guess


__all__ = ["Guesser", "peers"]
