"""Mutes: what is kept quiet, until when and why; the way to add one and to end one early."""

from nicegui import ui

from ui.components import MuteList
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        MuteList()


PAGE = Page(path="/mutes", label="nav.mutes", build=build, permission="view_health")
