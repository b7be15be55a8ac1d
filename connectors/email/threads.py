"""What a mailbox's connector asks of whoever keeps messages: which mails are held, and in which conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Held(Struct, frozen=True, kw_only=True):
    """A mail that is held. `message`: its id in Weir, another one for our own replies; `sent_at` in ms."""

    message: str
    conversation: str
    content: str | None = None
    sent_at: int | None = None


class Clues(Struct, frozen=True, kw_only=True):
    """What a mail tells of the conversation it goes on, the most certain first.

    `token`: the conversation that one of our addresses names; `ids`: mails it names; `subject`, without marks of
    answering, and `sender`: the weak last, blank when the mail does not claim to answer. `order`: the order that it is
    about, where that alone tells the conversation. `at`: when it was sent, ms.
    """

    token: str | None = None
    ids: Sequence[str] = ()
    subject: str = ""
    sender: str = ""
    order: str = ""
    at: int = 0


class Note(Struct, frozen=True, kw_only=True):
    """A mail that was read, to be found before it is in the store."""

    id: str
    held: Held
    subject: str
    counterpart: str


class Threads(Protocol):
    """One deployment's mails, by channel. Every question may raise RetriableError."""

    async def held(self, platform: str, account: str, mail: str) -> Held | None:
        """The mail with that id, ours too, in that channel."""
        ...

    async def find(self, platform: str, account: str, clues: Clues) -> str | None:
        """The conversation that a mail goes on; None when it begins one."""
        ...

    async def siblings(self, platform: str, account: str, mail: str) -> Sequence[str]:
        """The other channels that hold a mail with that id, as platform/account."""
        ...

    def note(self, platform: str, account: str, note: Note) -> None:
        """Remember a mail for the next questions."""
        ...


class NoThreads:
    """Nothing is held: mails find each other by the mail that began the thread, alone."""

    async def held(self, platform: str, account: str, mail: str) -> Held | None:
        """Nothing."""
        del platform, account, mail

    async def find(self, platform: str, account: str, clues: Clues) -> str | None:
        """None."""
        del platform, account, clues

    async def siblings(self, platform: str, account: str, mail: str) -> Sequence[str]:
        """None."""
        del platform, account, mail
        return ()

    def note(self, platform: str, account: str, note: Note) -> None:
        """Nothing is remembered."""
        del platform, account, note


__all__ = ["Clues", "Held", "NoThreads", "Note", "Threads"]
