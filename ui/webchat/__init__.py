"""The widget of web chats as browsers load it, and a page to try it on. Shops embed `/chat/{account}/widget.js`."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.responses import RedirectResponse

from services.people.permissions import can

FOLDER = Path(__file__).parent
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=300"
SCRIPT = "text/javascript; charset=utf-8"
ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""What every page may load: the same for everybody, and nobody's."""


@cache
def widget() -> str:
    """The script without lines of comment, indentation, and blanks of a kind that none of its texts has."""
    lines = (line.strip() for line in (FOLDER / "weir-chat.js").read_text(encoding="utf-8").splitlines())
    whole = "\n".join(line for line in lines if line and not line.startswith("//"))
    for operator in ("=>", "===", "&&", "||", "=", "+", "<", ">", "*", "??"):
        whole = whole.replace(f" {operator} ", operator)
    for left, right in (
        (", ", ","),
        (": ", ":"),
        ("; ", ";"),
        ("{ ", "{"),
        (" }", "}"),
        (" {", "{"),
        (" ? ", "?"),
        (" :", ":"),
    ):
        whole = whole.replace(left, right)
    return whole


@cache
def words() -> dict[str, dict[str, str]]:
    """The widget's few words, by language."""
    return json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))


@cache
def version() -> str:
    """Changes whenever the widget or its words do."""
    return hashlib.sha256((widget() + json.dumps(words(), sort_keys=True)).encode()).hexdigest()[:12]


@cache
def loader() -> str:
    """The script that shops embed, which loads the widget of this version."""
    return (FOLDER / "loader.js").read_text(encoding="utf-8").replace("VERSION", version())


def serve_widget(api: FastAPI) -> None:
    """Serve the widget's files of every channel from `api`, to everybody, and the page to try it on to admins."""
    api.add_api_route("/chat/{account}/widget.js", _loader, include_in_schema=False, response_model=None)
    api.add_api_route("/chat/{account}/weir-chat.js", _widget, include_in_schema=False, response_model=None)
    api.add_api_route("/chat/{account}/words/{language}.json", _words, include_in_schema=False, response_model=None)
    api.add_api_route("/chat/{account}/try", _try, include_in_schema=False, response_model=None)


async def _loader(account: str) -> Response:
    del account
    return Response(loader(), media_type=SCRIPT, headers={**ANYWHERE, "Cache-Control": BRIEFLY})


async def _widget(account: str, v: str = "") -> Response:
    del account
    kept = FOREVER if v == version() else "no-cache"
    return Response(widget(), media_type=SCRIPT, headers={**ANYWHERE, "Cache-Control": kept})


async def _words(account: str, language: str, v: str = "") -> Response:
    del account
    kept = FOREVER if v == version() else "no-cache"
    body = json.dumps(words().get(language, words()["en"]), ensure_ascii=False)
    return Response(body, media_type="application/json", headers={**ANYWHERE, "Cache-Control": kept})


async def _try(account: str, request: Request) -> Response:
    del account
    caller = getattr(request.state, "caller", None)
    if caller is None:
        return RedirectResponse(f"/login?next={request.url.path}", 303)
    if not can(caller.role, "manage_channels"):
        return Response("Only admins may try a chat out here.", 403, media_type="text/plain")
    page = (FOLDER / "try.html").read_bytes()
    return Response(page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})


__all__ = ["loader", "serve_widget", "version", "widget", "words"]
