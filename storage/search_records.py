"""Records of the search over messages. Times in ms; keys are those of `actors.keys`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from storage.inbox_records import Scope
from storage.records import MessageRow


class MessageSearch(Struct, frozen=True, kw_only=True):
    """Which messages; None means all. `q`: words that a message has, all of them; `sender`: those of who wrote it.

    `since`/`until` bound `sent_at`, [since, until). `conversation` is a key. `contact`, `order` and `label` are those
    of a message's conversation.
    """

    q: str | None = None
    sender: str | None = None
    platform: str | None = None
    account: str | None = None
    conversation: str | None = None
    contact: str | None = None
    order: str | None = None
    label: str | None = None
    direction: Literal["in", "out"] | None = None
    since: int | None = None
    until: int | None = None
    scope: Scope = Scope(everything=True)
    """Only messages of conversations that it sees."""


class MessageHit(Struct, frozen=True, kw_only=True):
    """One message that was found, and where.

    `ranges`: [start, end) of what was asked for, in characters (code points) of the text as it was written, ascending,
    apart from each other; empty when the text has none of it. `version`: the place in `row.versions` of the text they
    belong to, None: `row.text`. `fields`: which of message, order, sender_name and sender_id have a word of it.
    """

    row: MessageRow
    contact_name: str | None = None
    ranges: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    version: int | None = None
    fields: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """The text that `ranges` belong to."""
        return (self.row.text if self.version is None else self.row.versions[self.version]["text"]) or ""
