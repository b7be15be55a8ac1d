"""The program: reads the samples, fits, chooses the threshold on rows it did not see, writes the file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from services.labels.classifier import Classifier, features
from services.labels.model_file import FILE, Head, read, written
from services.labels.training.fitting import Example, Weights, fit
from services.labels.training.samples import Sample, samples
from services.labels.words import BUILT_IN, DATA

BUCKETS = 1 << 16
HIGHEST = 127
PRECISE = 0.95
"""The share of right verdicts that the threshold is chosen for."""
LEAST = 0.75
"""Never below this: customers write otherwise than the data."""
LANGUAGES = ("en", "id")
"""Those with rows to train on and rows to be examined with."""


def main(arguments: list[str]) -> int:
    """Train and write; 2 when the folder has no data."""
    parser = argparse.ArgumentParser(prog="python -m services.labels.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with the public data sets")
    parser.add_argument("--out", type=Path, default=DATA / FILE)
    given = parser.parse_args(arguments)
    rows = list(samples(given.folder))
    if all(row.source == "words" for row in rows):
        print(  # noqa: T201 # a program that is run by hand
            f"{given.folder} holds none of the data sets; see docs/labels.md", file=sys.stderr
        )
        return 2
    data = trained(rows)
    given.out.write_bytes(data)
    print(f"{given.out}: {len(data):,} bytes, threshold {read(data).threshold:.2f}")  # noqa: T201 # as above
    return 0


def trained(rows: Sequence[Sample]) -> bytes:
    """The model's file for these samples."""
    places = {label: place for place, label in enumerate(BUILT_IN)}
    examples = [
        Example(found, places[row.label], row.weight)
        for row in rows
        if row.side == "train" and (found := features(row.text, BUCKETS))
    ]
    weights = fit(examples, len(BUILT_IN))
    sources = ", ".join(dict.fromkeys(row.source for row in rows))
    first = _file(weights, 0.0, f"{len(examples)} texts: {sources}")
    return _file(weights, threshold(Classifier(read(first)), rows), f"{len(examples)} texts: {sources}")


def _file(weights: Weights, least: float, sources: str) -> bytes:
    largest = max(abs(weight) for row in weights.rows.values() for weight in row)
    scale = largest / HIGHEST
    steps = {bucket: [round(weight / scale) for weight in row] for bucket, row in weights.rows.items()}
    head = Head(
        labels=list(BUILT_IN),
        languages=list(LANGUAGES),
        buckets=BUCKETS,
        scale=scale,
        intercepts=[round(value, 6) for value in weights.intercepts],
        threshold=least,
        trained=sources,
    )
    return written(head, {bucket: row for bucket, row in steps.items() if any(row)})


def threshold(classifier: Classifier, rows: Sequence[Sample]) -> float:
    """From which probability on at least PRECISE of the verdicts on the rows for tuning are right; LEAST or more."""
    judged = [
        (verdict.probability, verdict.label in {row.label, *row.also_ok})
        for row in rows
        if row.side == "tune" and (verdict := classifier.verdict(row.text)) is not None
    ]
    judged.sort(reverse=True)
    right, found = 0, 1.0
    for number, (probability, is_right) in enumerate(judged, start=1):
        right += is_right
        if right / number >= PRECISE:
            found = probability
    return max(LEAST, round(found, 3))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
