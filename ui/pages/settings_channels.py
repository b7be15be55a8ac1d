"""Channels bound to their platforms."""

from nicegui import ui

from ui.components import SettingsChannels
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsChannels()


PAGE = Page(path="/settings/channels", label="settings.channels", build=build, permission="manage_channels")
