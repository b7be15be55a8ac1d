"""What platforms dislike of a reply without refusing it: told before it is sent, so that nobody is punished for it.

Marketplaces punish sellers who lead buyers away from them. Own channels are free; there only what is bad style is told.
A further language: its words in `manners.json`. The words are folded (NFKC, case), and
stand alone where a script has spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from unicodedata import normalize

from msgspec import json

from connectors.contract.outgoing import Forbidden, Limits, Objection
from connectors.contract.rules import found

MARKETPLACES = frozenset({"amazon", "ebay", "shopee", "lazada", "tiktok", "temu", "wish", "aliexpress", "mercadolibre"})
PROMOTION_COUNTS = MARKETPLACES | {"whatsapp", "messenger", "instagram", "line"}
"""Where an answer that advertises is against the rules of conversations about orders."""
LEAST_LETTERS = 12
SHOUTED = 0.7
LONG = 1500
_WORDS: dict[str, list[str]] = json.decode(Path(__file__).with_suffix(".json").read_bytes())
_LINK = re.compile(r"https?://\S+")
_CASED = re.compile(r"[^\W\d_]")
_MANY_MARKS = re.compile(r"[!?！？]{3,}")  # noqa: RUF001 # full-width marks are written too
_KINDS: dict[Forbidden, tuple[str, str]] = {
    "links": ("link", "the platform dislikes links that lead away from it"),
    "emails": ("email", "the platform dislikes e-mail addresses in messages"),
    "phones": ("phone", "the platform dislikes phone numbers in messages"),
}


def warnings(text: str, platform: str, limits: Limits) -> list[Objection]:
    """What the platform dislikes of a text, and what is bad style anywhere; what it forbids is told by its limits."""
    found_all = [*_style(text)]
    folded = normalize("NFKC", text).casefold()
    if platform in MARKETPLACES:
        found_all += [*_leading_away(text, limits)]
        found_all += _words(folded, "elsewhere", "it reads as if the customer were led away from the platform")
    if platform in PROMOTION_COUNTS:
        found_all += _words(folded, "promo", "it reads as advertising or as asking for a review")
    return found_all


def _leading_away(text: str, limits: Limits) -> Iterator[Objection]:
    for kind in get_args(Forbidden):
        hit = next(found(text, kind), None) if kind not in limits.forbids else None
        if hit is not None:
            code, why = _KINDS[kind]
            yield Objection(code=code, text=f"{why}: {hit!r}", figures={"found": hit})


def _words(folded: str, code: str, why: str) -> list[Objection]:
    hit = next((word for word in _WORDS[code] if _stands(word, folded)), None)
    return [] if hit is None else [Objection(code=code, text=f"{why}: {hit!r}", figures={"found": hit})]


def _stands(word: str, folded: str) -> bool:
    if word[0].lower() == word[0].upper() and not word[0].isdigit():
        return word in folded  # a script without capitals, which has no spaces between words either
    return re.search(rf"(?<!\w){re.escape(word)}(?:s|en|n)?(?!\w)", folded) is not None


def _style(text: str) -> Iterator[Objection]:
    letters = [one for one in _CASED.findall(_LINK.sub(" ", text)) if one.lower() != one.upper()]
    if len(letters) >= LEAST_LETTERS and sum(one.isupper() for one in letters) > SHOUTED * len(letters):
        yield Objection(code="shouting", text="it is written in capitals, which reads as shouting")
    if marks := _MANY_MARKS.search(text):
        yield Objection(
            code="exclaiming", text=f"{marks.group()!r} reads as shouting", figures={"found": marks.group()[:9]}
        )
    if len(text) > LONG:
        yield Objection(
            code="long", text=f"it has {len(text)} characters; few read so much", figures={"length": len(text)}
        )


__all__ = ["MARKETPLACES", "PROMOTION_COUNTS", "warnings"]
