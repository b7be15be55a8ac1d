"""The login page: plain HTML from the parent app, so that a stranger never gets a NiceGUI client or a socket."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from ui.assets import LOGIN_SHEETS, sheet_links, theme_script, version
from ui.language import LANGUAGE_COOKIE, LANGUAGES, language_of, theme_of, translator

ERRORS = ("credentials", "limited", "expired", "disabled")
NAMES = {"en": "English", "zh": "中文"}
YEAR_S = 365 * 86_400

MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="currentColor" '
    'stroke-linecap="round" stroke-width="3">'
    '<path d="M3 8.5h9c4.5 0 4 7.5 8.5 7.5H29"/><path d="M3 16h6c4.5 0 4 7.5 8.5 7.5H29" stroke-opacity=".42"/></svg>'
)

PAGE = """<!doctype html>
<html lang="{html_lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>{title}</title>{head}
<link rel="icon" type="image/svg+xml" href="/static/icon.svg?v={version}"></head>
<body><main class="login"><form class="login-card" method="post" action="/auth/login">
<div class="login-brand">{mark}<b>{brand}</b></div>
<h1 class="w-sr">{title}</h1><p class="login-lead">{lead}</p>{error}
<label>{name}<input type="text" name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
 required autofocus></label>
<label>{password}<input type="password" name="password" autocomplete="current-password" required></label>
<input type="hidden" name="next" value="{next}">
<button class="w-btn is-primary" type="submit">{submit}</button>
</form><nav class="login-foot" aria-label="{language_label}">{languages}</nav></main></body></html>"""


def serve_login(api: FastAPI) -> None:
    """Put GET /login on the parent app. `?next=` is where to go afterwards, `?error=` one of ERRORS."""

    async def login(request: Request) -> Response:
        return login_page(request)

    api.add_api_route("/login", login, include_in_schema=False, response_model=None)


def login_page(request: Request) -> HTMLResponse:
    """The page for this visitor's language and theme."""
    wish = request.query_params.get("lang")
    language = language_of(request, wish)
    t = translator(language)
    after = safe_target(request.query_params.get("next", "/"))
    problem = request.query_params.get("error")
    error = (
        f'<p class="login-error" role="alert">{escape(t(f"login.error.{problem}"))}</p>' if problem in ERRORS else ""
    )
    body = PAGE.format(
        html_lang="zh-CN" if language == "zh" else "en",
        title=escape(t("login.title")),
        head=theme_script(theme_of(request)) + sheet_links(LOGIN_SHEETS),
        version=version(),
        mark=MARK,
        brand=escape(t("app.name")),
        lead=escape(t("login.lead")),
        error=error,
        name=escape(t("login.name")),
        password=escape(t("login.password")),
        next=escape(after, quote=True),
        submit=escape(t("login.submit")),
        language_label=escape(t("rail.language")),
        languages="".join(_language_link(code, language, after) for code in LANGUAGES),
    )
    response = HTMLResponse(body, headers={"Cache-Control": "no-store"})
    if wish in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_S, samesite="lax", path="/")
    return response


def safe_target(target: str) -> str:
    """A path of this site, or `/`: never another host, whatever the address line says."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and "\\" not in target else "/"


def _language_link(code: str, current: str, after: str) -> str:
    here = ' aria-current="true"' if code == current else ""
    return f'<a href="/login?lang={code}&amp;next={quote(after, safe="")}" lang="{code}"{here}>{NAMES[code]}</a>'
