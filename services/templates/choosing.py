"""Which templates fit a conversation, and in which of their wordings; found by name or words, the most used first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import normalize

from msgspec import Struct

from storage.writing_records import Template, TemplateText


class Chosen(Struct, frozen=True, kw_only=True):
    """A template with the wording that fits."""

    template: Template
    wording: TemplateText


def chosen(
    templates: Iterable[Template], platform: str, langs: Sequence[str], query: str = "", *, most: int = 50
) -> list[Chosen]:
    """The templates in use that have a wording for the platform, those with the most use first, then by name.

    `langs`: the languages wanted, the best first. `query`: words of the name, the folder or the wording, in any order.
    """
    words = _folded(query).split()
    found: list[Chosen] = []
    for template in templates:
        wording = wording_for(template.texts, platform, langs) if template.active else None
        if wording is not None and _matches(template, wording, words):
            found.append(Chosen(template=template, wording=wording))
    return sorted(found, key=lambda one: _rank(one, words))[:most]


def wording_for(texts: Sequence[TemplateText], platform: str, langs: Sequence[str]) -> TemplateText | None:
    """The wording for platform and language; else for the platform, else for the language, else for all; else None.

    `pt-BR` is served by `pt` where there is nothing nearer, and `pt` by `pt-BR`.
    """
    for on, whose in ((platform, True), (platform, False), (None, True), (None, False)):
        here = [one for one in texts if one.platform == on]
        if not whose:
            if any_language := next((one for one in here if one.lang is None), None):
                return any_language
            continue
        for lang in langs:
            if same := _in_language(here, lang):
                return same
    return None


def _in_language(texts: Sequence[TemplateText], lang: str) -> TemplateText | None:
    wanted = _tag(lang)
    named = [(one, _tag(one.lang)) for one in texts if one.lang is not None]
    exact = next((one for one, tag in named if tag == wanted), None)
    general = next((one for one, tag in named if tag == wanted.partition("-")[0]), None)
    near = next((one for one, tag in named if tag.partition("-")[0] == wanted.partition("-")[0]), None)
    return exact or general or near


def _matches(template: Template, wording: TemplateText, words: Sequence[str]) -> bool:
    text = _folded(f"{template.name}\n{template.folder}\n{wording.text}")
    return all(word in text for word in words)


def _rank(one: Chosen, words: Sequence[str]) -> tuple[bool, int, str, str]:
    named = all(word in _folded(one.template.name) for word in words)
    return not named, -one.template.used, one.template.name, one.template.id


def _tag(lang: str) -> str:
    return lang.replace("_", "-").casefold()


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold()


__all__ = ["Chosen", "chosen", "wording_for"]
