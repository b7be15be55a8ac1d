"""What the actors hand back: values the runtime carries out, in order, after the state is safe.

One `Effects` collects what a run of events caused; appending to it is the actors' only way to be heard.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from msgspec import Struct

from actors.anomaly import Anomaly
from actors.events import Message
from actors.sla import Clock as SlaClock

Hop: TypeAlias = Literal[
    "notified",
    "seen",
    "answered",
    "accepted",
    "delivered",
    "read",
    "failed",
    "translated",
    "translation_failed",
    "edited",
    "deleted",
]


class MessageStored(Struct, frozen=True, gc=False):
    """A message is held now: `at` observed time, `delay` corrected (ms), `merged_into` the message it repeats."""

    key: str
    at: int
    event: Message
    delay: int | None = None
    merged_into: str | None = None


class MessageRepeated(Struct, frozen=True, gc=False):
    """The same message was delivered again; `differs` when its body is another."""

    key: str
    message: str
    at: int
    differs: bool


class HopReached(Struct, frozen=True, gc=False):
    """A message came further: `hop` at `at` (ms).

    `text`: the new version for `edited`, the reason for `failed`; for `translated` its words and languages as JSON.
    """

    key: str
    message: str
    hop: Hop
    at: int
    text: str | None = None


class AttachmentChanged(Struct, frozen=True, gc=False):
    """The fate of one attachment of a message; `detail` as it was told."""

    key: str
    message: str
    attachment: str
    status: str
    at: int
    detail: Any = None


class ConversationChanged(Struct, frozen=True, gc=False):
    """What a person did to a conversation: `opened`, `closed`, `reopened`."""

    key: str
    what: str
    at: int
    agent: str | None = None


class SlaChanged(Struct, frozen=True, gc=False):
    """One SLA clock as it stands now; `ordinal` numbers the clocks of a conversation."""

    key: str
    clock: SlaClock


class MinutePassed(Struct, frozen=True, gc=False):
    """One channel's traffic in one whole minute (minutes since the epoch); `buckets` as in `actors.sketch`."""

    key: str
    minute: int
    inbound: int
    outbound: int
    repeats: int
    buckets: dict[int, int]


class KeyRemembered(Struct, frozen=True, gc=False):
    """A channel has heard an event with this idempotency key at `at` (ms); `label` as in `actors.channel.label_of`."""

    key: str
    label: bytes
    at: int


class Effects:
    """Collects what happened, by kind, each list in order."""

    __slots__ = ("anomalies", "attachments", "changes", "hops", "keys", "messages", "minutes", "repeats", "sla")

    def __init__(self) -> None:
        self.messages: list[MessageStored] = []
        self.repeats: list[MessageRepeated] = []
        self.hops: list[HopReached] = []
        self.attachments: list[AttachmentChanged] = []
        self.changes: list[ConversationChanged] = []
        self.anomalies: list[Anomaly] = []
        self.sla: list[SlaChanged] = []
        self.minutes: list[MinutePassed] = []
        self.keys: list[KeyRemembered] = []

    def clear(self) -> None:
        """Forget everything, keeping the lists."""
        for name in self.__slots__:
            getattr(self, name).clear()


__all__ = [
    "AttachmentChanged",
    "ConversationChanged",
    "Effects",
    "Hop",
    "HopReached",
    "KeyRemembered",
    "MessageRepeated",
    "MessageStored",
    "MinutePassed",
    "SlaChanged",
]
