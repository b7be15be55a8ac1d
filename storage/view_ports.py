"""The part of the storage port that keeps saved views of the inbox."""

from __future__ import annotations

from typing import Protocol

from storage.records import AuditRow
from storage.view_records import SavedView


class ViewStore(Protocol):
    """Saved views; every change comes with its audit row."""

    async def saved_views(self, person: str) -> list[SavedView]:
        """A person's own and the shared ones, by id."""
        ...

    async def saved_view(self, view_id: str) -> SavedView | None:
        """One by its id."""
        ...

    async def put_saved_view(self, view: SavedView, audit: AuditRow) -> bool:
        """Store one when `view.version - 1` is the stored version (0: there is none), else False."""
        ...

    async def delete_saved_view(self, view_id: str, audit: AuditRow) -> bool:
        """Forget one; False when it is not there."""
        ...


__all__ = ["ViewStore"]
