"""What a comparison with a platform found, in all and by conversation."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field


class Counts(Struct, kw_only=True):
    """`checked` messages the platform told of, `duplicate` were held, `new` were not.

    `edited` and `recalled`: changes nobody had told of.
    """

    checked: int = 0
    new: int = 0
    duplicate: int = 0
    edited: int = 0
    recalled: int = 0

    def add(self, other: Counts) -> None:
        """Count the other one's too."""
        self.checked += other.checked
        self.new += other.new
        self.duplicate += other.duplicate
        self.edited += other.edited
        self.recalled += other.recalled

    @property
    def changed(self) -> bool:
        """Whether anything was found that had not been told."""
        return bool(self.new or self.edited or self.recalled)


class Compared(Counts, kw_only=True):
    """The counts of a whole comparison, and of each conversation (by the platform's id) that it came upon.

    `repaired`: conversations of which messages had been lost.
    """

    conversations: dict[str, Counts] = field(default_factory=dict[str, Counts])
    repaired: set[str] = field(default_factory=set[str])

    def count(self, conversation: str, counts: Counts) -> None:
        """Count it for a conversation, and for the whole."""
        self.conversations.setdefault(conversation, Counts()).add(counts)
        self.add(counts)

    def of(self, conversations: Iterable[str]) -> dict[str, Counts]:
        """The counts of these conversations; zeros for what the platform has nothing of."""
        return {name: self.conversations.get(name, Counts()) for name in conversations}


__all__ = ["Compared", "Counts"]
