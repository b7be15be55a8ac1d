"""The socket of an open inbox, as a browser holds it: tells what is in sight, hears what changes of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gevent
import msgspec
import websocket
from locust.env import Environment

PATH = "/api/v1/inbox/live"
PATIENCE_S = 20.0


class OpenInbox:
    """One socket; `rows` counts the rows that were told."""

    def __init__(self, environment: Environment, host: str, cookie: str) -> None:
        self._environment = environment
        self._address = host.rstrip("/").replace("http", "ws", 1) + PATH
        self._cookie = cookie
        self._socket: websocket.WebSocket | None = None
        self._listening: gevent.Greenlet | None = None
        self.rows = 0

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return self._socket is not None and self._socket.connected

    def open(self) -> None:
        """Connect and say hello; failures are counted as Locust counts requests."""
        began = time.monotonic()
        failure: Exception | None = None
        try:
            self._socket = self._greeted()
            self._listening = gevent.spawn(self._listen, self._socket)
        except (websocket.WebSocketException, OSError, ValueError) as wrong:
            failure = wrong
            self.close()
        self._environment.events.request.fire(
            request_type="WS",
            name=f"open {PATH}",
            response_time=(time.monotonic() - began) * 1000,
            response_length=0,
            exception=failure,
            context={},
        )

    def _greeted(self) -> websocket.WebSocket:
        socket = websocket.create_connection(self._address, PATIENCE_S, cookie=self._cookie)
        socket.send('{"type":"hello"}')
        frame = msgspec.json.decode(socket.recv())
        if frame["type"] != "hello":
            raise websocket.WebSocketException(f"the first frame is no hello but {frame['type']}")
        socket.settimeout(None)
        return socket

    def watch(self, keys: Sequence[str], thread: str | None) -> None:
        """These are in sight now."""
        if self._socket is None:
            return
        frame: dict[str, Any] = {"type": "watch", "keys": list(keys), "thread": thread}
        try:
            self._socket.send(msgspec.json.encode(frame).decode())
        except (websocket.WebSocketException, OSError):
            self.close()

    def close(self) -> None:
        """Close the window."""
        if self._listening is not None:
            self._listening.kill(block=False)
        if self._socket is not None:
            self._socket.close(timeout=0)
        self._socket = None

    def _listen(self, socket: websocket.WebSocket) -> None:
        try:
            while frame := socket.recv():
                told = msgspec.json.decode(frame)
                if told["type"] == "news":
                    self.rows += len(told["rows"])
        except (websocket.WebSocketException, OSError):
            self._socket = None  # it is opened again at the next look
