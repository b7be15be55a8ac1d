"""Files the browser loads: style sheets, fonts, the catalogue as a script; and what goes into every page's head."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from ui.language import CATALOGUE, LANGUAGES, Language, Theme, catalogue

STATIC = Path(__file__).parent / "static"
SHEETS = (
    "tokens.css",
    "app.css",
    "rail.css",
    "monitor.css",
    "mutes.css",
    "pages.css",
    "tuning.css",
    "settings.css",
    "inbox.css",
    "context.css",
    "thread.css",
    "search.css",
    "workload.css",
)
LOGIN_SHEETS = ("tokens.css", "app.css", "login.css")
FOREVER = "public, max-age=31536000, immutable"

# Runs before anything is painted: the theme must not flash.
THEME_SCRIPT = """(function(){var e=document.documentElement,w=%s,m=matchMedia("(prefers-color-scheme: dark)");
function s(){e.dataset.theme=w==="auto"?(m.matches?"dark":"light"):w}s();m.addEventListener("change",s);
window.weirTheme=function(t){w=t;s()}})();"""


class VersionedFiles(StaticFiles):
    """Static files whose addresses carry a version: the browser may keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with its cache rule; a request without a version is checked again every time."""
        response = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"") or path.endswith(".woff2")
        response.headers["Cache-Control"] = FOREVER if versioned else "no-cache"
        return response


@cache
def version() -> str:
    """Changes whenever a static file or a text does."""
    digest = hashlib.sha256()
    for path in sorted((*STATIC.glob("*.css"), *STATIC.glob("*.svg"), *CATALOGUE.glob("*.json"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def serve_assets(api: FastAPI) -> None:
    """Mount /static and the catalogue scripts on the parent app, where anonymous visitors may read them."""
    for language in LANGUAGES:
        script = f"window.weirTexts={as_script(catalogue(language))};".encode()

        async def texts(body: bytes = script) -> Response:
            return Response(body, media_type="text/javascript", headers={"Cache-Control": FOREVER})

        api.add_api_route(f"/static/texts.{language}.js", texts, include_in_schema=False, response_model=None)

    async def icon() -> Response:
        return FileResponse(STATIC / "icon.svg", headers={"Cache-Control": "max-age=86400"})

    api.add_api_route("/favicon.ico", icon, include_in_schema=False, response_model=None)
    api.mount("/static", VersionedFiles(directory=STATIC), name="static")


def as_script(value: Any) -> str:
    """JSON that may stand inside a script element: no text can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def sheet_links(sheets: tuple[str, ...]) -> str:
    """The link elements of these style sheets, the font first because everything waits for it."""
    font = '<link rel="preload" href="/static/fonts/inter-latin.woff2" as="font" type="font/woff2" crossorigin>'
    links = (f'<link rel="stylesheet" href="/static/{name}?v={version()}">' for name in sheets)
    return font + "".join(links)


def theme_script(theme: Theme) -> str:
    """The script element that sets the theme before the first paint."""
    return f"<script>{THEME_SCRIPT % json.dumps(theme)}</script>"


def page_head(language: Language, theme: Theme, boot: dict[str, Any]) -> str:
    """What the shell adds to its head: theme, sheets, texts and who is looking (`window.weir`)."""
    texts = f'<script src="/static/texts.{language}.js?v={version()}"></script>'
    return theme_script(theme) + sheet_links(SHEETS) + f"<script>window.weir={as_script(boot)};</script>" + texts
