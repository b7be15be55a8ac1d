"""A small linear model over hashed character n-grams, for texts on which the rules say too little.

Multinomial logistic regression; the weights, one signed byte each, lie in `data/model.bin` (see `model_file.py`). All
labels' weights of one n-gram are the lanes of one Python integer, so that scoring a text is a sum of integers and needs
no library: some tens of microseconds. How it is trained: `training.py`.
"""

from __future__ import annotations

import re
from functools import cache
from math import exp, sqrt
from zlib import crc32

from msgspec import Struct

from services.labels.model_file import BIAS, LANE_BITS, Model, packaged_model
from services.labels.rules import compared

LONGEST = 240
"""Characters that are looked at."""
SIZES = (2, 3, 4)
_DIGITS = re.compile(r"\d+")


class Verdict(Struct, frozen=True):
    """The most probable label of a text, and how probable it is (0 to 1)."""

    label: str
    probability: float


def features(text: str, buckets: int) -> list[int]:
    """The numbers of a text's n-grams and words, each once, ascending."""
    padded = f" {_DIGITS.sub('0', compared(text[:LONGEST], spaced=True, fold=True))} "
    raw = padded.encode("utf-16-le", "surrogatepass")
    found = {crc32(raw[i : i + 2 * size]) % buckets for size in SIZES for i in range(0, len(raw) - 2 * size + 1, 2)}
    found.update(crc32(word.encode("utf-8", "surrogatepass"), 1) % buckets for word in padded.split())
    return sorted(found)


class Classifier:
    """The model at work."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._mask = (1 << LANE_BITS) - 1

    @property
    def languages(self) -> frozenset[str]:
        """Those it was trained and measured on; it is not asked about others."""
        return frozenset(self._model.languages)

    def verdict(self, text: str) -> Verdict | None:
        """The most probable label; None when no n-gram of the text was seen in training."""
        probabilities = self.probabilities(text)
        if probabilities is None:
            return None
        label = max(probabilities, key=probabilities.__getitem__)
        return Verdict(label, probabilities[label])

    def decided(self, text: str) -> Verdict | None:
        """The same, when it is probable enough to be acted on."""
        verdict = self.verdict(text)
        return verdict if verdict is not None and verdict.probability >= self._model.threshold else None

    def probabilities(self, text: str) -> dict[str, float] | None:
        """Every label's probability."""
        model = self._model
        rows = model.rows
        known = [rows[number] for number in features(text, model.buckets) if number in rows]
        if not known:
            return None
        lanes = sum(known)
        factor = model.scale / sqrt(len(known))
        logits = [
            intercept + factor * ((lanes >> (LANE_BITS * place) & self._mask) - BIAS * len(known))
            for place, intercept in enumerate(model.intercepts)
        ]
        highest = max(logits)
        weights = [exp(logit - highest) for logit in logits]
        total = sum(weights)
        return {label: weight / total for label, weight in zip(model.labels, weights, strict=True)}


@cache
def packaged_classifier() -> Classifier:
    """The one that comes with Weir."""
    return Classifier(packaged_model())


__all__ = ["Classifier", "Verdict", "features", "packaged_classifier"]
