"""Language and theme of a visitor, and the catalogue of texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from fastapi import Request

Language: TypeAlias = Literal["en", "zh"]
Theme: TypeAlias = Literal["light", "dark", "auto"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")
THEMES: tuple[Theme, ...] = ("light", "dark", "auto")
LANGUAGE_COOKIE = "weir_lang"
THEME_COOKIE = "weir_theme"

CATALOGUE = Path(__file__).parent / "catalogue"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Every text by key."""
    return json.loads((CATALOGUE / f"{language}.json").read_text(encoding="utf-8"))


def translator(language: Language) -> Callable[..., str]:
    """`t(key, **values)`: the text with its `{values}`; an unknown key raises KeyError, which tests find."""
    texts = catalogue(language)

    def t(key: str, **values: object) -> str:
        return texts[key].format(**values) if values else texts[key]

    return t


def language_of(request: Request, stored: str | None = None) -> Language:
    """What the person chose, else the cookie, else the browser's wish, else English."""
    for wish in (stored, request.cookies.get(LANGUAGE_COOKIE)):
        if wish in LANGUAGES:
            return "zh" if wish == "zh" else "en"
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag = part.split(";")[0].strip()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "en"


def theme_of(request: Request, stored: str | None = None) -> Theme:
    """What the person chose, else the cookie, else the system's."""
    for wish in (stored, request.cookies.get(THEME_COOKIE)):
        match wish:
            case "light" | "dark":
                return wish
            case _:
                continue
    return "auto"
