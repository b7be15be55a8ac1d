"""What is kept of telling people: what each of them wants, and whom a message was to reach, with what became of it.

All times are integer milliseconds since the epoch. Channels are keys of `actors.keys`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, field

Urgency: TypeAlias = Literal["normal", "urgent"]
Fate: TypeAlias = Literal["expected", "fired", "seen", "failed", "excluded"]
Rung: TypeAlias = Literal["desktop", "email", "webhook", "supervisor"]
FATES: tuple[Fate, ...] = ("expected", "fired", "seen", "failed", "excluded")


class Way(Struct, frozen=True, kw_only=True):
    """An address beside the screen. `ended_at`: when it turned out to be dead, and why; it is used no more."""

    id: str
    kind: Literal["email", "webhook"]
    address: str
    ended_at: int | None = None
    reason: str | None = None

    def __repr__(self) -> str:
        """Without the address, which belongs into no log."""
        return f"Way(id={self.id!r}, kind={self.kind!r}, ended_at={self.ended_at!r})"


class AlertSettings(Struct, frozen=True, kw_only=True):
    """How one person wants to be told. `quiet_from`, `quiet_to`: minutes of the day in `zone`; None: never quiet."""

    person: str
    desktop: bool = True
    sound: bool = True
    muted: list[str] = field(default_factory=list[str])
    quiet_from: int | None = None
    quiet_to: int | None = None
    zone: str = "UTC"
    ways: list[Way] = field(default_factory=list[Way])
    version: int = 0


class Told(Struct, frozen=True, kw_only=True):
    """One attempt. `sent` says that the other side took it, nothing less; `detail` is the reason if it did not."""

    rung: Rung
    at: int
    status: Literal["sent", "failed", "none"]
    whom: str = ""
    detail: str | None = None


class ExpectedAlert(Struct, frozen=True, kw_only=True):
    """One person who was to be told of one message; `message` is None when the conversation itself was the news.

    `reason` says why nothing rang (`permission_denied`, `muted_by_user`, …). `due_at`: when the next rung's turn is,
    unless it was seen before; None when there is none. `version` grows with every change.
    """

    id: str
    person: str
    key: str
    at: int
    why: Literal["message", "assigned", "deadline", "escalated", "test"]
    message: str | None = None
    urgency: Urgency = "normal"
    fate: Fate = "expected"
    reason: str | None = None
    due_at: int | None = None
    fired_at: int | None = None
    seen_at: int | None = None
    rungs: list[Told] = field(default_factory=list[Told])
    version: int = 1


class AlertFilter(Struct, frozen=True, kw_only=True):
    """Which expected alerts; None means all. `since` bounds `at` (ms)."""

    person: str | None = None
    key: str | None = None
    since: int | None = None
