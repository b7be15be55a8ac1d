"""What is pushed to browsers: one message per topic and tick for all who watch it, latest wins."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from ui import compat
from ui.ports import Bus

log = structlog.get_logger(__name__)
EVENT = "weir"
RETRY_S = 1.0
ALWAYS = frozenset({"seq", "at"})


class Rooms:
    """Which page (NiceGUI client) watches which topic, and whose it is."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[str]] = defaultdict(set)
        self._clients: dict[str, set[str]] = defaultdict(set)

    def enter(self, topic: str, client: str) -> None:
        """Let a page watch a topic; twice is the same as once."""
        self._watchers[topic].add(client)

    def leave_all(self, client: str) -> None:
        """Let a page watch nothing any more."""
        for watchers in self._watchers.values():
            watchers.discard(client)

    def watchers(self, topic: str) -> frozenset[str]:
        """The pages that watch a topic."""
        return frozenset(self._watchers[topic])

    def opened(self, user: str, client: str) -> None:
        """Remember whose page it is."""
        self._clients[user].add(client)

    def closed(self, user: str, client: str) -> None:
        """Forget a page."""
        self.leave_all(client)
        self._clients[user].discard(client)
        if not self._clients[user]:
            del self._clients[user]

    def clients_of(self, user: str) -> frozenset[str]:
        """The open pages of a person."""
        return frozenset(self._clients.get(user, ()))


async def relay(bus: Bus, rooms: Rooms, topic: str) -> None:
    """Hand every message of a topic of the live bus to those who watch it, for ever; a broken bus is tried again."""
    while True:
        before: Mapping[str, Any] = {}
        try:
            async for message in bus.subscribe(topic):
                whole = _decoded(message)
                watchers = rooms.watchers(topic)
                if watchers:
                    await compat.emit(EVENT, {"topic": topic, "data": changed(before, whole)}, watchers)
                before = whole
        except Exception:
            log.exception("live_bus_broken", topic=topic, retry_s=RETRY_S)
        await asyncio.sleep(RETRY_S)


def evict(rooms: Rooms, user: str) -> None:
    """Send all pages of a person to the login page: the session behind them has ended."""
    for client in rooms.clients_of(user):
        rooms.closed(user, client)
        compat.drop_client(client, 'location.href="/login?error=expired"')


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a message that differ from the one before; its `seq` and time always.

    Whoever missed the one before sees it by `seq` and fetches the whole.
    """
    return {key: value for key, value in now.items() if key in ALWAYS or key not in before or before[key] != value}


def _decoded(message: Mapping[str, Any] | bytes) -> Any:
    return orjson.loads(message) if isinstance(message, bytes) else message
