"""Customers over all channels."""

from nicegui import ui

from ui.components import Customers
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("cust-page"):
        Customers(visit.query)


PAGE = Page(path="/customers", label="nav.customers", icon="users", build=build, permission="view_messages")
