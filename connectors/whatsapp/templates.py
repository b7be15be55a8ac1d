"""WhatsApp: messages in words that Meta approved, which may go out at any time.

After Meta's "Message templates", "Template components" and "Send template messages". Offered is what can be filled in
with text and one file in the head: pictures, films and documents there, buttons whose address ends in what is filled in
or that copy a code; no places, no catalogues, no codes to sign in with. A button that is filled in stands among the
words as a line of its own. Marketing that the customer has not agreed to is theirs to judge who send it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from connectors.contract import reading
from connectors.contract.asking import readable
from connectors.contract.calling import RefusedError
from connectors.contract.reading import Document
from connectors.contract.typed import BLANK, Wording
from connectors.meta.graph import Graph

FIELDS = "name,language,status,category,parameter_format,components"
PAGE = 100
MOST_PAGES = 20
HEAD, BODY, FOOT, BUTTONS = "HEADER", "BODY", "FOOTER", "BUTTONS"
_UNFIT = re.compile(r"[\n\r\t]| {5,}")
"""What Meta refuses in a value: line ends, tabs, more than four spaces in a row."""
_IN_HEAD = "HEAD_"
"""Before the names of blanks of the head; Meta's own names have no capitals."""
_ON_BUTTON: Mapping[str, tuple[str, str, str]] = {
    "BUTTON_": ("url", "text", "text"),
    "CODE_": ("copy_code", "coupon_code", "coupon_code"),
}
"""Before a button's number, as the name of its blank: its `sub_type`, the type of its value, where the value stands."""
_MEDIA: Mapping[str | None, Literal["image", "video", "document"]] = {
    "IMAGE": "image",
    "VIDEO": "video",
    "DOCUMENT": "document",
}


async def approved(graph: Graph, account: str) -> list[Wording]:
    """The approved templates of a business account. Raises the errors of `connectors.contract.calling`."""
    found: list[Wording] = []
    after = ""
    for _ in range(MOST_PAGES):
        query = [("fields", FIELDS), ("status", "APPROVED"), ("limit", str(PAGE))]
        query += [("after", after)] if after else []
        answer = await graph.get(account, "message_templates", query=query)
        with readable():
            parts = [reading.part({"template": one}, "template") for one in reading.items(answer, "data")]
            found += [wording for part in parts if (wording := _wording(part)) is not None]
            paging = reading.optional_part(answer, "paging")
            after = reading.text(reading.optional_part(paging, "cursors"), "after") or ""
        if not after or not paging.get("next"):
            break
    return found


def check_values(filled: Mapping[str, str]) -> None:
    """Raise RefusedError (code `blanks`) for a value that Meta would refuse."""
    for name, value in filled.items():
        if _UNFIT.search(value):
            raise RefusedError(f"{name}: a value is one line, without tabs and long gaps", "blanks")


def template(wording: Wording, filled: Mapping[str, str], media: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What is sent of a template; `media`: the file of its head, as Meta knows it."""
    name, _, language = wording.kind.rpartition("/")
    head: list[Any] = list(_parameters(wording, filled, head=True))
    if wording.media is not None:
        head.append({"type": wording.media, wording.media: dict(media or {})})
    parts = [
        {"type": kind, "parameters": parameters}
        for kind, parameters in (("header", head), ("body", list(_parameters(wording, filled, head=False))))
        if parameters
    ]
    parts += _buttons(wording, filled)
    return {"name": name, "language": {"code": language}} | ({"components": parts} if parts else {})


def _parameters(wording: Wording, filled: Mapping[str, str], *, head: bool) -> Iterator[dict[str, str]]:
    for blank in wording.blanks:
        if blank.startswith(_IN_HEAD) is head and not blank.startswith(tuple(_ON_BUTTON)):
            name = blank.removeprefix(_IN_HEAD)
            named = {} if name.isdigit() else {"parameter_name": name}
            yield {"type": "text", **named, "text": filled[blank]}


def _buttons(wording: Wording, filled: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for blank in wording.blanks:
        for prefix, (sub_type, kind, place) in _ON_BUTTON.items():
            if blank.startswith(prefix):
                value = {"type": kind, place: filled[blank]}
                about = {"type": "button", "sub_type": sub_type, "index": blank.removeprefix(prefix)}
                yield {**about, "parameters": [value]}


def _wording(found: Document) -> Wording | None:
    """None for one that is not approved, or that wants more than text and a file."""
    if reading.text(found, "status") != "APPROVED" or reading.text(found, "category") == "AUTHENTICATION":
        return None
    components = [reading.part({"part": one}, "part") for one in reading.items(found, "components")]
    by_type = {reading.text(one, "type"): one for one in components}
    head, media = _head(by_type.get(HEAD, {}))
    buttons = _lines(by_type.get(BUTTONS, {}))
    body = reading.text(by_type.get(BODY, {}), "text")
    if not body or head is None or buttons is None or set(by_type) - {HEAD, BODY, FOOT, BUTTONS}:
        return None
    foot = reading.text(by_type.get(FOOT, {}), "text")
    name, language = reading.identity(found, "name"), reading.identity(found, "language")
    words = "\n\n".join(filter(None, (head, body, foot, *buttons)))
    lang = language.replace("_", "-")
    return Wording(kind=f"{name}/{language}", title=name, lang=lang, words=words, media=media)


def _head(component: Document) -> tuple[str | None, Literal["image", "video", "document"] | None]:
    """The words of a head and the kind of its file; no words at all for one that wants something else."""
    wanted = reading.text(component, "format") or "TEXT"
    if wanted in _MEDIA:
        return "", _MEDIA[wanted]
    if wanted != "TEXT":
        return None, None
    text = reading.text(component, "text") or ""
    return BLANK.sub(lambda blank: f"{{{{{_IN_HEAD}{blank.group(1)}}}}}", text), None


def _lines(component: Document) -> list[str] | None:
    """A line for each button that is filled in; None where one wants more than text."""
    found: list[str] = []
    for number, one in enumerate(reading.items(component, "buttons")):
        button = reading.part({"button": one}, "button")
        kind, title = reading.text(button, "type"), reading.text(button, "text") or ""
        url = reading.text(button, "url") or ""
        if kind in {"OTP", "FLOW", "CATALOG", "MPM", "SPM"}:
            return None
        if kind == "COPY_CODE":
            found.append(f"{title}: {{{{CODE_{number}}}}}")
        elif BLANK.search(url):
            found.append(f"{title}: " + BLANK.sub(f"{{{{BUTTON_{number}}}}}", url))
    return found


__all__ = ["approved", "check_values", "template"]
