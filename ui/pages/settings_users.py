"""People: who may log in, and with which role."""

from nicegui import ui

from ui.components import SettingsUsers
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsUsers()


PAGE = Page(path="/settings/users", label="settings.users", build=build, permission="manage_users")
