"""The part of a found text that is shown in a list: around the first place that was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

LENGTH = 280
LEAD = 80


class Excerpt(Struct, frozen=True, kw_only=True):
    """Part of a text from its character `start` on; `ranges` within it; whether something stands before or behind."""

    text: str
    start: int
    ranges: list[tuple[int, int]]
    cut_before: bool
    cut_behind: bool


def excerpt(text: str, ranges: Sequence[tuple[int, int]]) -> Excerpt:
    """Cut a text to LENGTH characters, the first range among them."""
    first = ranges[0][0] if ranges else 0
    start = max(0, first - LEAD) if first + LEAD > LENGTH else 0
    if start:
        # Not in the middle of a word, where one ends near by.
        blank = text.find(" ", start, first)
        start = blank + 1 if blank >= 0 and blank - start < LEAD // 2 else start
    end = min(len(text), start + LENGTH)
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in ranges if a < end and b > start]
    return Excerpt(text=text[start:end], start=start, ranges=inside, cut_before=start > 0, cut_behind=end < len(text))
