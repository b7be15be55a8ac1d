"""One channel: its state, its numbers, its traffic and what is wrong with it."""

from nicegui import ui

from ui.components import ChannelView, FlowChart, Incidents
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out; its components share one store in the browser."""
    with ui.element("div").classes("w-page"):
        ChannelView(visit.query)
        with ui.element("div").classes("chan-chart"):
            FlowChart()
        Incidents()


PAGE = Page(path="/channels", label="nav.channel", build=build, permission="view_health")
