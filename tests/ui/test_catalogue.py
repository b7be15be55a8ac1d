"""One catalogue for every text: complete in both languages, nothing unused, no text beside it."""

import json
import re
from pathlib import Path

import pytest

from actors.anomaly import CURES, KINDS, SEVERITIES, STATUSES
from connectors.registry import CONNECTORS
from services.people.permissions import ROLES
from ui.language import CATALOGUE, LANGUAGES, catalogue
from ui.login import ERRORS
from ui.pages import PAGES

UI = CATALOGUE.parent
SCRIPTS = sorted(path for path in (UI / "components").rglob("*.js") if path.name != "icons.js")
SOURCES = {path: path.read_text(encoding="utf-8") for path in (*SCRIPTS, *UI.rglob("*.py"))}
KEY = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_-]+)*")
QUOTED = re.compile(r"""["'`]([a-z][\w.-]*)["'`]""")
COMPUTED = re.compile(r"""["'`]([a-z][\w-]*(?:\.[\w-]+)*\.)(?:["'`]|\$\{|\{)""")
ASKED = re.compile(r"""\bt\(\s*["'`]([^"'`$+]+)["'`]\s*[,)]""")
COUNTED = re.compile(r"""\btn\(\s*["'`]([^"'`$+]+)["'`]\s*,""")
TEMPLATE = re.compile(r"template:\s*(?://[^\n]*\n\s*)?`(.*?)`", re.DOTALL)
LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
SPOKEN = re.compile(r"""\s(title|aria-label|placeholder|alt)="[^"]*[A-Za-z]""")
PROPER_NAMES = {"VIP"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_in_every_language(language):
    assert set(catalogue(language)) == set(catalogue("en"))
    assert all(text.strip() for text in catalogue(language).values())


def test_both_languages_fill_in_the_same_values():
    for key, text in catalogue("en").items():
        wanted = set(re.findall(r"\{(\w+)\}", text))
        found = set(re.findall(r"\{(\w+)\}", catalogue("zh")[key]))
        assert found <= wanted | {"n"}, key
        assert wanted <= found | {"n"}, key


def test_the_catalogue_is_sorted_so_that_two_people_can_add_to_it():
    for language in LANGUAGES:
        keys = list(json.loads((CATALOGUE / f"{language}.json").read_text(encoding="utf-8")))
        assert keys == sorted(keys)


def test_no_text_is_left_that_nobody_shows():
    words = {match for source in SOURCES.values() for match in QUOTED.findall(source)}
    families = {match for source in SOURCES.values() for match in COMPUTED.findall(source)}
    counted = {f"{word}.{number}" for word in words for number in ("one", "other")}
    unused = [
        key
        for key in catalogue("en")
        if key not in words | counted and not any(key.startswith(family) for family in families)
    ]
    assert unused == []


def test_every_text_that_is_asked_for_exists():
    texts = catalogue("en")
    for path, source in SOURCES.items():
        missing = [key for key in ASKED.findall(source) if KEY.fullmatch(key) and key not in texts]
        missing += [key for key in COUNTED.findall(source) if f"{key}.other" not in texts or f"{key}.one" not in texts]
        assert missing == [], path.name


def test_whatever_the_core_can_name_has_a_text():
    texts = catalogue("en")
    steps = {step for guide in CURES.values() for step in guide}
    names = {
        "kind": KINDS,
        "kind.short": KINDS,
        "severity": SEVERITIES,
        "status": STATUSES,
        "role": ROLES,
        "action": steps,
        "login.error": ERRORS,
    }
    wanted = {f"{family}.{name}" for family, members in names.items() for name in members}
    assert wanted | {page.label for page in PAGES} <= set(texts)


def test_whatever_a_platform_wants_to_know_has_a_text():
    texts = catalogue("en")
    wanted = [(connector.platform, setting.name) for connector in CONNECTORS for setting in connector.settings]
    assert {f"binding.name.{name}" for _, name in wanted} <= set(texts)
    assert {f"binding.about.{platform}.{name}" for platform, name in wanted} <= set(texts)
    written = {key for key in texts if key.startswith("binding.about.")}
    assert written <= {f"binding.about.{platform}.{name}" for platform, name in wanted}


def test_whatever_a_platform_lets_a_seller_begin_has_a_text():
    begun = [kind for connector in CONNECTORS for kind in getattr(connector, "kinds", ())]
    assert len(begun) > 10
    assert {f"typed.kind.{kind}" for kind in begun} <= set(catalogue("en"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(UI)))
def test_a_component_has_no_text_of_its_own(path: Path):
    for template in TEMPLATE.findall(SOURCES[path]):
        spoken = re.sub(r"\{\{.*?\}\}", "", template, flags=re.DOTALL)
        assert not SPOKEN.search(spoken), path.name
        shown = re.sub(r"<(?:\"[^\"]*\"|'[^']*'|[^>\"'])*>", " ", spoken)
        assert set(LETTERS.findall(shown)) <= PROPER_NAMES, path.name


def test_a_component_never_shows_markup_it_was_given():
    for path, source in SOURCES.items():
        if path.suffix == ".js":
            assert "v-html" not in source, path.name
            assert ':href="row.url' not in source, path.name
            # parts.js draws our own icons and glyphs, whose markup is in this repository.
            assert "innerHTML" not in source or path.name == "parts.js", path.name
