"""The message templates of every emulated WhatsApp Business account, after "Message templates" of its pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_BLANK = re.compile(r"\{\{(\w+)\}\}")


def _template(name: str, *components: Mapping[str, Any], **more: str) -> dict[str, Any]:
    about = {"language": "en_US", "status": "APPROVED", "category": "UTILITY", "parameter_format": "POSITIONAL"}
    return {"name": name, **about, "components": list(components), **more}


TEMPLATES: Sequence[Mapping[str, Any]] = (
    _template(
        "order_on_its_way",
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {"type": "BODY", "text": "Hello {{1}}, your parcel is with {{2}} now."},
        {"type": "FOOTER", "text": "Thank you for your order"},
    ),
    _template(
        "back_soon",
        {"type": "BODY", "text": "Hola {{first_name}}, le respondemos en seguida."},
        language="es",
        parameter_format="NAMED",
    ),
    _template("hello_again", {"type": "BODY", "text": "Hello! May we go on with your question?"}),
    _template("still_looked_at", {"type": "BODY", "text": "Hello {{1}}!"}, status="PENDING"),
    _template(
        "with_a_picture", {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "This is what it looks like."}
    ),
)


def filled(said: Mapping[str, Any]) -> str | None:
    """What the customer reads; blanks that are not filled in stay. None when there is no such approved template."""
    code = (said.get("language") or {}).get("code")
    wanted = (said.get("name"), code, "APPROVED")
    found = next((one for one in TEMPLATES if (one["name"], one["language"], one["status"]) == wanted), None)
    if found is None:
        return None
    given = {str(one.get("type")).upper(): one.get("parameters") or [] for one in said.get("components") or []}
    return "\n\n".join(
        _put_in(str(one["text"]), given.get(one["type"], [])) for one in found["components"] if one.get("text")
    )


def _put_in(text: str, parameters: Sequence[Mapping[str, Any]]) -> str:
    values = {str(one.get("parameter_name") or number): str(one["text"]) for number, one in enumerate(parameters, 1)}
    return _BLANK.sub(lambda blank: values.get(blank.group(1), blank.group()), text)
