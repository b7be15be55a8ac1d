"""Templates: replies prepared for many."""

from nicegui import ui

from ui.components import SettingsTemplates
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsTemplates()


PAGE = Page(path="/settings/templates", label="settings.templates", build=build, permission="reply")
