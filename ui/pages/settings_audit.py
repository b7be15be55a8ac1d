"""The log of changes: who, what, when, before and after."""

from nicegui import ui

from ui.components import SettingsAudit
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        SettingsAudit(visit.query)


PAGE = Page(path="/settings/audit", label="settings.audit", build=build, permission="view_audit")
