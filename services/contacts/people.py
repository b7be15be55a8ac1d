"""Persons: contacts that people said are one.

Merging is a pointer from the younger to the older contact, and nothing else: taken back, both are as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from actors.errors import RejectedError
from services.contacts.countries import is_zone
from services.errors import ConflictError, NotFoundError
from storage.contact_ports import ContactStore
from storage.contact_records import Contact, NotOne, Said
from storage.records import AuditRow

MOST_MEMBERS = 50
MOST_TAGS, LONGEST_TAG = 30, 50
LONGEST_NOTE, LONGEST_LABEL = 4_000, 200
_DEPTH = 50
_ATTEMPTS = 5


class Person(Struct, frozen=True):
    """A contact that points to no other, and after it all that point to it, directly or through others."""

    members: list[Contact]

    @property
    def lead(self) -> Contact:
        """The oldest contact, whose id is the person's."""
        return self.members[0]

    @property
    def ids(self) -> list[str]:
        """Those of all members."""
        return [one.id for one in self.members]

    @property
    def name(self) -> str | None:
        """What people call them, else what platforms do."""
        labels = (one.said.label for one in self.members)
        return next(filter(None, labels), None) or next(filter(None, (one.told.name for one in self.members)), None)

    @property
    def tags(self) -> list[str]:
        """Those of all members."""
        return list(dict.fromkeys(tag for one in self.members for tag in one.said.tags))

    @property
    def zone(self) -> str | None:
        """The time zone that people said."""
        return next(filter(None, (one.said.zone for one in self.members)), None)


class Change(Struct, forbid_unknown_fields=True):
    """What to say of a contact; what is left out stays, null or "" takes away. `version`: what was seen of it."""

    name: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    note: str | UnsetType | None = UNSET
    zone: str | UnsetType | None = UNSET
    version: int | None = None


class People:
    """Reads persons and keeps what is said of them; `now` in ms. Every change leaves an audit row."""

    def __init__(self, store: ContactStore, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now

    async def contact(self, contact_id: str) -> Contact:
        """One contact; raises NotFoundError."""
        found = await self._store.contacts_of([contact_id])
        if not found:
            raise NotFoundError(f"there is no contact {contact_id[:100]!r}")
        return found[0]

    async def person(self, contact_id: str) -> Person:
        """The person that a contact is; raises NotFoundError."""
        return (await self.persons([await self.contact(contact_id)]))[0]

    async def persons(self, contacts: Sequence[Contact]) -> list[Person]:
        """The persons that these contacts are, each once, in their order."""
        leads: dict[str, Contact] = {}
        for one in contacts:
            lead = await self._lead(one)
            leads.setdefault(lead.id, lead)
        known = {name: [lead] for name, lead in leads.items()}
        belongs = {name: name for name in leads}
        asked = list(leads)
        for _ in range(_DEPTH):
            asked = (
                [one.id for one in self._taken(await self._store.merged_into(asked), belongs, known)] if asked else []
            )
        return [Person(members) for members in known.values()]

    async def change(self, contact_id: str, wanted: Change, *, who: str) -> Person:
        """Keep what is said of a person, with its lead. Raises NotFoundError, RejectedError, or ConflictError."""
        said = _checked(wanted)
        for _ in range(_ATTEMPTS):
            person = await self.person(contact_id)
            lead = person.lead
            if wanted.version is not None and wanted.version != lead.version:
                break
            changes = {name: value for name, value in said.items() if value is not UNSET}
            if "tags" in changes:
                wanted_tags: list[str] = changes["tags"]
                await self._untagged(person, wanted_tags, who)
                # Tags of members stay theirs, so that taking back gives each its own.
                others = {tag for one in person.members[1:] for tag in one.said.tags}
                changes["tags"] = [tag for tag in wanted_tags if tag not in others or tag in lead.said.tags]
            after = replace(lead.said, **changes)
            if after == lead.said:
                return person
            if await self._changed(lead, after, who, "contact.changed", _shown(lead.said), _shown(after)):
                return await self.person(contact_id)
        raise ConflictError("somebody changed this contact meanwhile: read it again")

    async def merge(self, contact_id: str, other_id: str, *, who: str) -> Person:
        """Say that two are one person; nothing changes when they are. Raises NotFoundError or ConflictError."""
        for _ in range(_ATTEMPTS):
            one, other = await self.person(contact_id), await self.person(other_id)
            if one.lead.id == other.lead.id:
                # The first may have been read before somebody else merged them.
                return await self.person(contact_id)
            if len(one.members) + len(other.members) > MOST_MEMBERS:
                raise ConflictError(f"a person has {MOST_MEMBERS} contacts at most: take some back first")
            # Always the younger to the older, so that two who merge at once can make no circle.
            older, younger = sorted((one.lead, other.lead), key=lambda lead: (lead.created_at, lead.id))
            after = replace(younger.said, merged_into=older.id, merged_at=self._now(), merged_by=who)
            if await self._changed(younger, after, who, "contact.merged", None, {"into": older.id}):
                return await self.person(older.id)
        raise ConflictError("these contacts are being changed all the time: try again")

    async def unmerge(self, contact_id: str, *, who: str) -> tuple[Person, Person]:
        """Take a contact back from whom it was merged into; both persons, as they were before.

        Raises NotFoundError, or ConflictError when it is merged into nobody.
        """
        for _ in range(_ATTEMPTS):
            contact = await self.contact(contact_id)
            into = contact.said.merged_into
            if into is None:
                raise ConflictError(f"contact {contact_id} is merged into no other: read it again")
            after = replace(contact.said, merged_into=None, merged_at=None, merged_by=None)
            if await self._changed(contact, after, who, "contact.unmerged", {"into": into}, None):
                apart = await self.person(contact_id)
                rest = await self._store.contacts_of([into])
                return ((await self.persons(rest))[0] if rest else apart), apart
        raise ConflictError("this contact is being changed all the time: try again")

    async def dismiss(self, contact_id: str, other_id: str, *, who: str) -> None:
        """Say that two are not one person: it is not suggested again. Raises NotFoundError, or ConflictError."""
        one, other = await self.person(contact_id), await self.person(other_id)
        if one.lead.id == other.lead.id:
            raise ConflictError("these are merged: take that back first")
        first, second = sorted((one.lead.id, other.lead.id))
        audit = self._audit(who, "contact.not_one", first, None, {"other": second})
        await self._store.say_not_one(NotOne(first=first, second=second, at=self._now(), who=who), audit)

    async def _untagged(self, person: Person, tags: Sequence[str], who: str) -> None:
        """Take from members what they are not to bear any more."""
        for one in person.members[1:]:
            left = [tag for tag in one.said.tags if tag in tags]
            if left != one.said.tags:
                after = replace(one.said, tags=left)
                await self._changed(one, after, who, "contact.changed", _shown(one.said), _shown(after))

    async def _lead(self, contact: Contact) -> Contact:
        for _ in range(_DEPTH):
            above = contact.said.merged_into
            found = await self._store.contacts_of([above]) if above else []
            if not found:
                break  # the one it points to was forgotten
            contact = found[0]
        return contact

    @staticmethod
    def _taken(found: Sequence[Contact], belongs: dict[str, str], known: dict[str, list[Contact]]) -> list[Contact]:
        """Put these under whom they belong to; those that were not there yet."""
        fresh = [one for one in found if one.id not in belongs and one.said.merged_into in belongs]
        for one in fresh:
            lead = belongs[one.said.merged_into or ""]
            belongs[one.id] = lead
            known[lead].append(one)
        return fresh

    async def _changed(self, contact: Contact, said: Said, who: str, what: str, before: Any, after: Any) -> bool:
        audit = self._audit(who, what, contact.id, before, after)
        changed = replace(contact, said=said, version=contact.version + 1)
        return await self._store.change_contact(changed, audit, replaces=contact.version)

    def _audit(self, who: str, what: str, contact_id: str, before: Any, after: Any) -> AuditRow:
        return AuditRow(at=self._now(), who=who, what=what, subject=f"contact {contact_id}", before=before, after=after)


def _checked(wanted: Change) -> dict[str, Any]:
    """What is to be said, tidied; raises RejectedError that names the field."""
    tags = wanted.tags
    if not isinstance(tags, UnsetType):
        tags = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
            raise RejectedError(f"tags: {MOST_TAGS} at most, each of at most {LONGEST_TAG} letters")
    zone = wanted.zone or (None if wanted.zone is not UNSET else UNSET)
    if isinstance(zone, str) and not is_zone(zone):
        raise RejectedError(f"zone: there is no time zone {zone[:60]!r}; use a name like Asia/Bangkok")
    label = _text(wanted.name, "name", LONGEST_LABEL)
    return {"label": label, "tags": tags, "note": _text(wanted.note, "note", LONGEST_NOTE), "zone": zone}


def _text(value: str | UnsetType | None, name: str, longest: int) -> str | UnsetType | None:
    if not isinstance(value, str):
        return value
    if len(value) > longest:
        raise RejectedError(f"{name}: at most {longest} letters")
    return value.strip() or None


def _shown(said: Said) -> dict[str, Any]:
    """For the audit log: tags and zone; of a name and a note only whether there is one."""
    return {"tags": said.tags, "zone": said.zone, "named": said.label is not None, "note": said.note is not None}


__all__ = ["Change", "People", "Person"]
