"""The search over every message, by words, filters and time."""

from nicegui import ui

from ui.components import SearchPage
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SearchPage(visit.query)


PAGE = Page(path="/search", label="nav.search", icon="search", build=build, permission="view_messages")
