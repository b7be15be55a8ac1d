"""One message: its life hop by hop."""

from nicegui import ui

from ui.components import TraceView
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        TraceView(visit.query)


PAGE = Page(path="/trace", label="nav.trace", build=build, permission="view_messages")
