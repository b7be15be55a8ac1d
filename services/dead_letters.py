"""Log entries that could not be applied: kept with their bytes until somebody dealt with them."""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from actors.errors import PermanentError
from services.errors import ConflictError, NotFoundError
from storage.ports import AccountStore, HealthStore
from storage.records import AuditRow, DeadLetter, Page
from streams.dead_letters import resubmit
from streams.ports import Gateway

PAGE = 500


class DeadLetterStore(HealthStore, AccountStore, Protocol):
    """The parts of a store used here."""


class DeadLetters:
    """Reads dead letters and marks them as dealt with."""

    def __init__(self, store: DeadLetterStore, now: Callable[[], int], gateway: Gateway | None = None) -> None:
        self._store = store
        self._now = now
        self._gateway = gateway

    async def page(self, limit: int, cursor: str | None = None) -> Page[DeadLetter]:
        """One page, newest first; raises RejectedError for a bad cursor."""
        return await self._store.dead_letters(limit, cursor)

    async def resolve(self, letter_id: str, *, who: str) -> DeadLetter:
        """Mark `partition-offset-index` as dealt with. Raises NotFoundError, or ConflictError when it was."""
        letter = await self._find(letter_id)
        if letter.resolved_at is not None:
            raise ConflictError(f"dead letter {letter_id} was dealt with already")
        done = replace(letter, resolved_at=self._now())
        await self._store.resolve_dead_letter(letter, self._now())
        row = AuditRow(at=self._now(), who=who, what="dead_letter.resolved", subject=f"dead letter {letter_id}")
        await self._store.append_audit(row)
        return done

    async def retry(self, letter_id: str, *, who: str) -> DeadLetter:
        """Submit the entry again and mark the letter as dealt with.

        Raises NotFoundError, ConflictError when it was dealt with or its bytes are no entry, RetriableError.
        """
        letter = await self._find(letter_id)
        if letter.resolved_at is not None:
            raise ConflictError(f"dead letter {letter_id} was dealt with already")
        if self._gateway is None:
            raise ConflictError("this process cannot submit entries; retry it where the web server runs")
        try:
            await resubmit(letter, self._gateway, self._store)
        except PermanentError as wrong:
            raise ConflictError(str(wrong)) from wrong
        row = AuditRow(at=self._now(), who=who, what="dead_letter.retried", subject=f"dead letter {letter_id}")
        await self._store.append_audit(row)
        return await self._find(letter_id)

    async def _find(self, letter_id: str) -> DeadLetter:
        cursor: str | None = None
        while True:
            page = await self._store.dead_letters(PAGE, cursor)
            for letter in page.items:
                if f"{letter.partition}-{letter.offset}-{letter.index}" == letter_id:
                    return letter
            if (cursor := page.next) is None:
                raise NotFoundError(f"there is no dead letter {letter_id[:64]!r}")
