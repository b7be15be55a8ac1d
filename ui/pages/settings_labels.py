"""Labels: the catalogue, the words behind it, and a box to try texts in."""

from nicegui import ui

from ui.components import SettingsLabels
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsLabels()


PAGE = Page(path="/settings/labels", label="settings.labels", build=build, permission="manage_labels")
