"""The parts of the storage port for what people write: notes, drafts, templates. Errors: see `storage.ports`."""

from __future__ import annotations

from typing import Protocol

from storage.records import AuditRow
from storage.writing_records import Note, ReplyDraft, Template


class NoteStore(Protocol):
    """Notes on conversations; one that is kept is never changed."""

    async def add_note(self, note: Note, audit: AuditRow) -> Note:
        """Keep a note with its audit row; one with its `id` that is held already is given instead."""
        ...

    async def notes(
        self, key: str, limit: int, *, before: tuple[int, str] | None = None, since: int | None = None
    ) -> list[Note]:
        """Notes of a conversation by `at`, then id, both descending; those behind `before`, with at >= `since`."""
        ...


class DraftStore(Protocol):
    """What people have written and not sent: one draft a person and conversation. The last writer wins."""

    async def draft(self, user: str, key: str) -> ReplyDraft | None:
        """One draft."""
        ...

    async def put_draft(self, draft: ReplyDraft) -> None:
        """Create or replace it."""
        ...

    async def delete_draft(self, user: str, key: str) -> None:
        """Forget it, if it is held."""
        ...

    async def drafts(self, user: str, limit: int) -> list[ReplyDraft]:
        """A person's drafts, the latest first."""
        ...


class TemplateStore(Protocol):
    """Templates; changed by compare-and-set on `version`."""

    async def templates(self) -> list[Template]:
        """All of them, by folder, then name, then id."""
        ...

    async def template(self, template_id: str) -> Template | None:
        """One template."""
        ...

    async def save_template(self, template: Template, audit: AuditRow, *, replaces: int | None = None) -> bool:
        """Create one, or change the one whose `version` is `replaces`, with its audit row; its use is left as it is.

        False, and nothing is written, when the store holds another state of it.
        """
        ...

    async def delete_template(self, template_id: str, audit: AuditRow) -> bool:
        """Forget a template, and note it; False, and nothing is noted, when there is none."""
        ...

    async def template_used(self, template_id: str, at: int) -> None:
        """Count one more use; an unknown template is ignored."""
        ...


class WritingStore(NoteStore, DraftStore, TemplateStore, Protocol):
    """All of it."""


__all__ = ["DraftStore", "NoteStore", "TemplateStore", "WritingStore"]
