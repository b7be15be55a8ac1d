"""Teams: who answers which channels."""

from nicegui import ui

from ui.components import SettingsTeams
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsTeams()


PAGE = Page(path="/settings/teams", label="settings.teams", build=build, permission="view_coverage")
