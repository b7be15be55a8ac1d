"""What makes the screens an app that can be installed: manifest, icons, service worker, and a page without network."""

from __future__ import annotations

from html import escape

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from ui.assets import STATIC, theme_script
from ui.language import language_of, theme_of, translator

ICONS = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"), ("maskable-512.png", 512, "maskable"))
"""In static/icons; drawn from static/icon.svg by tests/ui/inbox/draw_icons.py."""
COLOURS = {"light": "#f5f6f8", "dark": "#0c0e12"}

PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"><title>{title}</title>{theme}
<style>:root{{color-scheme:light}}:root[data-theme=dark]{{color-scheme:dark}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:15px/1.5 system-ui,sans-serif;background:#f5f6f8;
color:#13161c}}:root[data-theme=dark] body{{background:#0c0e12;color:#eceef2}}main{{padding:24px;text-align:center;
max-width:420px}}h1{{font-size:19px;margin:0 0 6px}}p{{margin:0 0 18px}}a{{display:inline-block;padding:12px 20px;
border-radius:8px;background:#3358d4;color:#fff;font-weight:600;text-decoration:none}}</style></head>
<body><main><h1>{title}</h1><p>{text}</p><a href="/inbox">{again}</a></main></body></html>"""


def serve_installable(api: FastAPI) -> None:
    """Put /manifest.webmanifest, /sw.js and /offline on the parent app, open to everybody: none is private."""

    async def manifest() -> Response:
        return JSONResponse(about(), media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})

    async def worker() -> Response:
        return FileResponse(STATIC / "sw.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    async def offline(request: Request) -> Response:
        language = language_of(request)
        t = translator(language)
        body = PAGE.format(
            lang="zh-CN" if language == "zh" else "en",
            theme=theme_script(theme_of(request)),
            title=escape(t("offline.title")),
            text=escape(t("offline.text")),
            again=escape(t("error.retry")),
        )
        return HTMLResponse(body, headers={"Cache-Control": "no-cache"})

    for path, answer in (("/manifest.webmanifest", manifest), ("/sw.js", worker), ("/offline", offline)):
        api.add_api_route(path, answer, include_in_schema=False, response_model=None)


def about() -> dict[str, object]:
    """The manifest (W3C Web Application Manifest)."""
    return {
        "id": "/inbox",
        "name": "Weir",
        "short_name": "Weir",
        "start_url": "/inbox",
        "scope": "/",
        "display": "standalone",
        "background_color": COLOURS["light"],
        "theme_color": COLOURS["light"],
        "icons": [
            {"src": f"/static/icons/{name}", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in ICONS
        ],
    }


def head_of() -> str:
    """What every page's head says of it."""
    return (
        '<link rel="manifest" href="/manifest.webmanifest">'
        '<link rel="apple-touch-icon" href="/static/icons/icon-192.png">'
        f'<meta name="theme-color" content="{COLOURS["light"]}" media="(prefers-color-scheme: light)">'
        f'<meta name="theme-color" content="{COLOURS["dark"]}" media="(prefers-color-scheme: dark)">'
        '<meta name="mobile-web-app-capable" content="yes">'
    )
