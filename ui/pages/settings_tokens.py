"""API tokens: what programs log in with."""

from nicegui import ui

from ui.components import SettingsTokens
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsTokens()


PAGE = Page(path="/settings/tokens", label="settings.tokens", build=build, permission="manage_tokens")
