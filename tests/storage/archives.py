"""Archives that tests can look into."""

from __future__ import annotations

from storage.errors import ArchiveError


class Kept:
    """Keeps what it is given; refuses from the call numbered `refuses_at` on, counted from 0."""

    def __init__(self, refuses_at=None):
        self.chunks = []
        self.refuses_at = refuses_at

    @property
    def rows(self):
        """Everything kept, in order."""
        return [row for chunk in self.chunks for row in chunk]

    async def put(self, rows):
        """Keep these rows."""
        if self.refuses_at is not None and len(self.chunks) >= self.refuses_at:
            raise ArchiveError("the archive is full")
        self.chunks.append(list(rows))
