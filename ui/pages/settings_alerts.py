"""Settings: how one wants to be told of messages, whether it works, and whom it reaches."""

from nicegui import ui

from ui.components import SettingsAlerts
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsAlerts()


PAGE = Page(path="/settings/notifications", label="nav.settings_alerts", build=build, permission="reply")
