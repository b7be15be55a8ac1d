"""A page of the product as a browser opens it: the HTML, then its WebSocket with the handshake that wakes it."""

from __future__ import annotations

import re
import time
import uuid
from ast import literal_eval
from collections.abc import Callable
from typing import Any

import socketio
from locust.env import Environment
from socketio.exceptions import SocketIOError

SOCKET_PATH = "/_nicegui_ws/socket.io"
QUERY = re.compile(r"query: (\{.*?\}),\s*\n")
PATIENCE_S = 20
PUSH = "weir"


class PageError(Exception):
    """A page that does not come to life as it should."""


class Page:
    """An open page. `on_push` hears what the server pushes to it."""

    def __init__(self, environment: Environment, host: str, cookie: str, on_push: Callable[[Any], None]) -> None:
        self._environment = environment
        self._host = host
        self._cookie = cookie
        self._socket = socketio.Client(reconnection=False, handle_sigint=False)
        self._socket.on(PUSH, on_push)

    @property
    def connected(self) -> bool:
        """Whether its WebSocket is open."""
        return self._socket.connected

    def open(self, path: str, html: str) -> None:
        """Bring the page to life that was delivered as `html`; failures are counted as Locust counts requests."""
        began = time.monotonic()
        failure: Exception | None = None
        try:
            self._open(html)
        except (PageError, SocketIOError, OSError, ValueError, SyntaxError) as wrong:
            failure = wrong
            self.close()
        self._environment.events.request.fire(
            request_type="WS",
            name=f"open {path}",
            response_time=(time.monotonic() - began) * 1000,
            response_length=0,
            exception=failure,
            context={},
        )

    def close(self) -> None:
        """Close the window."""
        self._socket.disconnect()

    def _open(self, html: str) -> None:
        found = QUERY.search(html)
        if found is None:
            raise PageError("the page has no socket to open; was it the login page?")
        query: dict[str, Any] = literal_eval(found.group(1))  # JavaScript, but only texts and numbers
        query |= {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4()), "old_tab_id": None}
        parameters = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        self._socket.connect(
            f"{self._host}?{parameters}",
            headers={"Cookie": self._cookie},
            transports=["websocket"],
            socketio_path=SOCKET_PATH,
            wait_timeout=PATIENCE_S,
        )
        if not self._socket.call("handshake", query, timeout=PATIENCE_S):
            raise PageError("the server does not know the page any more")
