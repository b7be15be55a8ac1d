"""Telling every process of a change of the desk, so that open screens show it. The bus only makes it quicker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from actors.errors import RetriableError
from streams.bus import Bus

TOPIC = "desk"
_log = structlog.get_logger(__name__)


class Telling:
    """Publishes `{"key", "what", "who", "at"}` with whatever else is told. `now` in ms."""

    def __init__(self, bus: Bus, now: Callable[[], int]) -> None:
        self._bus = bus
        self._now = now

    async def tell(self, key: str, what: str, who: str, **more: Any) -> None:
        """One change; what the bus loses, screens find when they read."""
        try:
            await self._bus.publish(TOPIC, {"key": key, "what": what, "who": who, "at": self._now(), **more})
        except RetriableError as wrong:
            _log.info("open inboxes hear of a change later", reason=str(wrong))


__all__ = ["TOPIC", "Telling"]
