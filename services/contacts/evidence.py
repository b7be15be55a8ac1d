"""Who may be the same person: what two contacts have in common, and how much that says. Nothing is merged here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from actors.orders import Order
from services.contacts.contact_data import GLOBAL_ACCOUNTS, ContactData, Safe, joined
from services.contacts.countries import phone_of
from services.contacts.learning import contact_id, identity_of
from services.contacts.orders import order_place
from services.contacts.people import People, Person
from storage.channel_ports import OrderStore
from storage.contact_ports import ContactStore
from storage.contact_records import Contact
from storage.inbox_records import Scope
from storage.ports import InboxStore
from storage.records import ConversationFilter

Kind: TypeAlias = Literal["same_email", "same_phone", "same_account", "same_order", "told_email", "same_name"]
Strength: TypeAlias = Literal["strong", "medium", "weak"]
STRENGTH: dict[Kind, Strength] = {
    "same_email": "strong",
    "same_phone": "strong",
    "same_account": "strong",
    "same_order": "strong",
    "told_email": "medium",
    "same_name": "weak",
}
"""An e-mail address that somebody wrote may be another's; a name and a country are many people's."""
ORDER: tuple[Strength, ...] = ("strong", "medium", "weak")
TOO_COMMON = 8
"""What so many contacts have in common says nothing of any two."""
MOST = 5


class Reason(Struct, frozen=True, kw_only=True):
    """Something in common; `value`: what it is, to be shown to people."""

    kind: Kind
    strength: Strength
    value: str

    def __repr__(self) -> str:
        """Without the value, which belongs into no log."""
        return f"Reason({self.kind})"


class Suggestion(Struct, frozen=True):
    """Somebody who may be the same person, and why; the strongest reason first."""

    person: Person
    reasons: list[Reason]


class EvidenceStore(ContactStore, OrderStore, InboxStore, Protocol):
    """The parts of a store used here."""


class _Found:
    """Reasons by contact."""

    def __init__(self) -> None:
        self.reasons: dict[str, list[Reason]] = {}
        self.contacts: dict[str, Contact] = {}

    def add(self, contact: Contact, kind: Kind, value: str, strength: Strength | None = None) -> None:
        """One more reason."""
        reason = Reason(kind=kind, strength=strength or STRENGTH[kind], value=value)
        held = self.reasons.setdefault(contact.id, [])
        if reason not in held:
            held.append(reason)
        self.contacts[contact.id] = contact


class Evidence:
    """Finds who may be the same person."""

    def __init__(self, store: EvidenceStore, people: People, safe: Safe) -> None:
        self._store = store
        self._people = people
        self._safe = safe

    async def suggestions(
        self,
        person: Person,
        data: ContactData,
        scope: Scope,
        *,
        about: Mapping[str, Order],
        mentioned: Mapping[str, Order],
        own: Mapping[str, Order],
    ) -> list[Suggestion]:
        """Persons who may be this one, the best first.

        Args:
            person: whom to compare.
            data: what is known of all its members.
            scope: which conversations the asker may see: nobody is told of customers he may not see.
            about: the orders that its conversations are about, by their numbers as told there.
            mentioned: those whose numbers merely stand in a text.
            own: those that the person placed, by their numbers.

        """
        found = _Found()
        await self._by_facts(person, data, found)
        for number, order in about.items():
            await self._by_order(number, order, "strong", found)
        for number, order in mentioned.items():
            await self._by_order(number, order, "medium", found)
        for number, order in own.items():
            # Whom else the shop names by the same address is told by the address itself.
            if len(await self._with_email_of(order)) <= TOO_COMMON:
                await self._by_speakers(number, order, "strong", found)
        for mine in person.ids:
            found.reasons.pop(mine, None)
        others = await self._people.persons([found.contacts[name] for name in sorted(found.reasons)])
        said = {(one.first, one.second) for one in await self._store.not_one(person.ids)}
        suggested: list[Suggestion] = []
        for other in others:
            if other.lead.id == person.lead.id or _denied(person, other, said) or not await self._seen(other, scope):
                continue
            reasons = [reason for name in other.ids for reason in found.reasons.get(name, [])]
            suggested.append(Suggestion(other, _ranked(person, other, reasons)))
        suggested.sort(key=lambda one: (ORDER.index(one.reasons[0].strength), -len(one.reasons), one.person.lead.id))
        return suggested[:MOST]

    async def _by_facts(self, person: Person, data: ContactData, found: _Found) -> None:
        asked = await asyncio.to_thread(self._asked, person, data)
        for facts, kind in asked:
            for fact, value in facts.items():
                some = await self._store.contacts_with([fact], TOO_COMMON + 1)
                others = [one for one in some if one.id not in person.ids]
                if len(some) <= TOO_COMMON:
                    for one in others:
                        found.add(one, kind, value)

    def _asked(self, person: Person, data: ContactData) -> list[tuple[dict[str, str], Kind]]:
        accounts = [f"{one.platform}:{one.identity}" for one in person.members if one.platform in GLOBAL_ACCOUNTS]
        return [
            (self._safe.facts("email", data.emails), "same_email"),
            (self._safe.facts("phone", data.phones), "same_phone"),
            (
                {fact: one.partition(":")[2] for fact, one in self._safe.facts("account", accounts).items()},
                "same_account",
            ),
            (self._safe.facts("told", data.emails), "told_email"),
            (self._safe.facts("email", data.told), "told_email"),
        ]

    async def _by_order(self, number: str, order: Order, strength: Strength, found: _Found) -> None:
        """An order that a shop knows: who else speaks of it, and whom the shop names."""
        await self._by_speakers(number, order, strength, found)
        named = [contact_id(order.platform, order.account, order.contact)] if order.contact else []
        reached = [await self._with_email_of(order), await self._with_phone_of(order)]
        others = [one for some in reached if len(some) <= TOO_COMMON for one in some]
        for one in [*await self._store.contacts_of(named), *others]:
            found.add(one, "same_order", order.number, strength)

    async def _by_speakers(self, number: str, order: Order, strength: Strength, found: _Found) -> None:
        page = await self._store.conversations(ConversationFilter(order=number), TOO_COMMON + 1)
        if len(page.items) <= TOO_COMMON:
            speakers = [contact_id(row.platform, row.account, identity_of(row)) for row in page.items]
            for one in await self._store.contacts_of(speakers):
                found.add(one, "same_order", order.number, strength)

        # Who merely named it in a text says less than whose conversation is about it.
        facts = await asyncio.to_thread(self._safe.facts, "order", [order_place(order)])
        some = await self._store.contacts_with(list(facts), TOO_COMMON + 1)
        told = {one.id for one in found.contacts.values() if any(r.kind == "same_order" for r in found.reasons[one.id])}
        for one in some if len(some) <= TOO_COMMON else []:
            if one.id not in told:
                found.add(one, "same_order", order.number, "medium")

    async def _with_phone_of(self, order: Order) -> list[Contact]:
        phone = phone_of(order.phone or "", order.country)
        facts = await asyncio.to_thread(self._safe.facts, "phone", [phone] if phone else [])
        return await self._store.contacts_with(list(facts), TOO_COMMON + 1)

    async def _with_email_of(self, order: Order) -> list[Contact]:
        facts = await asyncio.to_thread(self._safe.facts, "email", [order.email.casefold()] if order.email else [])
        return await self._store.contacts_with(list(facts), TOO_COMMON + 1)

    async def _seen(self, person: Person, scope: Scope) -> bool:
        """Whether somebody may see a conversation of theirs."""
        for one in person.members:
            where = ConversationFilter(platform=one.platform, account=one.account, contact=one.identity)
            if (await self._store.conversations(replace(where, scope=scope), 1)).items:
                return True
        return False


def _denied(person: Person, other: Person, said: set[tuple[str, str]]) -> bool:
    """Whether somebody said of any two of them that they are not one."""
    pairs = ((min(one, two), max(one, two)) for one in person.ids for two in other.ids)
    return any(pair in said for pair in pairs)


def _ranked(person: Person, other: Person, reasons: Sequence[Reason]) -> list[Reason]:
    """The strongest first; a common name is told beside others, and never alone."""
    name, theirs = (person.name or "").strip().casefold(), (other.name or "").strip().casefold()
    countries = {one.told.country for one in person.members} & {one.told.country for one in other.members} - {None}
    found = list(dict.fromkeys(reasons))
    if name and name == theirs:
        where = f" · {min(filter(None, countries))}" if countries else ""
        found.append(Reason(kind="same_name", strength="weak", value=f"{other.name}{where}"))
    return sorted(found, key=lambda reason: ORDER.index(reason.strength))


def data_of(safe: Safe, person: Person) -> ContactData:
    """What is known of all contacts of a person; touches the disk."""
    return joined(*(safe.opened(one) for one in person.members))


__all__ = ["Evidence", "Reason", "Suggestion", "data_of"]
