"""What is shown beside a conversation: the customer, their orders, their history over all channels, its health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from actors.orders import Order
from actors.times import rfc3339
from services.contacts.contact_data import ContactData, Safe, email_of
from services.contacts.countries import (
    COUNTRIES,
    country_of_language,
    country_of_phone,
    offset_minutes,
    phone_of,
)
from services.contacts.evidence import Evidence, Suggestion, data_of
from services.contacts.health import health_of
from services.contacts.history import History, span_view
from services.contacts.learning import (
    NAMELESS,
    Learning,
    LearningStore,
    again,
    contact_id,
    identity_of,
    sighting,
    value_of,
)
from services.contacts.orders import Beside, about_orders, mentioned_orders, orders_view, parcel_numbers
from services.contacts.people import People, Person
from services.contacts.sight import Sight, everything
from services.errors import NotFoundError
from services.people.permissions import Caller
from services.tracking import recognise
from storage.channel_ports import IdentityStore
from storage.contact_records import Contact, ContactFilter
from storage.inbox_records import Scope
from storage.ports import HealthStore, InboxStore
from storage.records import ConversationRow, MessageRow, Page

MESSAGES_READ = 50
"""Of the open conversation the last ones, for tracking numbers, addresses, orders and hops."""
SPANS = 20
MOST_COMPARED = 20
MOST_FORGOTTEN = 500
View = dict[str, Any]


class ContextStore(LearningStore, InboxStore, HealthStore, IdentityStore, Protocol):
    """The parts of a store used here."""


class _Seen(Struct):
    """What was read for one context."""

    row: ConversationRow
    messages: list[MessageRow]
    person: Person
    data: ContactData
    scope: Scope


class Contacts:
    """Customers, for the API and the screens. `now` in ms; `sight` tells which conversations somebody may see."""

    def __init__(self, store: ContextStore, safe: Safe, now: Callable[[], int], sight: Sight = everything) -> None:
        self._store = store
        self._safe = safe
        self._now = now
        self.sight = sight
        self.people = People(store, now)
        self.learning = Learning(store, safe, now)
        self.evidence = Evidence(store, self.people, safe)
        self.history = History(store)

    async def context(self, key: str, caller: Caller) -> View:
        """What belongs beside a conversation. Raises NotFoundError, for one that the caller may not see too."""
        seen = await self._looked(key, caller)
        about = await about_orders(self._store, [seen.row])
        mentioned = await mentioned_orders(self._store, _written(seen.messages))
        beside = await self._beside(seen.person, about, mentioned)
        spans = await self.history.page(seen.person, seen.scope, SPANS)
        spoken_of = await about_orders(self._store, spans.items)
        found = await self.evidence.suggestions(
            seen.person, seen.data, seen.scope, about=spoken_of, mentioned=mentioned, own=_placed(beside)
        )
        orders = list(beside.orders.values())
        return {
            "key": key,
            "at": rfc3339(self._now()),
            **await self.person_view(seen.person, seen.data, orders),
            "language": seen.row.lang or next(iter(seen.person.lead.told.langs), None),
            "aliases": await self._aliases(seen.row),
            "orders": orders_view(beside, {seen.row.order: about[seen.row.order]} if seen.row.order in about else {}),
            "history": {"items": [span_view(row, key) for row in spans.items], "next": spans.next},
            "suggestions": [suggestion_view(one) for one in found],
            "tracking": tracking_of(seen.messages, parcel_numbers(orders)),
            "health": await health_of(self._store, seen.row, seen.messages),
        }

    async def detail(self, contact_id_: str, caller: Caller) -> View:
        """A person as the page of customers shows them. Raises NotFoundError."""
        person, scope = await self.visible(contact_id_, caller)
        data = await asyncio.to_thread(data_of, self._safe, person)
        spans = await self.history.page(person, scope, SPANS)
        about = await about_orders(self._store, spans.items)
        beside = await self._beside(person, about, {})
        found = await self.evidence.suggestions(person, data, scope, about=about, mentioned={}, own=_placed(beside))
        return {
            **await self.person_view(person, data, list(beside.orders.values())),
            "orders": orders_view(beside, {}),
            "history": {"items": [span_view(row, None) for row in spans.items], "next": spans.next},
            "suggestions": [suggestion_view(one) for one in found],
        }

    async def listed(self, where: ContactFilter, caller: Caller, limit: int, cursor: str | None = None) -> Page[View]:
        """One page of persons, those who wrote last first. Raises RejectedError for a bad cursor.

        Who is merged into another is told of with that one: a page may have fewer than it could.
        """
        scope = await self.sight(caller)
        page = await self._store.contacts(await asyncio.to_thread(self._asked, where), limit, cursor)
        persons = await self.people.persons(page.items)
        seen = [person for person in persons if await self.history.any_seen(person, scope)]
        return Page(items=[await self._row(person) for person in seen], next=page.next)

    def _asked(self, where: ContactFilter) -> ContactFilter:
        """An e-mail address or a telephone number is looked for by its facts; every other text as it stands."""
        text = (where.text or "").strip()
        facts: list[str] = []
        if email := email_of(text):
            facts = [*self._safe.facts("email", [email]), *self._safe.facts("told", [email])]
        elif phone := phone_of(text):
            facts = list(self._safe.facts("phone", [phone]))
        asked = replace(where, text=None, facts=facts) if facts else replace(where, text=text or None)
        # Contacts that are merged into others are found by what is theirs, and shown as those.
        bare = asked == ContactFilter(platform=where.platform, account=where.account) and where.platform is None
        return replace(asked, alone=bare)

    async def _row(self, person: Person) -> View:
        value, count = person.lead.told.value, person.lead.told.orders
        if len(person.members) > 1:
            data = await asyncio.to_thread(data_of, self._safe, person)
            orders = list((await self._beside(person, {}, {})).orders.values())
            own = [one for one in orders if _own(one, person, data)]
            value, count = value_of(own), len(own)
        return {
            **contact_view(person),
            "tags": person.tags,
            "identities": [_place_view(one) for one in person.members],
            "value": [{"currency": currency, "total": total} for currency, total in value.items()],
            "orders_count": count,
        }

    async def forget(self, platform: str, account: str, identity: str) -> None:
        """Forget a customer as a platform knows them: orders, names, and what else was learnt by them."""
        names = await self._store.canonical(platform, account, [identity])
        orders = [
            one
            for one in await self._store.orders_by(contact=identity, limit=MOST_FORGOTTEN)
            if (one.platform, one.account) == (platform, account)
        ]
        emails = list(dict.fromkeys(one.email.casefold() for one in orders if one.email))
        facts = await asyncio.to_thread(self._safe.facts, "email", emails)
        others = await self._store.contacts_with(list(facts), MOST_FORGOTTEN)
        await self._store.forget_customer(platform, account, identity)
        await self._store.forget_identities(platform, account, identity)
        gone = {contact_id(platform, account, name) for name in (identity, names.get(identity, identity))}
        for name in gone:
            await self._store.forget_contact(name)
        # What others were known by because of these orders goes too.
        await self.learning.learn([again(one) for one in others if one.id not in gone], anew=True)

    async def visible(self, contact_id_: str, caller: Caller) -> tuple[Person, Scope]:
        """A person of whom the caller may see a conversation; raises NotFoundError."""
        person, scope = await self.people.person(contact_id_), await self.sight(caller)
        if not await self.history.any_seen(person, scope):
            raise NotFoundError(f"there is no contact {contact_id_[:100]!r}")
        return person, scope

    async def person_view(self, person: Person, data: ContactData, orders: Sequence[Order]) -> View:
        """Who it is: the contact, its identities, tags, value, time."""
        counted = [one for one in orders if _own(one, person, data)]
        return {
            "contact": contact_view(person),
            "identities": [await self._identity_view(one, person) for one in person.members],
            "tags": person.tags,
            "emails": data.emails,
            "phones": data.phones,
            "value": [{"currency": currency, "total": total} for currency, total in value_of(counted).items()],
            "orders_count": len(counted),
            "local_time": self._local_time(person, data, orders),
        }

    async def _looked(self, key: str, caller: Caller) -> _Seen:
        row, scope = await self._store.conversation(key), await self.sight(caller)
        if row is None or not scope.sees(row):
            raise NotFoundError(f"there is no conversation {key[:200]!r}")
        messages = await self._store.latest_messages(key, MESSAGES_READ)
        await self.learning.learn([sighting(row, _written(messages))])
        person = await self.people.person(contact_id(row.platform, row.account, identity_of(row)))
        data = await asyncio.to_thread(data_of, self._safe, person)
        return _Seen(row=row, messages=messages, person=person, data=data, scope=scope)

    async def _beside(self, person: Person, about: dict[str, Order], mentioned: dict[str, Order]) -> Beside:
        beside = Beside()
        for order in about.values():
            beside.add(order, "order")
        for member in person.members:
            data = await asyncio.to_thread(self._safe.opened, member)
            for order in await self.learning.own_orders(member, data):
                mine = (order.platform, order.account, order.contact)
                beside.add(order, "customer" if mine == (member.platform, member.account, member.identity) else "email")
        for order in mentioned.values():
            beside.add(order, "mentioned")
        return beside

    async def _identity_view(self, contact: Contact, person: Person) -> View:
        data = await asyncio.to_thread(self._safe.opened, contact)
        nameless = contact.identity.startswith(NAMELESS)
        return {
            "contact": contact.id,
            "platform": contact.platform,
            "account": contact.account,
            "id": None if nameless else contact.identity,
            "name": contact.told.name,
            "emails": data.emails,
            "phones": data.phones,
            "created_at": rfc3339(contact.created_at),
            "seen_at": rfc3339(contact.told.seen_at),
            "merged_at": rfc3339(contact.said.merged_at) if contact.said.merged_at is not None else None,
            "merged_by": contact.said.merged_by,
            "removable": contact.said.merged_into in person.ids,
        }

    async def _aliases(self, row: ConversationRow) -> list[View]:
        if not row.contact_id:
            return []
        found = await self._store.aliases(row.platform, row.account, row.contact_id)
        return [
            {"name": one.alias, "since": rfc3339(one.since), "canonical": one.alias == one.canonical} for one in found
        ]

    def _local_time(self, person: Person, data: ContactData, orders: Sequence[Order]) -> View | None:
        """The customer's zone: said by people, else of the newest order's country, the number's, or the language's."""
        newest = sorted(orders, key=lambda one: -one.created_at)
        countries = [
            *(("order", one.country.upper()) for one in newest if one.country),
            *(("order", one.told.country) for one in person.members if one.told.country),
            *(("phone", country) for phone in data.phones if (country := country_of_phone(phone))),
            *(("language", c) for one in person.members for lang in one.told.langs if (c := country_of_language(lang))),
        ]
        zone, origin, sure, country = person.zone, "said", True, None
        for where, code in [] if zone else countries:
            if code in COUNTRIES:
                zone, origin, country = COUNTRIES[code].zone, where, code
                sure = COUNTRIES[code].zones == "one" and where != "language"
                break
        if zone is None:
            return None
        minutes = offset_minutes(zone, self._now())
        return {"zone": zone, "from": origin, "country": country, "sure": sure, "offset_minutes": minutes}


def contact_view(person: Person) -> View:
    """The person itself."""
    lead = person.lead
    return {
        "id": lead.id,
        "name": person.name,
        "label": lead.said.label,
        "note": lead.said.note,
        "notes": [one.said.note for one in person.members if one.said.note],
        "zone": lead.said.zone,
        "langs": list(dict.fromkeys(lang for one in person.members for lang in one.told.langs)),
        "country": next(filter(None, (one.told.country for one in person.members)), None),
        "created_at": rfc3339(min(one.created_at for one in person.members)),
        "seen_at": rfc3339(max(one.told.seen_at for one in person.members)),
        "version": lead.version,
    }


def _place_view(contact: Contact) -> View:
    return {
        "contact": contact.id,
        "platform": contact.platform,
        "account": contact.account,
        "id": None if contact.identity.startswith(NAMELESS) else contact.identity,
        "name": contact.told.name,
        "seen_at": rfc3339(contact.told.seen_at),
    }


def suggestion_view(one: Suggestion) -> View:
    """Somebody who may be the same, and why."""
    lead = one.person.lead
    return {
        "contact": {
            "id": lead.id,
            "name": one.person.name,
            "identities": [_place_view(each) for each in one.person.members],
        },
        "strength": one.reasons[0].strength,
        "reasons": [{"kind": each.kind, "strength": each.strength, "value": each.value} for each in one.reasons],
    }


def tracking_of(messages: Sequence[MessageRow], known: Sequence[str]) -> list[View]:
    """The tracking numbers in messages, the latest first, each once."""
    found: dict[str, View] = {}
    for message in messages:
        for one in recognise(message.text or "", known):
            view = {"number": one.number, "carriers": one.carriers, "url": one.url, "sure": one.sure}
            place = {"message": message.message, "direction": message.direction, "at": rfc3339(message.sent_at)}
            found.setdefault(one.number, {**view, **place})
    return list(found.values())


def _written(messages: Sequence[MessageRow]) -> list[str]:
    """What the customer wrote."""
    return [one.text for one in messages if one.direction == "in" and one.text]


def _placed(beside: Beside) -> dict[str, Order]:
    """The newest orders that a person placed, by number."""
    own = [order for order, why in beside.newest() if {"customer", "email"} & set(why)]
    return {order.number: order for order in own[:MOST_COMPARED]}


def _own(order: Order, person: Person, data: ContactData) -> bool:
    """Whether it is this person's by more than its number."""
    places = {(one.platform, one.account, one.identity) for one in person.members}
    by_id = order.contact is not None and (order.platform, order.account, order.contact) in places
    by_email = order.email is not None and order.email.casefold() in data.emails
    return by_id or by_email or phone_of(order.phone or "", order.country) in data.phones


__all__ = ["Contacts", "contact_view", "suggestion_view", "tracking_of"]
