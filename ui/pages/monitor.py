"""The message-health monitor: the numbers that need somebody, in the order in which they do."""

from nicegui import ui

from ui.components import FlowChart, HeatMap, Incidents, Matrix, MonitorBar, Platforms, SlaBoard, Tiles, Transport
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the monitor out; its components share one store in the browser."""
    visit.watch("monitor")
    with ui.element("div").classes("w-page mon"):
        MonitorBar(visit.query)
        Tiles()
        with ui.element("div").classes("mon-row mon-row-chart"):
            FlowChart()
            SlaBoard()
        Matrix()
        Incidents()
        HeatMap()
        with ui.element("div").classes("mon-row mon-row-even"):
            Platforms()
            Transport()


PAGE = Page(path="/", label="nav.monitor", icon="activity", build=build, permission="view_health")
