"""The inbox: where agents answer every channel. Its state is in the browser; the server draws the frame once."""

from nicegui import ui

from ui.components import InboxComposer, InboxContext, InboxFrame, InboxHead, InboxList, InboxThread
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
        with frame.add_slot("thread"):
            InboxThread()
        with frame.add_slot("composer"):
            InboxComposer()


PAGE = Page(path="/inbox", label="nav.inbox", icon="inbox", build=build, permission="view_messages")
