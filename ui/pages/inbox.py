"""The inbox: where agents answer every channel. Its state is in the browser; the server draws the frame once."""

from nicegui import ui

from ui.components import InboxContext, InboxFrame, InboxHead, InboxList
from ui.pages.page import Page
from ui.visit import Visit


def build(_visit: Visit) -> None:
    """Lay the panes out."""
    with ui.element("div").classes("ib-page"), InboxFrame() as frame:
        with frame.add_slot("list"):
            InboxList()
        with frame.add_slot("head"):
            InboxHead()
        with frame.add_slot("context"):
            InboxContext()


PAGE = Page(path="/inbox", label="nav.inbox", icon="inbox", build=build, permission="view_messages")
