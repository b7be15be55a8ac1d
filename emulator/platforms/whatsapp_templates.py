"""The message templates of every emulated WhatsApp Business account, after "Message templates" of its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    _template(
        "follow_it",
        {"type": "BODY", "text": "Your parcel is on its way, {{1}}."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Thank you"},
                {"type": "URL", "text": "Follow it", "url": "https://parcels.example/{{1}}"},
                {"type": "COPY_CODE", "text": "Copy the code"},
            ],
        },
    ),
    _template(
        "at_our_shop", {"type": "HEADER", "format": "LOCATION"}, {"type": "BODY", "text": "Here you can collect it."}
    ),
)
MEDIA = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document"}


def filled(said: Mapping[str, Any]) -> str | None:
    """What the customer reads; blanks that are not filled in stay. None when there is no such approved template."""
    found = _found(said)
    if found is None:
        return None
    given = {str(one.get("type")).upper(): one.get("parameters") or [] for one in said.get("components") or []}
    texts = [_put_in(str(one["text"]), given.get(one["type"], [])) for one in found["components"] if one.get("text")]
    buttons = [button for one in found["components"] for button in one.get("buttons") or []]
    return "\n\n".join([*texts, *_lines(buttons, said)])


def head(said: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The kind of file that the head of a template wants, and the id of the one that is given."""
    components = (_found(said) or {}).get("components", [])
    wanted = next((MEDIA.get(str(one.get("format"))) for one in components if one["type"] == "HEADER"), None)
    given = [one for part in said.get("components") or [] if part.get("type") == "header" for one in part["parameters"]]
    own = next((str(one[wanted].get("id") or "") for one in given if wanted and one.get("type") == wanted), None)
    return wanted, own


def _found(said: Mapping[str, Any]) -> Mapping[str, Any] | None:
    code = (said.get("language") or {}).get("code")
    wanted = (said.get("name"), code, "APPROVED")
    return next((one for one in TEMPLATES if (one["name"], one["language"], one["status"]) == wanted), None)


def _lines(buttons: Sequence[Mapping[str, Any]], said: Mapping[str, Any]) -> Iterator[str]:
    """What the buttons lead to that are filled in, each as a line."""
    given = {
        (one.get("sub_type"), str(one.get("index"))): one["parameters"][0]
        for one in said.get("components") or []
        if one.get("type") == "button"
    }
    for number, one in enumerate(buttons):
        if one["type"] == "COPY_CODE":
            code = given.get(("copy_code", str(number)), {}).get("coupon_code", "{{1}}")
            yield f"{one['text']}: {code}"
        elif "{{1}}" in one.get("url", ""):
            ending = given.get(("url", str(number)), {}).get("text", "{{1}}")
            yield f"{one['text']}: {one['url'].replace('{{1}}', ending)}"


def _put_in(text: str, parameters: Sequence[Mapping[str, Any]]) -> str:
    values = {str(one.get("parameter_name") or number): str(one["text"]) for number, one in enumerate(parameters, 1)}
    return _BLANK.sub(lambda blank: values.get(blank.group(1), blank.group()), text)
