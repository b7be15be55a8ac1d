"""`weir channel template`: a connector to begin with, its sample of a webhook, and its test, which passes."""

import keyword
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from actors.errors import RejectedError
from connectors.registry import BY_PLATFORM
from weir.commands.console import Json, say, say_json, told_plainly

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLACES = {
    "module.py.txt": "connectors/{name}.py",
    "message.json.txt": "tests/connectors/payloads/{name}/message.json",
    "test.py.txt": "tests/connectors/test_{name}.py",
}


@told_plainly
def template(
    name: Annotated[str, typer.Argument(help="The platform, as in `shopee`.", metavar="NAME")],
    *,
    folder: Annotated[
        Path, typer.Option("--dir", help="The folder of Weir's sources; the files are put in their places there.")
    ] = Path(),
    as_json: Json = False,
) -> None:
    """Write a connector for a new platform with a sample and a test; nothing that is there is overwritten."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise RejectedError("NAME: lower-case letters, digits and underscores, a letter first, 40 at most")
    if name in BY_PLATFORM:
        raise RejectedError(f"NAME: there is a connector for {name} already")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    written = {folder / place.format(name=name): _filled(source, name, class_name) for source, place in PLACES.items()}
    there = [str(path) for path in written if path.exists()]
    if there:
        raise RejectedError(f"there already: {', '.join(there)}; move it away, or take another name")
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if as_json:
        say_json({"platform": name, "files": [str(path) for path in written]})
        return
    for path in written:
        say(f"written: {path}")
    say(f"now put {class_name} into connectors/registry.py, and read docs/adding-a-connector.md")


def _filled(source: str, name: str, class_name: str) -> str:
    text = (files("weir") / "templates" / "connector" / source).read_text(encoding="utf-8")
    return text.replace("@platform@", name).replace("@Platform@", class_name)
