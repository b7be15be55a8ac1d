"""Texts with the label each should get, from the public data and from the packaged words.

Which data, and why they may be used: docs/labels.md. Every row is held out or trained on by its content: rows of the
same content words stay on one side, so that a generator's templates are not their own examination.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from zlib import crc32

from msgspec import Struct

from services.labels.language import common_words
from services.labels.words import LANGUAGES, OTHER, packaged

Side = Literal["train", "tune", "test"]
TESTED, TUNED, OF = 3, 1, 10
"""Of ten parts of the rows, how many are held out for the examination and for choosing the threshold."""
_SHORT = 2
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(r"[*_]")


class Sample(Struct, frozen=True):
    """One text: `also_ok` are labels that are not wrong for it; `weight` is how much it counts in training."""

    lang: str
    source: str
    text: str
    label: str
    side: Side
    also_ok: tuple[str, ...] = ()
    weight: float = 1.0


def samples(folder: Path) -> Iterator[Sample]:
    """Every sample that `folder` has; a set that is missing is left out."""
    yield from _intents(folder / "intents_bitext_en" / "utterances.csv")
    yield from _questions(folder / "product_questions_en" / "questions.csv")
    yield from _reviews(folder / "reviews_tokopedia_id" / "reviews.csv")
    yield from packaged_phrases()


def packaged_phrases() -> Iterator[Sample]:
    """The packaged words themselves, so that the model knows every label in every language."""
    for lang in LANGUAGES:
        for label, strengths in packaged(lang).labels.items():
            for phrase in strengths.strong:
                yield Sample(lang, "words", _MARKS.sub(" ", phrase), label, "train")


def _intents(file: Path) -> Iterator[Sample]:
    for row in _rows(file):
        also = tuple(filter(None, row["also_ok"].split(";")))
        yield Sample("en", "intents_en", row["text"], row["inbox_label"], _side(row["intent"], row["text"]), also)


def _questions(file: Path) -> Iterator[Sample]:
    for row in _rows(file):
        yield Sample("en", "product_questions_en", row["text"], "product_enquiry", _side("", row["text"]))


def _reviews(file: Path) -> Iterator[Sample]:
    """An angry review is a complaint; a happy one is about nothing that has to be done."""
    for row in _rows(file):
        label = "complaint" if row["emotion"] == "Anger" else OTHER if row["emotion"] in {"Happy", "Love"} else ""
        if label:
            yield Sample("id", "reviews_id", row["text"], label, _side("", row["text"]), weight=0.5)


def transcripts(folder: Path) -> Iterator[Sample]:
    """Thai service calls: never trained on, only examined with."""
    for row in _rows(folder / "intents_truevoice_th" / "utterances.csv"):
        also = tuple(filter(None, row["also_ok"].split(";")))
        yield Sample("th", "calls_th", row["text"], row["inbox_label"], "test", also)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    if file.exists():
        with file.open(encoding="utf-8", newline="") as rows:
            yield from csv.DictReader(rows)


def _side(group: str, text: str) -> Side:
    common = common_words("en")
    content = sorted({word for word in _WORD.findall(text.lower()) if word not in common and len(word) > _SHORT})
    place = crc32(f"{group} {' '.join(content)}".encode()) % OF
    return "test" if place < TESTED else "tune" if place < TESTED + TUNED else "train"


__all__ = ["Sample", "packaged_phrases", "samples", "transcripts"]
