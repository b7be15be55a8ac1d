"""Fits multinomial logistic regression over sparse features by AdaGrad; seeded, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt
from random import Random

from msgspec import Struct

EPOCHS = 10
RATE = 0.5
SHRINK = 2e-5
"""L2 penalty, paid by the features a sample has."""
SEED = 20_260_101
INTERCEPT_RATE = 0.02
NEGLIGIBLE = 0.005
"""An error below this teaches nothing."""


class Example(Struct, frozen=True):
    """Numbers of the features it has, the place of its label, how much it counts."""

    features: list[int]
    label: int
    weight: float


class Weights(Struct):
    """`rows`: by feature, one weight per label."""

    rows: dict[int, list[float]]
    intercepts: list[float]


def fit(examples: Sequence[Example], labels: int) -> Weights:
    """The weights after EPOCHS passes in shuffled order."""
    random = Random(SEED)  # noqa: S311 # the same order every time is what is wanted
    weights = Weights({}, [0.0] * labels)
    squares: dict[int, list[float]] = {}
    order = list(range(len(examples)))
    for _ in range(EPOCHS):
        random.shuffle(order)
        for number in order:
            _step(weights, squares, examples[number], labels)
    return weights


def _step(weights: Weights, squares: dict[int, list[float]], example: Example, labels: int) -> None:
    value = 1 / sqrt(len(example.features))
    rows = [weights.rows.setdefault(feature, [0.0] * labels) for feature in example.features]
    logits = [
        intercept + value * sum(column)
        for intercept, column in zip(weights.intercepts, zip(*rows, strict=True), strict=True)
    ]
    highest = max(logits)
    parts = [exp(logit - highest) for logit in logits]
    total = sum(parts)
    errors = [part / total - (place == example.label) for place, part in enumerate(parts)]
    for place, error in enumerate(errors):
        weights.intercepts[place] -= INTERCEPT_RATE * example.weight * error
    worth = value * example.weight
    moving = [(place, error * worth) for place, error in enumerate(errors) if abs(error) > NEGLIGIBLE]
    for feature, row in zip(example.features, rows, strict=True):
        seen = squares.setdefault(feature, [1e-3] * labels)
        for place, gradient in moving:
            slope = gradient + SHRINK * row[place]
            seen[place] += slope * slope
            row[place] -= RATE * slope / sqrt(seen[place])


__all__ = ["Example", "Weights", "fit"]
