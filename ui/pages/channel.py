"""One channel: its state, its numbers and its traffic."""

from nicegui import ui

from ui.components import ChannelView
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        ChannelView(visit.query)


PAGE = Page(path="/channels", label="nav.channel", build=build, permission="view_health")
