"""Where everything arrives that a connector has read: webhooks, polls, sweeps, mail, visitors' chats.

People get the name under which they are known, echoes of our own replies find the reply they are, files that came with
messages are put down to be fetched, orders are kept, and events go to the log; all of it is durable when `take`
returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from actors.errors import RejectedError
from actors.events import Entry, Event, Message, Rejected
from actors.intake import parse_event, stamp
from actors.keys import channel_key, escape
from actors.orders import ForgetCustomer, Order
from connectors.contract.connector import Connector, OnePerson, Parsed, Refused, UpTo
from connectors.contract.history import Pointer
from services.arrivals.identities import Identities
from services.contacts.registrar import order_job
from services.ingest import MOST_RAW, check_ahead
from storage.channel_ports import IdentityStore, JobStore, OrderStore
from storage.channel_records import Job
from streams.ports import Gateway

Via: TypeAlias = Literal["push", "poll", "resync"]


class ArrivalStore(JobStore, OrderStore, IdentityStore, Protocol):
    """The parts of a store used here."""


class Echoes(Protocol):
    """Who knows which messages and receipts of a platform are about our own replies."""

    async def settled(self, connector: Connector, events: Sequence[Event]) -> list[Event]:
        """The events with our replies under their own ids, without echoes of them and without what must wait."""
        ...

    async def reached(self, connector: Connector, positions: Sequence[UpTo]) -> list[Event]:
        """Receipts of what a customer has up to a time, under the ids of Weir."""
        ...


class Files(Protocol):
    """Who fetches the files that come with messages."""

    async def announced(self, connector: Connector, messages: Sequence[Message]) -> None:
        """Put down that these messages' files are to be fetched; durable when it returns."""
        ...


class Customers(Protocol):
    """Who keeps contacts."""

    async def forget(self, platform: str, account: str, identity: str) -> None:
        """Forget everything of a customer: orders, names, contact."""
        ...


class Taken(Struct, frozen=True, kw_only=True):
    """What became of what arrived. `pointers`: things that are to be fetched."""

    accepted: int = 0
    rejected: int = 0
    orders: int = 0
    pointers: int = 0


class Arrivals:
    """The way in for what connectors read."""

    def __init__(
        self,
        gateway: Gateway,
        store: ArrivalStore,
        *,
        echoes: Echoes | None = None,
        files: Files | None = None,
        customers: Customers | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._echoes = echoes
        self._files = files
        self._customers = customers
        self._identities = Identities(store, gateway.now)

    async def identified(self, connector: Connector, parsed: Sequence[Parsed]) -> Sequence[Parsed]:
        """What a connector read, with one name for each person; `take` does it too. Raises RetriableError."""
        return await self._identities.settled(connector, parsed) if connector.aliases else parsed

    async def take(
        self, connector: Connector, parsed: Sequence[Parsed], *, via: Via = "push", history: bool = False
    ) -> Taken:
        """Take in what a connector read; `history`: fetched when the channel was bound, no trouble opens for it.

        Raises RetriableError (OverloadedError and LogFullError among them); then it may be taken in again.
        """
        now = self._gateway.now()
        events: list[Event] = []
        rejected: list[Rejected] = []
        pointers: list[Pointer] = []
        orders: list[Order] = []
        forgotten: list[ForgetCustomer] = []
        positions: list[UpTo] = []
        for one in await self.identified(connector, parsed):
            match one:
                case OnePerson():
                    pass  # of a connector that does not set `aliases`: there is nothing to tell apart
                case Refused():
                    rejected.append(_rejected(connector, one.raw, one.reason, now))
                case Pointer():
                    pointers.append(one)
                case Order():
                    orders.append(one)
                case ForgetCustomer():
                    forgotten.append(one)
                case UpTo():
                    positions.append(one)
                case _:
                    _held(connector, one, now, events, rejected)
        if self._echoes is not None:
            events = await self._echoes.settled(connector, events)
            events += await self._echoes.reached(connector, positions)
        await self._put_down(connector, pointers, orders, events, now)
        for customer in forgotten:
            await self._forget(customer)
        entries: list[Entry] = [*(_marked(event, now, via, history=history) for event in events), *rejected]
        if entries:
            await self._gateway.submit(entries)
        return Taken(accepted=len(events), rejected=len(rejected), orders=len(orders), pointers=len(pointers))

    async def _forget(self, customer: ForgetCustomer) -> None:
        place = (customer.platform, customer.account, customer.contact)
        if self._customers is not None:
            await self._customers.forget(*place)
        else:
            await self._store.forget_customer(*place)
            await self._store.forget_identities(*place)

    async def _put_down(
        self,
        connector: Connector,
        pointers: Sequence[Pointer],
        orders: Sequence[Order],
        events: Sequence[Event],
        now: int,
    ) -> None:
        """Before the events are in the log: what is put down twice, because the rest failed, is done once."""
        if pointers:
            await self._store.put_jobs([_fetch(connector, pointer, now) for pointer in pointers])
        if orders:
            await self._store.put_orders(orders)
            if self._customers is not None:
                await self._store.put_jobs([order_job(order, now) for order in orders])
        told = [event for event in events if isinstance(event, Message) and event.attachments]
        if told and self._files is not None:
            await self._files.announced(connector, told)


def pointer_job_id(platform: str, account: str, pointer: str) -> str:
    """The id of the job that fetches what a pointer names."""
    return f"{channel_key(platform, account)}/{escape(pointer)}"


def _fetch(connector: Connector, pointer: Pointer, now: int) -> Job:
    platform, account = connector.platform, connector.binding.account
    job_id = pointer_job_id(platform, account, pointer.id)
    about = dict(pointer.about)
    return Job(
        kind="pointer",
        id=job_id,
        platform=platform,
        account=account,
        at=now,
        due_at=now,
        payload={"pointer": pointer.id, "about": about},
    )


def _held(connector: Connector, event: Event, now: int, events: list[Event], rejected: list[Rejected]) -> None:
    """Nothing gets into the log that could not be read from it again, whatever a connector makes."""
    raw = msgspec.json.encode(event)
    try:
        events.append(check_ahead(parse_event(raw, need_at=False), now))
    except RejectedError as wrong:
        rejected.append(_rejected(connector, raw, str(wrong), now))


def _marked(event: Event, now: int, via: Via, *, history: bool) -> Event:
    if isinstance(event, Message) and (event.via != via or history):
        event = replace(event, via=via, history=history or event.history)
    stamp(event, now)
    return event


def _rejected(connector: Connector, raw: bytes, reason: str, now: int) -> Rejected:
    account = connector.binding.account
    return Rejected(at=now, reason=reason, raw=raw[:MOST_RAW], platform=connector.platform, account=account)


__all__ = ["ArrivalStore", "Arrivals", "Customers", "Echoes", "Files", "Taken", "Via", "pointer_job_id"]
