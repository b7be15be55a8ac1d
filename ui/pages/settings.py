"""Settings: one's own account; the way to the administration for those who may."""

from nicegui import ui

from ui.components import SettingsProfile
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsProfile()


PAGE = Page(path="/settings", label="nav.settings", icon="settings", build=build)
