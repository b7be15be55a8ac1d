"""The few hooks of NiceGUI that are not its public interface, in one place: an upgrade breaks here and nowhere else.

Pinned to NiceGUI 3.18; tests/ui/test_compat.py proves each of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import nicegui.elements.echart  # noqa: F401 # its import registers the module `nicegui-echart` that the charts import
from nicegui import app, core, ui
from nicegui.client import Client
from nicegui.dependencies import register_esm

PING_INTERVAL_S = 8
PING_TIMEOUT_S = 6


def register_module(name: str, folder: Path) -> None:
    """Let components `import … from "name"`: the folder's index.js. The newest file's time is in its address."""
    register_esm(name, folder, max_time=max(path.stat().st_mtime for path in folder.glob("*.js")))


def personalise(*, language: str, dark: bool | None, title: str) -> None:
    """Give the page under construction its own language, theme and title.

    Page objects are shared by all visitors of a route: without the copy one visitor's language would be everybody's.
    """
    client = ui.context.client
    client.page = copy.copy(client.page)
    client.page.language = "zh-CN" if language == "zh" else "en-US"
    client.page.dark = dark
    client.page.title = title


async def emit(event: str, data: Any, clients: Iterable[str]) -> None:
    """Send one message to many browsers, encoded once. It is not replayed after a reconnect: receivers must resync."""
    await core.sio.emit(event, data, room=list(clients))


def harden_sockets(origins: Sequence[str]) -> None:
    """Accept sockets from the page's own host and `origins` only, and notice dead ones soon."""
    core.sio.eio.cors_allowed_origins = list(origins) or None
    core.sio.eio.ping_interval = PING_INTERVAL_S
    core.sio.eio.ping_timeout = PING_TIMEOUT_S


def drop_client(client_id: str, script: str) -> None:
    """Run a last script in a browser and forget its page; an unknown client is ignored."""
    client = Client.instances.get(client_id)
    if client is not None:
        client.run_javascript(script)
        app.timer(1, client.delete, once=True)


def on_path_changed(handler: Callable[[str], None]) -> None:
    """Call `handler` with the new path whenever the current visitor moves to another page."""
    ui.context.client.sub_pages_router.on_path_changed(handler)


def set_title(title: str) -> None:
    """Name the current page in the window's title bar, also after it was delivered."""
    ui.page_title(title)


def client_id() -> str:
    """The id of the page under construction."""
    return ui.context.client.id


def on_client_gone(handler: Callable[[], Any]) -> None:
    """Call `handler` when the current page is closed for good."""
    ui.context.client.on_delete(handler)


class Routes(ui.sub_pages):
    """The pages one visitor may open, with our own words for what is not among them."""

    def __init__(
        self, routes: dict[str, Callable[..., Any]], *, missing: Callable[[], None], broken: Callable[[], None]
    ) -> None:
        self._missing = missing
        self._broken = broken
        super().__init__(routes)

    def _render_404(self) -> None:
        self._missing()

    def _render_error(self, _: Exception) -> None:
        self._broken()
