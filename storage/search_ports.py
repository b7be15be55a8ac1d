"""The part of the storage port that looks for messages."""

from __future__ import annotations

from typing import Protocol

from storage.records import Page
from storage.search_records import MessageHit, MessageSearch


class SearchStore(Protocol):
    """Looks through every message held, however old; it never holds up a save."""

    async def search_messages(self, where: MessageSearch, limit: int, cursor: str | None = None) -> Page[MessageHit]:
        """Messages by sent_at descending, merged duplicates left out.

        A page may have fewer than `limit`, even none, and yet a cursor: so much was looked at; the cursor goes on.
        None for a `q` or `sender` that holds nothing to look for.

        A message has a word in its text, in any version of it, or in its id, order number or sender.
        """
        ...
