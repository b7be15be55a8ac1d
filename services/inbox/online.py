"""Who is there to answer: whoever has an inbox open on any screen, in any process."""

from __future__ import annotations

from typing import Protocol

from streams.coordination.presence import Presence

ROOM = "agents"
"""The room of presence that everybody with an open inbox is in."""


class Online(Protocol):
    """Asked before anything is given to somebody."""

    async def who_is_online(self) -> set[str]:
        """Their names. Raises CoordinationLostError while nobody can tell."""
        ...


class PresentOnes:
    """`Online` by what open inboxes say of themselves."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    async def who_is_online(self) -> set[str]:
        """Whoever is in the room."""
        return {one.who for one in await self._presence.present(ROOM)}


__all__ = ["ROOM", "Online", "PresentOnes"]
