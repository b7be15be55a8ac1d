"""Keeps contacts as they are told of: one for each customer who wrote, with what their orders say."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.errors import ConfigurationError
from actors.keys import conversation_key
from actors.orders import Order
from services.contacts.contact_data import GLOBAL_ACCOUNTS, ORDER_FACT, ContactData, Safe, email_of, emails_in, joined
from services.contacts.countries import phone_of
from services.contacts.orders import by_number, mentioned_orders, order_place
from storage.channel_ports import OrderStore
from storage.contact_ports import ContactStore
from storage.contact_records import Contact, Told
from storage.records import ConversationRow

NAMELESS = "conversation:"
"""Begins the identity of somebody whom the platform gives no id: it is that of the one conversation."""
MOST_ORDERS = 100
MOST_LANGS = 5
MOST_NAMED = 20
RESEALED_AT_ONCE = 200
STALE_MS = 60_000
"""A contact that is as it was but for having written again is saved anew after this time at the earliest."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_log = structlog.get_logger(__name__)


class LearningStore(ContactStore, OrderStore, Protocol):
    """The parts of a store used here."""


class Resealing(Struct, frozen=True):
    """How many contacts' data was sealed anew, and of how many the key is not here."""

    done: int
    left: int


class Sighting(Struct, frozen=True, kw_only=True):
    """Somebody was heard of: on a channel, under a platform's id, last at `seen_at` (ms); `texts`: what they wrote."""

    platform: str
    account: str
    identity: str
    seen_at: int
    first_at: int
    name: str | None = None
    langs: list[str] = []
    texts: list[str] = []
    order: str | None = None

    @property
    def id(self) -> str:
        """The contact's."""
        return contact_id(self.platform, self.account, self.identity)


def contact_id(platform: str, account: str, identity: str) -> str:
    """The id of a contact follows from who it is, so that whoever hears of somebody first makes the same contact."""
    return hashlib.sha256(f"contact\0{conversation_key(platform, account, identity)}".encode()).hexdigest()[:24]


def identity_of(row: ConversationRow) -> str:
    """The platform's id of a conversation's customer, or what stands for it."""
    return row.contact_id or NAMELESS + row.conversation


def sighting(row: ConversationRow, texts: Sequence[str] = ()) -> Sighting:
    """A conversation's customer."""
    return Sighting(
        platform=row.platform,
        account=row.account,
        identity=identity_of(row),
        seen_at=row.last_at,
        first_at=row.first_at,
        name=row.contact_name,
        langs=[row.lang] if row.lang else [],
        texts=list(texts) or ([row.last_text] if row.last_text and row.last_direction == "in" else []),
        order=row.order,
    )


def again(contact: Contact) -> Sighting:
    """A contact that is held, looked at once more."""
    return Sighting(
        platform=contact.platform,
        account=contact.account,
        identity=contact.identity,
        seen_at=contact.told.seen_at,
        first_at=contact.created_at,
        name=contact.told.name,
        langs=contact.told.langs,
    )


class Learning:
    """Makes and renews contacts; `now` in ms."""

    def __init__(self, store: LearningStore, safe: Safe, now: Callable[[], int]) -> None:
        self._store = store
        self._safe = safe
        self._now = now
        self._warned = False

    async def learn(self, sightings: Sequence[Sighting], *, anew: bool = False) -> dict[str, Contact]:
        """Keep the contacts of these sightings; by id, as they are held now. Raises RetriableError.

        `anew`: contact data that was learnt before is forgotten.
        """
        newest = {one.id: one for one in sorted(sightings, key=lambda one: one.seen_at)}
        held = {one.id: one for one in await self._store.contacts_of(list(newest))}
        orders = {one.id: await self._orders(one) for one in newest.values()}
        named = {one.id: await self._named(one) for one in newest.values()}
        found = await asyncio.to_thread(self._all_told, newest, held, orders, named, anew)
        changed = [one for one in found.values() if _differs(held.get(one.id), one)]
        await self._store.learn_contacts(changed)
        return found

    async def own_orders(self, contact: Contact, data: ContactData) -> list[Order]:
        """The orders of a contact: under its id at the shop, and under its e-mail addresses."""
        mine = await self._by_id(contact.platform, contact.account, contact.identity)
        for email in data.emails:
            mine += await self._store.orders_by(email=email, limit=MOST_ORDERS)
        return list({(one.platform, one.account, one.id): one for one in mine}.values())

    async def reseal(self) -> Resealing:
        """Seal the contact data of every contact anew, with the present key. Raises ConfigurationError."""
        present, after = await asyncio.to_thread(self._safe.present_key), ""
        done = left = 0
        while some := await self._store.contacts_sealed_otherwise(present, RESEALED_AT_ONCE, after):
            found = await asyncio.to_thread(self._resealed, some)
            await self._store.learn_contacts(found)
            done, left, after = done + len(found), left + len(some) - len(found), some[-1].id
        return Resealing(done, left)

    def _resealed(self, contacts: Sequence[Contact]) -> list[Contact]:
        found: list[Contact] = []
        for one in contacts:
            data = self._safe.opened(one)
            if data == ContactData():
                continue  # its key is not here; with its key it opens again
            named = [fact for fact in one.told.facts if fact.startswith(ORDER_FACT)]
            bare = replace(one, told=replace(one.told, sealed=b"", key="", facts=named))
            found.append(replace(one, told=self._kept(bare, bare.told, data)))
        return found

    async def _orders(self, one: Sighting) -> list[Order]:
        mine = await self._by_id(one.platform, one.account, one.identity)
        email = email_of(one.identity)
        if email:
            mine += await self._store.orders_by(email=email, limit=MOST_ORDERS)
        return list({(order.platform, order.account, order.id): order for order in mine}.values())

    async def _named(self, one: Sighting) -> list[str]:
        """The known orders that somebody named: the one the conversation is about, and those in texts."""
        found = await mentioned_orders(self._store, one.texts)
        if one.order:
            own = await self._store.order(one.platform, one.account, one.order)
            found |= {one.order: order} if (order := own or await by_number(self._store, one.order)) else {}
        return list(dict.fromkeys(order_place(order) for order in found.values()))

    async def _by_id(self, platform: str, account: str, identity: str) -> list[Order]:
        found = await self._store.orders_by(contact=identity, limit=MOST_ORDERS)
        return [order for order in found if (order.platform, order.account) == (platform, account)]

    def _all_told(
        self,
        seen: Mapping[str, Sighting],
        held: Mapping[str, Contact],
        orders: Mapping[str, Sequence[Order]],
        named: Mapping[str, Sequence[str]],
        anew: bool,  # noqa: FBT001 # handed to another thread by position
    ) -> dict[str, Contact]:
        return {
            name: self._told(one, held.get(name), orders[name], named[name], anew=anew) for name, one in seen.items()
        }

    def _told(
        self, seen: Sighting, held: Contact | None, orders: Sequence[Order], named: Sequence[str], *, anew: bool
    ) -> Contact:
        base = held or Contact(
            id=seen.id,
            platform=seen.platform,
            account=seen.account,
            identity=seen.identity,
            created_at=seen.first_at or self._now(),
        )
        before = ContactData() if anew else self._safe.opened(base)
        data = joined(_of_identity(seen), _of_orders(orders), _of_texts(seen.texts), before)
        countries = [order.country.upper() for order in orders if order.country]
        told = Told(
            seen_at=max(base.told.seen_at, seen.seen_at),
            name=seen.name or base.told.name or next((order.name for order in orders if order.name), None),
            langs=list(dict.fromkeys([*seen.langs, *base.told.langs]))[:MOST_LANGS],
            country=next(iter(countries), None if anew else base.told.country),
            orders=len(orders),
            value=value_of(orders),
        )
        return replace(base, told=self._kept(base, told, data, named))

    def _kept(self, contact: Contact, told: Told, data: ContactData, named: Sequence[str] = ()) -> Told:
        """With the contact data sealed; without, and said once, where there is no key to seal it with."""
        account = [contact.identity] if contact.platform in GLOBAL_ACCOUNTS and not _nameless(contact) else []
        try:
            sealed = self._safe.sealed(contact, data) if data.emails or data.phones or data.told else None
            facts = self._safe.present_facts(
                {
                    "email": data.emails,
                    "phone": data.phones,
                    "told": data.told,
                    "account": [f"{contact.platform}:{one}" for one in account],
                    "order": named,
                }
            )
        except ConfigurationError as wrong:
            if not self._warned:
                _log.warning("contact data of customers is not kept", reason=str(wrong))
                self._warned = True
            return told
        # Which orders were named before cannot be told from the texts of now.
        earlier = [fact for fact in contact.told.facts if fact.startswith(ORDER_FACT) and fact not in facts]
        facts += earlier[:MOST_NAMED]
        if set(facts) == set(contact.told.facts) and (sealed is None or sealed.key == contact.told.key):
            # Sealing gives other bytes each time: what says the same is left as it is.
            return replace(told, facts=contact.told.facts, sealed=contact.told.sealed, key=contact.told.key)
        return replace(told, facts=facts, sealed=sealed.data if sealed else b"", key=sealed.key if sealed else "")


def value_of(orders: Sequence[Order]) -> dict[str, str]:
    """What orders come to, per currency; those that were cancelled or wholly refunded count nothing."""
    totals: dict[str, Decimal] = {}
    for order in orders:
        currency = (order.currency or "").upper()
        if order.status == "cancelled" or order.refund == "refunded" or not _CURRENCY.fullmatch(currency):
            continue
        try:
            amount = Decimal(order.total or "")
        except InvalidOperation:
            continue
        if amount.is_finite() and abs(amount) < Decimal(10) ** 15:
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    return {currency: f"{total:f}" for currency, total in sorted(totals.items())}


def _of_identity(seen: Sighting) -> ContactData:
    email = email_of(seen.identity)
    phone = phone_of(f"+{seen.identity.removeprefix('+')}") if seen.platform == "whatsapp" else None
    return ContactData([email] if email else [], [phone] if phone else [])


def _of_orders(orders: Sequence[Order]) -> ContactData:
    emails = [email for order in orders if (email := email_of(order.email))]
    phones = [phone for order in orders if order.phone and (phone := phone_of(order.phone, order.country))]
    return ContactData(emails, phones)


def _of_texts(texts: Sequence[str]) -> ContactData:
    """A number in a text may be anything; an address may be another's, and is kept apart."""
    return ContactData([], [], [email for text in texts for email in emails_in(text)])


def _nameless(contact: Contact) -> bool:
    return contact.identity.startswith(NAMELESS)


def _differs(held: Contact | None, found: Contact) -> bool:
    if held is None:
        return True
    if found.told.seen_at - held.told.seen_at >= STALE_MS:
        return True
    return replace(found.told, seen_at=held.told.seen_at) != held.told


__all__ = [
    "NAMELESS",
    "Learning",
    "LearningStore",
    "Sighting",
    "again",
    "contact_id",
    "identity_of",
    "sighting",
    "value_of",
]
