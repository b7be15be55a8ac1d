"""Drafts: what somebody has written and not sent, on whichever screen it was written. The last writer wins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from actors.errors import RejectedError
from services.errors import NotFoundError
from services.people.permissions import Caller, demand
from storage.channel_records import ReplyFile
from storage.ports import InboxStore
from storage.writing_ports import DraftStore
from storage.writing_records import Mode, ReplyDraft

LONGEST = 100_000
MOST_FILES = 50
LONGEST_NAME = 1024


class DraftsStore(DraftStore, InboxStore, Protocol):
    """The parts of a store used here."""


class Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft as its writer's screen has it: `text` to the customer, `note` to colleagues, `mode` which one is open."""

    mode: Mode = "reply"
    text: str = ""
    note: str = ""
    reply_to: str | None = None
    files: Sequence[ReplyFile] = ()


class Drafts:
    """Keeps drafts; `now` in ms."""

    def __init__(self, store: DraftsStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def read(self, caller: Caller, key: str) -> ReplyDraft | None:
        """The caller's own draft in this conversation. Raises ForbiddenError."""
        demand(caller, "reply")
        return await self._store.draft(caller.name, key)

    async def keep(self, caller: Caller, key: str, written: Written) -> ReplyDraft:
        """Keep it in place of the one before; one without anything in it is forgotten.

        Raises ForbiddenError, NotFoundError, RejectedError.
        """
        demand(caller, "reply")
        _check(written)
        if await self._store.conversation(key) is None:
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        draft = ReplyDraft(
            user=caller.name,
            key=key,
            changed_at=self._now(),
            mode=written.mode,
            text=written.text,
            note=written.note,
            reply_to=written.reply_to,
            files=list(written.files),
        )
        if draft.text or draft.note or draft.files or draft.reply_to is not None:
            await self._store.put_draft(draft)
        else:
            await self._store.delete_draft(caller.name, key)
        return draft

    async def drop(self, caller: Caller, key: str) -> None:
        """Forget it. Raises ForbiddenError."""
        demand(caller, "reply")
        await self._store.delete_draft(caller.name, key)


def _check(written: Written) -> None:
    for name in ("text", "note"):
        length = len(getattr(written, name))
        if length > LONGEST:
            raise RejectedError(f"{name}: a draft has {LONGEST} characters at most, not {length}; shorten it")
    if len(written.files) > MOST_FILES:
        raise RejectedError(f"files: at most {MOST_FILES}, not {len(written.files)}")
    words = [written.reply_to or "", *(word for file in written.files for word in (file.digest, file.name, file.mime))]
    if any(len(word) > LONGEST_NAME for word in words):
        raise RejectedError(f"reply_to, files: names have {LONGEST_NAME} characters at most")


__all__ = ["Drafts", "DraftsStore", "Written"]
