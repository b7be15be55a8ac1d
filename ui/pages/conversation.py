"""One conversation: its messages with what each of them met."""

from nicegui import ui

from ui.components import ConversationView
from ui.pages.page import Page
from ui.visit import Visit


def build(visit: Visit) -> None:
    """Lay the page out."""
    with ui.element("div").classes("w-page"):
        ConversationView(visit.query)


PAGE = Page(path="/conversation", label="nav.conversation", build=build, permission="view_messages")
