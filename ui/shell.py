"""The frame around every page: the rail, the skip link, and the pages this visitor may open."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from msgspec.structs import replace
from nicegui import PageArguments, ui
from nicegui.events import GenericEventArguments

from services.parts import Services
from services.people.permissions import PERMISSIONS, Caller, home_of
from ui import compat
from ui.assets import page_head
from ui.components import MuteDialog, Palette, Rail, Toasts
from ui.garbage import Collector
from ui.installable import head_of
from ui.language import LANGUAGES, THEMES, Theme, language_of, theme_of, translator
from ui.live import Rooms
from ui.pages import PAGES, Page
from ui.visit import Visit

SETTINGS = "/settings"
SETTING = "settings"
"""The icon of pages below it."""
DARK: dict[Theme, bool | None] = {"light": False, "dark": True, "auto": None}


class Shell:
    """Builds the frame for each visitor."""

    def __init__(self, services: Services, rooms: Rooms, collector: Collector, pages: tuple[Page, ...] = PAGES) -> None:
        self._services = services
        self._rooms = rooms
        self._collector = collector
        self._pages = pages

    def register(self) -> None:
        """Answer every address that the parent app does not."""

        @ui.page("/")
        @ui.page("/{_:path}")
        async def shell(request: Request) -> RedirectResponse | None:
            return await self.build(request)

    async def build(self, request: Request) -> RedirectResponse | None:
        """Draw the frame and the page; a stranger is sent to the login page."""
        caller: Caller | None = getattr(request.state, "caller", None)
        if caller is None or caller.via != "session":
            return RedirectResponse(f"/login?next={quote(request.url.path, safe='')}", status_code=303)
        user = await self._services.store.user(caller.name)
        language = language_of(request, user.lang if user else None)
        theme = theme_of(request, user.theme if user else None)
        visit = Visit(
            caller=caller,
            services=self._services,
            rooms=self._rooms,
            language=language,
            t=translator(language),
            client=compat.client_id(),
        )
        self._draw(visit, theme)
        return None

    def _draw(self, visit: Visit, theme: Theme) -> None:
        pages = tuple(page for page in self._pages if page.permission is None or visit.can(page.permission))
        compat.personalise(language=visit.language, dark=DARK[theme], title=visit.t("app.name"))
        ui.add_head_html(page_head(visit.language, theme, _boot(visit, theme)) + head_of())
        self._follow(visit)
        with ui.element("a").classes("w-skip").props('href="#main"'):
            ui.label(visit.t("rail.skip"))
        with ui.element("div").classes("w-shell"):
            self._rail(visit, pages, theme)
            with ui.element("div").classes("w-main").props('id="main" tabindex="-1"'):
                compat.Routes(
                    {page.path: _route(page, visit) for page in pages},
                    missing=partial(_notice, visit, "missing.title", "missing.text"),
                    broken=partial(_notice, visit, "broken.title", "broken.text"),
                )
        if visit.can("mute"):
            MuteDialog()
        Palette(pages=_reached(visit, pages))
        Toasts()

    def _follow(self, visit: Visit) -> None:
        """Leave the rooms of a page that is left, and everything when the window closes."""
        self._rooms.opened(visit.caller.name, visit.client)
        compat.on_path_changed(lambda _: self._rooms.leave_all(visit.client))

        def gone() -> None:
            self._rooms.closed(visit.caller.name, visit.client)
            self._collector.client_gone()

        compat.on_client_gone(gone)

    def _rail(self, visit: Visit, pages: tuple[Page, ...], theme: Theme) -> None:
        home = home_of(visit.caller.role)
        shown = sorted((page for page in pages if page.icon), key=lambda page: page.path != home)
        items = [{"path": page.path, "icon": page.icon, "label": visit.t(page.label)} for page in shown]
        rail = Rail(home=home, items=items, theme=theme, role=visit.t(f"role.{visit.caller.role}"))
        rail.on("prefer", self._preference(visit))

    def _preference(self, visit: Visit) -> Callable[[GenericEventArguments], Awaitable[None]]:
        async def keep(event: GenericEventArguments) -> None:
            wish = event.args if isinstance(event.args, dict) else {}
            lang, theme = wish.get("lang"), wish.get("theme")
            caller = await visit.demand("view_health")
            await self._services.accounts.change(
                caller.name,
                who=caller.name,
                lang=lang if lang in LANGUAGES else None,
                theme=theme if theme in THEMES else None,
            )

        return keep


def _reached(visit: Visit, pages: tuple[Page, ...]) -> list[dict[str, str]]:
    """What the palette goes to: the pages that need nothing in their address."""
    return [
        {"path": page.path, "icon": page.icon or SETTING, "label": visit.t(page.label)}
        for page in pages
        if page.icon or page.path.startswith(f"{SETTINGS}/")
    ]


def _boot(visit: Visit, theme: Theme) -> dict[str, Any]:
    return {
        "lang": visit.language,
        "theme": theme,
        "me": {"name": visit.caller.name, "role": visit.caller.role},
        "can": [permission for permission in PERMISSIONS if visit.can(permission)],
    }


def _route(page: Page, visit: Visit) -> Callable[[PageArguments], object]:
    async def later(result: Any) -> None:
        await result

    def show(arguments: PageArguments) -> object:
        compat.set_title(f"{visit.t(page.label)} · {visit.t('app.name')}")
        result = page.build(replace(visit, query=dict(arguments.query_parameters)))
        return later(result) if inspect.isawaitable(result) else None

    return show


def _notice(visit: Visit, title: str, text: str) -> None:
    with ui.element("div").classes("w-page"), ui.element("div").classes("w-card w-empty"):
        with ui.element("h1").classes("w-h1"):
            ui.label(visit.t(title))
        ui.label(visit.t(text))
        with ui.element("a").classes("w-btn").props('href="/"'):
            ui.label(visit.t("missing.back"))
