"""Anomalies: the rows behind a number of the monitor."""

from nicegui import ui

from ui.components import AnomalyList
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        AnomalyList(visit.query)


PAGE = Page(path="/anomalies", label="nav.anomalies", build=build, permission="view_health")
