"""The orders that belong beside a conversation, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct, field

from actors.keys import conversation_key
from actors.orders import Order, Shipment
from actors.times import rfc3339
from services.tracking import CARRIERS, Carrier, link, matching, plain
from storage.channel_ports import OrderStore
from storage.records import ConversationRow

Why: TypeAlias = Literal["order", "customer", "email", "mentioned"]
Step: TypeAlias = Literal["done", "now", "to_come", "stopped"]
MOST = 100
MOST_MENTIONED = 10
_MENTIONED = re.compile(r"#[A-Z]{0,4}-?\d{3,12}\b|\b(?=[A-Z0-9-]*\d{3})[A-Z0-9]{2,}(?:-?[A-Z0-9]+){1,4}\b", re.ASCII)
_SHORTEST_MENTIONED = 6
_PAID = frozenset({"paid", "partially_refunded", "refunded", "completed", "processing"})
_PARTLY_PAID = frozenset({"partially_paid", "authorized"})
_SENT = frozenset({"fulfilled", "completed", "shipped"})
_PARTLY_SENT = frozenset({"partial", "partially_fulfilled", "in_progress"})
_DELIVERED = frozenset({"delivered"})
_STOPPED = frozenset({"cancelled", "failed", "trash", "voided", "expired"})


class Beside(Struct):
    """Orders by their place, each with why it is shown."""

    orders: dict[tuple[str, str, str], Order] = field(default_factory=dict[tuple[str, str, str], Order])
    why: dict[tuple[str, str, str], list[Why]] = field(default_factory=dict[tuple[str, str, str], list[Why]])

    def add(self, order: Order, why: Why) -> None:
        """One more."""
        place = (order.platform, order.account, order.id)
        self.orders[place] = order
        reasons = self.why.setdefault(place, [])
        if why not in reasons:
            reasons.append(why)

    def newest(self) -> list[tuple[Order, list[Why]]]:
        """What the conversation is about first, then the newest."""

        def rank(place: tuple[str, str, str]) -> tuple[bool, int]:
            return "order" not in self.why[place], -self.orders[place].created_at

        return [(self.orders[place], self.why[place]) for place in sorted(self.orders, key=rank)]


async def about_orders(store: OrderStore, rows: Sequence[ConversationRow]) -> dict[str, Order]:
    """The known orders that conversations are about, by their numbers as told there."""
    found: dict[str, Order] = {}
    for row in rows:
        if row.order and row.order not in found:
            own = await store.order(row.platform, row.account, row.order)
            order = own or await by_number(store, row.order)
            if order is not None:
                found[row.order] = order
    return found


async def mentioned_orders(store: OrderStore, texts: Sequence[str]) -> dict[str, Order]:
    """The known orders whose numbers stand in texts, by their numbers as written there."""
    words = dict.fromkeys(match[0] for text in texts for match in _MENTIONED.finditer(text))
    found: dict[str, Order] = {}
    for word in [word for word in words if word.startswith("#") or len(word) >= _SHORTEST_MENTIONED][:MOST_MENTIONED]:
        order = await by_number(store, word)
        if order is not None:
            found[word] = order
    return found


async def by_number(store: OrderStore, number: str) -> Order | None:
    """The one order that customers know by this number; None when there is none, or several shops have one."""
    bare = number.lstrip("#")
    held: dict[str, Order] = {}
    for form in dict.fromkeys((number, bare, f"#{bare}")):
        held |= {order_place(order): order for order in await store.orders_by(number=form, limit=2)}
    return next(iter(held.values())) if len(held) == 1 else None


def order_place(order: Order) -> str:
    """Which order it is, of all shops'."""
    return conversation_key(order.platform, order.account, order.id)


def parcel_numbers(orders: Sequence[Order]) -> list[str]:
    """The tracking numbers of orders' parcels."""
    return [parcel.number for order in orders for parcel in order.shipments if parcel.number]


def order_view(order: Order, why: Sequence[Why], *, here: bool) -> dict[str, Any]:
    """An order as it is shown; `here`: the open conversation is about it."""
    return {
        "platform": order.platform,
        "account": order.account,
        "id": order.id,
        "number": order.number,
        "here": here,
        "why": list(why),
        "created_at": rfc3339(order.created_at),
        "updated_at": rfc3339(order.updated_at),
        "status": order.status,
        "payment": order.payment,
        "fulfilment": order.fulfilment,
        "refund": order.refund,
        "total": order.total,
        "currency": order.currency,
        "name": order.name,
        "country": order.country,
        "items": [
            {"title": one.title, "quantity": one.quantity, "sku": one.sku, "price": one.price} for one in order.items
        ],
        "shipments": [_parcel_view(one) for one in order.shipments],
        "steps": steps_of(order),
    }


def steps_of(order: Order) -> list[dict[str, Any]]:
    """Ordered, paid, sent, delivered: how far an order is, by whatever words its shop has for it."""
    words = {word.lower() for word in (order.status, order.payment, order.fulfilment) if word}
    parcels = {(one.status or "").lower() for one in order.shipments}
    if words & _STOPPED:
        return [_step("ordered", "done", order.created_at), _step("cancelled", "stopped", order.updated_at)]
    paid: Step = "done" if words & _PAID else "now"
    delivered = bool(order.shipments) and parcels <= _DELIVERED
    sent: Step = "to_come"
    if words & _SENT or delivered:
        sent = "done"
    elif words & _PARTLY_SENT or order.shipments or paid == "done":
        sent = "now"
    arrived: Step = "done" if delivered else "now" if sent == "done" else "to_come"
    steps = [
        _step("ordered", "done", order.created_at),
        _step("paid", paid, None, partly=bool(words & _PARTLY_PAID)),
        _step("sent", sent, None, partly=bool(words & _PARTLY_SENT)),
        _step("delivered", arrived, None),
    ]
    return [*steps, _step("refunded", "done", None, partly=order.refund != "refunded")] if order.refund else steps


def _step(what: str, state: Step, at: int | None, *, partly: bool = False) -> dict[str, Any]:
    return {"what": what, "state": state, "at": rfc3339(at) if at is not None else None, "partly": partly}


def _parcel_view(parcel: Shipment) -> dict[str, Any]:
    carrier = _carrier_of(parcel)
    own = parcel.url if parcel.url and _is_web(parcel.url) else None
    linked = link(carrier, plain(parcel.number)) if carrier and parcel.number else None
    return {
        "carrier": parcel.carrier or (carrier.name if carrier else None),
        "number": parcel.number,
        "url": own or linked,
        "status": parcel.status,
    }


def _carrier_of(parcel: Shipment) -> Carrier | None:
    """The carrier that the shop names, else the only one whose check digit proves the number."""
    named = (parcel.carrier or "").strip().casefold()
    for carrier in CARRIERS.values():
        if named and (named == carrier.name.casefold() or named in carrier.names):
            return carrier
    proven = {one.carrier.id: one.carrier for one in matching(plain(parcel.number or "")) if one.checked}
    return next(iter(proven.values())) if len(proven) == 1 else None


def _is_web(address: str) -> bool:
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return False


def orders_view(beside: Beside, about: Mapping[str, Order]) -> list[dict[str, Any]]:
    """All of them, what the open conversation is about first."""
    here = {(one.platform, one.account, one.id) for one in about.values()}
    shown = beside.newest()[:MOST]
    return [order_view(one, why, here=(one.platform, one.account, one.id) in here) for one, why in shown]


__all__ = [
    "Beside",
    "about_orders",
    "by_number",
    "mentioned_orders",
    "order_place",
    "order_view",
    "orders_view",
    "parcel_numbers",
    "steps_of",
]
