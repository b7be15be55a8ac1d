"""What a component imports is there: a missing name is found here and not by the first visitor of a page."""

import re

import pytest

from ui.components import MODULES

COMPONENTS = MODULES["weir-core"].parent
IMPORT = re.compile(r'import \{([^}]*)\} from "([^"]+)"')
EXPORTED = re.compile(r"^export (?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)
LISTED = re.compile(r'^export \{([^}]*)\}(?: from "[^"]+")?;', re.MULTILINE)
WHOLE = re.compile(r'^export \* from "\./([^"]+)"', re.MULTILINE)


def names_of(path):
    """What a file exports."""
    text = path.read_text(encoding="utf-8")
    names = set(EXPORTED.findall(text))
    for listed in LISTED.findall(text):
        names |= {name.split(" as ")[-1].strip() for name in listed.split(",") if name.strip()}
    for file in WHOLE.findall(text):
        names |= names_of(path.parent / file)
    return names


@pytest.mark.parametrize("path", sorted(COMPONENTS.rglob("*.js")), ids=lambda path: str(path.relative_to(COMPONENTS)))
def test_every_name_a_component_imports_is_exported(path):
    for wanted, source in IMPORT.findall(path.read_text(encoding="utf-8")):
        if source in MODULES:
            exports = names_of(MODULES[source] / "index.js")
        elif source.startswith("."):
            exports = names_of((path.parent / source).resolve())
        else:
            continue
        names = {name.split(" as ")[0].strip() for name in wanted.split(",") if name.strip()}
        assert names <= exports, source
