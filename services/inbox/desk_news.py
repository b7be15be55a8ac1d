"""Tells every process that people changed something about a conversation: the topic `desk` of the live bus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from actors.errors import RetriableError
from streams.bus import Bus

TOPIC = "desk"
DeskNews: TypeAlias = Callable[[str, str, str, int], Awaitable[None]]
"""Told the conversation's key, what was done, by whom and when (ms). Never raises: what was done is done."""
_log = structlog.get_logger(__name__)


async def told_nobody(key: str, what: str, who: str, at: int) -> None:
    """For who has no bus."""
    del key, what, who, at


def desk_news(bus: Bus) -> DeskNews:
    """Tells it on this bus."""

    async def tell(key: str, what: str, who: str, at: int) -> None:
        try:
            await bus.publish(TOPIC, {"key": key, "what": what, "who": who, "at": at})
        except RetriableError as lost:
            _log.warning("desk_not_told", what=what, reason=str(lost))  # screens ask by themselves meanwhile

    return tell


__all__ = ["TOPIC", "DeskNews", "desk_news", "told_nobody"]
