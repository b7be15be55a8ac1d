"""Dead letters: what could not be applied."""

from nicegui import ui

from ui.components import SettingsLetters
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsLetters()


PAGE = Page(path="/settings/dead-letters", label="settings.letters", build=build, permission="view_dead_letters")
