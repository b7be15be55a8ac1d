"""The carriers' formats, read from `carriers.json`, and which of them a number has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from msgspec import Struct, json

from services.tracking.check_digits import RULES

LONGEST = 40
"""No carrier's number has more letters."""
Needs = Literal["nothing", "shape", "word", "name"]


class Format(Struct, frozen=True, kw_only=True):
    """One format; `rule` names its check digit, `prefix` is put before the serial number when that is reckoned."""

    id: str
    pattern: str
    needs: Needs
    rule: str | None = None
    weights: list[int] = []
    prefix: str = ""


class Carrier(Struct, frozen=True, kw_only=True):
    """One carrier; `names` it is called by in texts, `url` with {} where the number goes."""

    id: str
    name: str
    names: list[str] = []
    url: str | None = None
    formats: list[Format] = []


class _Book(Struct, frozen=True):
    carriers: list[Carrier]
    posts: dict[str, str]
    countries: str


_book = json.decode(Path(__file__).with_name("carriers.json").read_bytes(), type=_Book)
CARRIERS: dict[str, Carrier] = {carrier.id: carrier for carrier in _book.carriers}
_countries = frozenset(_book.countries.split())
_formats = [(carrier, form, re.compile(form.pattern)) for carrier in _book.carriers for form in carrier.formats]


class Match(Struct, frozen=True):
    """A number has this format of this carrier; `checked`: its check digit says so too."""

    carrier: Carrier
    format: Format
    checked: bool


def plain(number: str) -> str:
    """The number as carriers write it: capitals, no blanks, no hyphens."""
    return re.sub(r"[\s-]", "", number).upper()


@lru_cache(4096)
def matching(number: str) -> tuple[Match, ...]:
    """Every format that a plain number has; those whose check digit proves it first."""
    found = list(_matches(number)) if len(number) <= LONGEST else []
    return tuple(sorted(found, key=lambda match: not match.checked))


def link(carrier: Carrier, number: str) -> str | None:
    """Where the carrier shows this number; None when it has no such page."""
    return carrier.url.replace("{}", quote(number, safe="")) if carrier.url else None


def _matches(number: str) -> Iterator[Match]:
    for carrier, form, pattern in _formats:
        found = pattern.fullmatch(number)
        if found is None or not _checks(form, found):
            continue
        country = found.groupdict().get("country")
        if country is not None and country not in _countries:
            continue
        post = CARRIERS[_book.posts[country]] if country in _book.posts else carrier
        yield Match(post, form, form.rule is not None)


def _checks(form: Format, found: re.Match[str]) -> bool:
    if form.rule is None:
        return True
    serial: str = found["serial"]
    if not serial.startswith(form.prefix):
        serial = form.prefix + serial
    return RULES[form.rule](serial, form.weights) == found["check"]


__all__ = ["CARRIERS", "LONGEST", "Carrier", "Format", "Match", "link", "matching", "plain"]
