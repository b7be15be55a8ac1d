"""Who looks at a room (a conversation) now, and who types in it. It is forgotten by itself when not said again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

from msgspec import Struct

VIEWING_MS = 30_000
TYPING_MS = 6_000
MOST_IN_A_ROOM = 100
MOST_ROOMS = 10_000


class Present(Struct, frozen=True, kw_only=True):
    """One open screen: its session (never the secret of a login), whose it is, and whether that person types."""

    session: str
    who: str
    typing: bool = False


class Presence(Protocol):
    """Every call may raise CoordinationLostError: then nobody knows, which is not the same as nobody there."""

    async def seen(self, room: str, session: str, who: str, *, typing: bool = False) -> None:
        """The session has the room open; to be said again before it is forgotten. Typing is forgotten sooner."""
        ...

    async def left(self, room: str, session: str) -> None:
        """The session has left the room; an unknown one is ignored."""
        ...

    async def present(self, room: str) -> list[Present]:
        """Who is there, by name, then session."""
        ...


class _Stay(Struct):
    who: str
    until: int
    typing_until: int


class LocalPresence:
    """The presence within one process. Spans in ms; `steady` is a clock that never goes back (ms)."""

    def __init__(
        self,
        *,
        viewing_ms: int = VIEWING_MS,
        typing_ms: int = TYPING_MS,
        most: int = MOST_IN_A_ROOM,
        steady: Callable[[], int] = lambda: monotonic_ns() // 1_000_000,
    ) -> None:
        self._viewing_ms = viewing_ms
        self._typing_ms = typing_ms
        self._most = most
        self._steady = steady
        self._rooms: dict[str, dict[str, _Stay]] = {}

    async def seen(self, room: str, session: str, who: str, *, typing: bool = False) -> None:
        """The session has the room open."""
        now = self._steady()
        stays = self._alive(room, now)
        stays[session] = _Stay(who, now + self._viewing_ms, now + self._typing_ms if typing else 0)
        if len(stays) > self._most:
            del stays[min(stays, key=lambda one: stays[one].until)]
        self._rooms[room] = stays
        if len(self._rooms) > MOST_ROOMS:
            self._sweep(now)

    async def left(self, room: str, session: str) -> None:
        """The session has left the room."""
        stays = self._rooms.get(room, {})
        stays.pop(session, None)
        if not stays:
            self._rooms.pop(room, None)

    async def present(self, room: str) -> list[Present]:
        """Who is there."""
        now = self._steady()
        found = [
            Present(session=session, who=stay.who, typing=stay.typing_until > now)
            for session, stay in self._alive(room, now).items()
        ]
        return in_order(found)

    def _alive(self, room: str, now: int) -> dict[str, _Stay]:
        return {session: stay for session, stay in self._rooms.get(room, {}).items() if stay.until > now}

    def _sweep(self, now: int) -> None:
        """Forget the rooms that everybody has left, then the oldest ones."""
        self._rooms = {room: stays for room in self._rooms if (stays := self._alive(room, now))}
        while len(self._rooms) > MOST_ROOMS:
            del self._rooms[next(iter(self._rooms))]


def in_order(found: list[Present]) -> list[Present]:
    """As the port lists them."""
    return sorted(found, key=lambda one: (one.who, one.session))


__all__ = ["LocalPresence", "Presence", "Present", "in_order"]
