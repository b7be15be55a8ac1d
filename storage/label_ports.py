"""The labels' part of the storage port.

The engine's flush gives labels (`Batch.labelled`) and takes none away; people give and take. A label that a person took
away is never put back by a flush, one that a person gave never removed by it.
"""

from __future__ import annotations

from typing import Protocol

from storage.label_records import LabelBook, LabelChange
from storage.records import AuditRow, ConversationRow


class LabelStore(Protocol):
    """Labels of conversations, and the book of labels and words."""

    async def set_labels(self, key: str, change: LabelChange, audit: AuditRow) -> ConversationRow | None:
        """Give and take labels by hand, with its audit row; the row as it is then, None for an unknown conversation."""
        ...

    async def labels_in_use(self) -> dict[str, int]:
        """How many conversations bear each label that any bears."""
        ...

    async def label_book(self) -> LabelBook | None:
        """The newest version of the book; None while everything is as packaged."""
        ...

    async def put_label_book(self, book: LabelBook, audit: AuditRow) -> bool:
        """Store the version that follows, with its audit row; False when that version number is taken."""
        ...


__all__ = ["LabelStore"]
