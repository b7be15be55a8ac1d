"""Notes: what colleagues tell each other of a conversation. No platform ever gets one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Protocol
from unicodedata import normalize

from actors.errors import RejectedError
from services.errors import ConflictError, NotFoundError
from services.inbox.desk_news import DeskNews, told_nobody
from services.people.permissions import Caller, demand
from storage.ports import AccountStore, InboxStore
from storage.records import AuditRow
from storage.writing_ports import NoteStore
from storage.writing_records import Note

LONGEST = 20_000
LONGEST_KEY = 255
ADDED = "note.added"


class NotesStore(NoteStore, InboxStore, AccountStore, Protocol):
    """The parts of a store used here."""


class Notes:
    """Keeps notes; `now` in ms."""

    def __init__(self, store: NotesStore, now: Callable[[], int], tell: DeskNews = told_nobody) -> None:
        self._store = store
        self._now = now
        self._tell = tell

    async def add(self, caller: Caller, key: str, text: str, idempotency_key: str) -> Note:
        """Keep a note; asked for again with the same idempotency key it is the first one.

        Raises ForbiddenError, NotFoundError, RejectedError, or ConflictError: the key was used for another note.
        """
        demand(caller, "reply")
        if not (
            0 < len(idempotency_key) <= LONGEST_KEY and idempotency_key.isascii() and idempotency_key.isprintable()
        ):
            raise RejectedError(
                f"Idempotency-Key: 1 to {LONGEST_KEY} printable characters of ASCII, new for every note"
            )
        if not text.strip():
            raise RejectedError("text: a note says something; write it, or leave it")
        if len(text) > LONGEST:
            raise RejectedError(f"text: a note has {LONGEST} characters at most, not {len(text)}; shorten it")
        if await self._store.conversation(key) is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        note = Note(
            id=id_of(key, caller.name, idempotency_key),
            key=key,
            at=self._now(),
            who=caller.name,
            text=text,
            mentions=mentioned(text, [user.name for user in await self._store.users() if not user.disabled]),
            digest=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        )
        about = {"note": note.id, "mentions": note.mentions}
        audit = AuditRow(at=note.at, who=note.who, what=ADDED, subject=key, after=about)
        kept = await self._store.add_note(note, audit)
        if kept.digest != note.digest:
            raise ConflictError("this Idempotency-Key was used for another note; take a new one for every new note")
        if kept == note:
            await self._tell(key, ADDED, note.who, note.at)
        return kept


def id_of(key: str, who: str, idempotency_key: str) -> str:
    """The id of the note that somebody asked for in a conversation with this idempotency key."""
    words = f"{key}\0{who}\0{idempotency_key}".encode("utf-8", "surrogatepass")
    return f"note-{sha256(words).hexdigest()[:32]}"


def mentioned(text: str, names: Iterable[str]) -> list[str]:
    """Those of the names that stand in the text behind an @, whatever their case, in the order of the text."""
    folded = _folded(text)
    found: list[tuple[int, int, str]] = []
    # The longest first, so that @Ann-Marie is nobody called Ann.
    for name in sorted(names, key=len, reverse=True):
        sought = f"@{_folded(name)}"
        start = folded.find(sought)
        while start >= 0:
            end = start + len(sought)
            whole = not folded[end : end + 1].isalnum() or not sought[-1].isascii()
            if whole and not any(start < other[1] and other[0] < end for other in found):
                found.append((start, end, name))
                break
            start = folded.find(sought, start + 1)
    return [name for *_, name in sorted(found)]


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold()


__all__ = ["ADDED", "Notes", "NotesStore", "id_of", "mentioned"]
