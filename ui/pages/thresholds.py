"""Thresholds: tune the detectors and see at once what that would have done."""

from nicegui import ui

from ui.components import ThresholdStudio
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        ThresholdStudio(visit.query)


PAGE = Page(
    path="/thresholds", label="nav.thresholds", icon="sliders-horizontal", build=build, permission="view_thresholds"
)
