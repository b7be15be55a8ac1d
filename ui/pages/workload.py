"""Workload and SLA: what waits, by team, person and platform, and how response clocks ended."""

from nicegui import ui

from ui.components import WorkloadPage
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        WorkloadPage(visit.query)


PAGE = Page(path="/workload", label="nav.workload", icon="gauge", build=build, permission="view_workload")
