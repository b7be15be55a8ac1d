"""Who has which conversation before him: told to the presence that all processes share, and to the screens beside."""

from __future__ import annotations

import structlog
from msgspec import Raw

from actors.errors import RetriableError
from services.inbox.live.frames import raw
from services.inbox.live.screens import Screen
from streams.bus import Bus
from streams.coordination.presence import Presence, Present

PRESENT = "inbox-present"
"""The topic that tells in which conversation somebody came, left or began to write: {"key"}."""
ONLINE = "agents"
"""The room that everybody with an open inbox is in."""
_log = structlog.get_logger(__name__)


class Stays:
    """Losing the presence costs a mark on the screen and nothing else."""

    def __init__(self, presence: Presence, bus: Bus) -> None:
        self._presence = presence
        self._bus = bus

    async def came(self, screen: Screen, key: str, *, typing: bool = False) -> None:
        """The screen has a conversation before it, or its person begins to write there."""
        try:
            await self.again(screen, key, typing=typing)
            await self._bus.publish(PRESENT, {"key": key})
        except RetriableError as wrong:
            _log.info("presence not told", reason=str(wrong))

    async def again(self, screen: Screen, key: str | None, *, typing: bool = False) -> None:
        """To be said before it is forgotten. Raises RetriableError."""
        await self._presence.seen(ONLINE, screen.session, screen.caller.name)
        if key:
            await self._presence.seen(key, screen.session, screen.caller.name, typing=typing)

    async def left(self, screen: Screen, key: str) -> None:
        """The screen shows it no more; `ONLINE`: it is closed."""
        try:
            await self._presence.left(key, screen.session)
            if key != ONLINE:
                await self._bus.publish(PRESENT, {"key": key})
        except RetriableError as wrong:
            _log.info("presence not told", reason=str(wrong))

    async def present(self, key: str) -> list[Present]:
        """Who has it before him now. Raises RetriableError."""
        return await self._presence.present(key)


def others(key: str, present: list[Present], name: str) -> Raw:
    """The frame that tells a person who else is there."""
    found: dict[str, bool] = {}
    for one in present:
        if one.who != name:
            found[one.who] = found.get(one.who, False) or one.typing
    who = [{"name": other, "typing": typing} for other, typing in found.items()]
    return raw({"type": "present", "key": key, "who": who})


__all__ = ["ONLINE", "PRESENT", "Stays", "others"]
