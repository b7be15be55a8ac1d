"""Who changed what, when, from what to what."""

from storage.ports import AccountStore
from storage.records import AuditRow, Page


class AuditLog:
    """Reads the log of changes; the services write to it in the same step as the change."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    async def page(
        self,
        limit: int,
        cursor: str | None = None,
        subject: str | None = None,
        *,
        who: str | None = None,
        what: str | None = None,
    ) -> Page[AuditRow]:
        """One page, newest first, of all or of one subject, person, or sort of change (`what` begins like this).

        Raises RejectedError for a bad cursor.
        """
        return await self._store.audit(limit, cursor, subject, who=who, what=what)
