"""The architecture's promises that no linter knows: complete lists, honest names, small files, true pages."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("weir", "api", "ui", "services", "streams", "loadtest", "emulator", "connectors", "storage", "actors")
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
LONG_FILE = 400
FAR_TOO_LONG = 600

LISTS = (
    ("actors.detectors", "DETECTORS", "actors/detectors"),
    ("connectors.registry", "CONNECTORS", "connectors"),
    ("ui.pages", "PAGES", "ui/pages"),
    ("api.routes", "ROUTES", "api/routes"),
)
"""(module, its explicit list, the folder whose modules must all be in it)"""


def sources():
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def test_no_module_has_a_name_that_says_nothing():
    wrong = [name_of(p) for p in sources() if p.stem in BANNED_NAMES or p.parent.name in BANNED_NAMES]
    assert wrong == []


def test_every_module_says_what_it_is_for():
    silent = [name_of(p) for p in sources() if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert silent == []


def test_no_file_is_too_long_to_read(record_property):
    lengths = {name_of(p): len(p.read_text("utf-8").splitlines()) for p in sources()}
    record_property("long_files", sorted((n, f) for f, n in lengths.items() if n > LONG_FILE))
    assert {f: n for f, n in lengths.items() if n > FAR_TOO_LONG} == {}


@pytest.mark.parametrize(("module", "name", "folder"), LISTS, ids=[entry[1] for entry in LISTS])
def test_an_explicit_list_names_every_module_of_its_folder(module, name, folder):
    if not (ROOT / folder).is_dir():
        pytest.skip(f"{folder} is not there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a dependency warns of at its import is its own business
        loaded = importlib.import_module(module)
    source = Path(str(loaded.__file__)).read_text("utf-8")
    missing = [p.stem for p in sorted((ROOT / folder).glob("*.py")) if not listed(p, loaded, name, source)]
    assert missing == []


def listed(path, loaded, name, source):
    """A module counts as listed when its own things are in the list, or the list's file names it."""
    if path.stem.startswith("_") or Path(str(loaded.__file__)) == path:
        return True
    homes = {getattr(entry, "__module__", "") or getattr(entry, "__name__", "") for entry in getattr(loaded, name)}
    homes |= {getattr(entry, "__name__", "") for entry in getattr(loaded, name)}
    return any(home.split(".")[-1] == path.stem for home in homes) or re.search(rf"\b{path.stem}\b", source) is not None


def test_the_life_of_a_message_names_real_code():
    page = ROOT / "docs" / "life-of-a-message.md"
    if not page.exists():
        pytest.skip("docs/life-of-a-message.md is not there")
    unknown = [word for word in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")) if not exists(word.strip())]
    assert unknown == []


def exists(word):
    """A path must be there; a name, a dotted name or a call must be defined somewhere; anything else is prose."""
    if "/" in word:
        return (ROOT / word).exists() or word.split("/")[0] not in PACKAGES
    if re.fullmatch(r"[\w-]+\.(py|md|js|vue|css|yaml|toml)", word):
        return any(name_of(p).endswith(word) for p in sources()) or (ROOT / word).exists()
    name = re.fullmatch(r"([A-Za-z_]\w*(?:\.\w+)*)(?:\(.*\))?", word)
    return name is None or set(name.group(1).split(".")) <= definitions()


_DEFINED: set[str] = set()


def definitions():
    """Every module, class, function and constant of the code."""
    if not _DEFINED:
        for path in sources():
            _DEFINED.update(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    _DEFINED.add(node.name)
                elif isinstance(node, ast.alias):
                    _DEFINED.add(node.asname or node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    _DEFINED.add(node.id)
    return _DEFINED
