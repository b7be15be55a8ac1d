"""Conversations: found by order, customer, id or text, or the rows behind a number."""

from nicegui import ui

from ui.components import ConversationList
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        ConversationList(visit.query)


PAGE = Page(path="/conversations", label="nav.conversations", build=build, permission="view_messages")
