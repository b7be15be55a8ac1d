"""What the OpenAPI description says beyond the routes' own parameters: bodies, keys in paths, ways to authenticate."""

from typing import Any

import msgspec
from fastapi import FastAPI

from api.gate import COOKIE

Description = dict[str, Any]

SECURITY: Description = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A logged-in browser."},
}


def body_of(kind: type[msgspec.Struct]) -> Description:
    """A route's `openapi_extra` for a JSON body that is this record."""
    [schema], components = msgspec.json.schema_components([kind], ref_template="{name}")
    content = {"application/json": {"schema": _inlined(schema, components)}}
    return {"requestBody": {"content": content}}


def path_of(**parts: str) -> Description:
    """A route's `openapi_extra` for parts of the path that it reads itself, each with what it is."""
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in parts.items()
        ]
    }


def describe_security(app: FastAPI) -> None:
    """Add the ways to authenticate to the app's description."""
    described = app.openapi

    def with_security() -> Description:
        description = described()
        description.setdefault("components", {})["securitySchemes"] = SECURITY
        description["security"] = [{name: []} for name in SECURITY]
        return description

    app.openapi = with_security  # pyright: ignore[reportAttributeAccessIssue] # the framework's documented way


def _inlined(value: Any, components: dict[str, Any]) -> Any:
    """The schema with references replaced by what they name; records here do not contain themselves."""
    match value:
        case {"$ref": str(name)}:
            return _inlined(components[name], components)
        case dict():
            return {key: _inlined(item, components) for key, item in value.items()}
        case list():
            return [_inlined(item, components) for item in value]
        case _:
            return value
