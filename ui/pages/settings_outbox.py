"""Failed replies: what did not get to customers, and what people do about it."""

from nicegui import ui

from ui.components import SettingsOutbox
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsOutbox()


PAGE = Page(path="/settings/outbox", label="settings.outbox", build=build, permission="reply")
