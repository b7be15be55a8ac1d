"""WhatsApp: messages in words that Meta approved, which may go out at any time.

After Meta's "Message templates" and "Send template messages". Offered is what can be filled in with text alone: no
pictures in the head, no buttons whose address is filled in, no codes to sign in with. Marketing that the customer has
not agreed to is theirs to judge who send it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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


def template(wording: Wording, filled: Mapping[str, str]) -> dict[str, Any]:
    """What is sent of a template. Raises RefusedError (code `blanks`) for a value that Meta would refuse."""
    for name, value in filled.items():
        if _UNFIT.search(value):
            raise RefusedError(f"{name}: a value is one line, without tabs and long gaps", "blanks")
    name, _, language = wording.kind.rpartition("/")
    parts = [
        {"type": kind, "parameters": parameters}
        for kind, head in (("header", True), ("body", False))
        if (parameters := list(_parameters(wording, filled, head=head)))
    ]
    return {"name": name, "language": {"code": language}} | ({"components": parts} if parts else {})


def _parameters(wording: Wording, filled: Mapping[str, str], *, head: bool) -> Iterator[dict[str, str]]:
    for blank in wording.blanks:
        if blank.startswith(_IN_HEAD) is head:
            name = blank.removeprefix(_IN_HEAD)
            named = {} if name.isdigit() else {"parameter_name": name}
            yield {"type": "text", **named, "text": filled[blank]}


def _wording(found: Document) -> Wording | None:
    """None for one that is not approved, or that cannot be filled in with text alone."""
    if reading.text(found, "status") != "APPROVED" or reading.text(found, "category") == "AUTHENTICATION":
        return None
    components = [reading.part({"part": one}, "part") for one in reading.items(found, "components")]
    if not all(map(_is_text, components)):
        return None
    texts = {reading.text(one, "type"): reading.text(one, "text") or "" for one in components}
    if not texts.get(BODY) or set(texts) - {HEAD, BODY, FOOT, BUTTONS}:
        return None
    head = BLANK.sub(lambda blank: f"{{{{{_IN_HEAD}{blank.group(1)}}}}}", texts.get(HEAD, ""))
    name, language = reading.identity(found, "name"), reading.identity(found, "language")
    words = "\n\n".join(filter(None, (head, texts[BODY], texts.get(FOOT, ""))))
    return Wording(kind=f"{name}/{language}", title=name, lang=language.replace("_", "-"), words=words)


def _is_text(component: Document) -> bool:
    match reading.text(component, "type"):
        case "HEADER":
            return (reading.text(component, "format") or "TEXT") == "TEXT"
        case "BUTTONS":
            buttons: Sequence[Any] = reading.items(component, "buttons")
            return not any(_is_filled_in(reading.part({"button": one}, "button")) for one in buttons)
        case _:
            return True


def _is_filled_in(button: Document) -> bool:
    filled = reading.text(button, "type") in {"OTP", "COPY_CODE", "FLOW", "CATALOG", "MPM"}
    return filled or bool(BLANK.search(reading.text(button, "url") or ""))


__all__ = ["approved", "template"]
