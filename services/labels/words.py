"""The words that decide on labels, per language, as they come with Weir."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct, json

from storage.label_records import OTHER

DATA = Path(__file__).with_name("data")
LANGUAGES = ("de", "en", "es", "fr", "id", "ja", "ko", "pt", "th", "vi", "zh")
"""ISO 639-1 codes of the languages with rules."""
TOPICS = (
    "logistics",
    "refund",
    "return_exchange",
    "after_sales",
    "complaint",
    "product_enquiry",
    "promotion",
    "order_change",
    "payment",
    "account",
)
BUILT_IN = (*TOPICS, OTHER)
SENSITIVE = "sensitive"
"""Stands among labels where words are kept; for people it is a queue of its own."""


class Strengths(Struct, frozen=True):
    """One strong word decides alone, two weak ones together."""

    strong: list[str]
    weak: list[str] = []


class LanguageWords(Struct, frozen=True):
    """One language's file.

    `script`: `words` are separated by spaces, `letters` are not and are found anywhere. In `words`, a word that ends in
    `*` may go on, and `_` stands for up to three words of any kind. `fold`: accents do not count. `bare`: they do not
    where a text has none at all. `unless`: no word of that label counts within these.
    """

    script: Literal["words", "letters"]
    labels: dict[str, Strengths]
    sensitive: list[str]
    neutral: list[str]
    unless: dict[str, list[str]] = {}
    fold: bool = False
    bare: bool = False


@cache
def packaged(lang: str) -> LanguageWords:
    """The words that come with Weir for one of `LANGUAGES`."""
    return json.decode((DATA / f"{lang}.json").read_bytes(), type=LanguageWords)


__all__ = [
    "BUILT_IN",
    "DATA",
    "LANGUAGES",
    "OTHER",
    "SENSITIVE",
    "TOPICS",
    "LanguageWords",
    "Strengths",
    "packaged",
]
