"""The part of the storage port that keeps contacts. Errors and habits are those of `storage.ports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from storage.contact_records import Contact, ContactFilter, NotOne
from storage.records import AuditRow, MessageRow, Page


class ContactStore(Protocol):
    """People whom platforms know, and which of them are one. What people say is changed by compare-and-set."""

    async def learn_contacts(self, contacts: Sequence[Contact]) -> None:
        """Keep contacts; of one that is held already `told` alone is replaced, never what people said."""
        ...

    async def contacts_of(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts with these ids, in no order; unknown ones are absent."""
        ...

    async def merged_into(self, ids: Sequence[str]) -> list[Contact]:
        """The contacts that point to any of these, by id."""
        ...

    async def contacts_with(self, facts: Sequence[str], limit: int) -> list[Contact]:
        """Contacts with any of these facts, by id."""
        ...

    async def contacts(self, where: ContactFilter, limit: int, cursor: str | None = None) -> Page[Contact]:
        """Contacts by `seen_at` descending, then id."""
        ...

    async def change_contact(self, contact: Contact, audit: AuditRow, *, replaces: int) -> bool:
        """Replace what people said of a contact whose `version` is `replaces`, with its audit row.

        False, and nothing is written, when it is not, or when there is no such contact.
        """
        ...

    async def forget_contact(self, contact_id: str) -> bool:
        """Forget a contact and all that was said of it; False when there is none.

        Of those that pointed to it the oldest takes its place: the others point to that one.
        """
        ...

    async def say_not_one(self, said: NotOne, audit: AuditRow) -> None:
        """Keep that two contacts are not one person, with its audit row; said again it changes nothing."""
        ...

    async def not_one(self, ids: Sequence[str]) -> list[NotOne]:
        """What was said of pairs with any of these contacts."""
        ...

    async def contacts_sealed_otherwise(self, key: str, limit: int, after: str = "") -> list[Contact]:
        """Contacts whose sealed values need another key than this, by id, those with id > after."""
        ...

    async def messages_of_all(self, keys: Sequence[str], limit: int, cursor: str | None = None) -> Page[MessageRow]:
        """Messages of several conversations as one list, the latest first: by sent_at, at, id, key, all descending.

        Merged duplicates are left out.
        """
        ...


__all__ = ["ContactStore"]
