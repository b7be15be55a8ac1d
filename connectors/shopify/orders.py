"""Shopify's orders as records, from webhooks (REST resource "Order") and from the GraphQL type of that name.

Both speak of the same order in other words; records hold GraphQL's, in lower case, so that neither undoes the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from actors.orders import Order, OrderItem, Shipment
from connectors.contract import reading
from connectors.contract.reading import Document

PLATFORM = "shopify"
REFUNDS = frozenset({"refunded", "partially_refunded"})
_FULFILMENTS = {"partial": "partially_fulfilled"}
_LONGEST = 500


def from_webhook(account: str, found: Document) -> Order:
    """The order of a webhook. Raises UnreadableError."""
    customer, address = (reading.optional_part(found, name) for name in ("customer", "shipping_address"))
    payment = _word(found, "financial_status")
    fulfilment = _word(found, "fulfillment_status") or "unfulfilled"
    own = reading.identity(found, "id")
    return Order(
        platform=PLATFORM,
        account=account,
        id=own,
        number=reading.optional_identity(found, "name") or own,
        created_at=reading.instant(found, "created_at"),
        updated_at=reading.instant(found, "updated_at"),
        status=_status(found, "cancelled_at", "closed_at"),
        payment=payment,
        fulfilment=_FULFILMENTS.get(fulfilment, fulfilment),
        refund=payment if payment in REFUNDS else None,
        total=reading.text(found, "current_total_price") or reading.text(found, "total_price"),
        currency=reading.text(found, "currency"),
        contact=reading.optional_identity(customer, "id"),
        name=_name(customer, "first_name", "last_name") or reading.text(address, "name"),
        email=reading.text(found, "email") or reading.text(customer, "email"),
        phone=reading.text(found, "phone") or reading.text(customer, "phone"),
        country=reading.text(address, "country_code"),
        items=[_webhook_item(one) for one in _parts(reading.items(found, "line_items"))],
        shipments=[_webhook_shipment(one) for one in _parts(reading.items(found, "fulfillments"))],
    )


def from_graphql(account: str, found: Document, more: Sequence[Any] = ()) -> Order:
    """The order of a query; `more`: its items that came on later pages. Raises UnreadableError."""
    customer, address = (reading.optional_part(found, name) for name in ("customer", "shippingAddress"))
    total = _money(found, "currentTotalPriceSet")
    payment = _word(found, "displayFinancialStatus")
    lines = [*reading.items(reading.optional_part(found, "lineItems"), "nodes"), *more]
    own = number_of(reading.identity(found, "id"))
    return Order(
        platform=PLATFORM,
        account=account,
        id=own,
        number=reading.optional_identity(found, "name") or own,
        created_at=reading.instant(found, "createdAt"),
        updated_at=reading.instant(found, "updatedAt"),
        status=_status(found, "cancelledAt", "closedAt"),
        payment=payment,
        fulfilment=_word(found, "displayFulfillmentStatus"),
        refund=payment if payment in REFUNDS else None,
        total=reading.text(total, "amount"),
        currency=reading.text(total, "currencyCode"),
        contact=number_of(reading.optional_identity(customer, "id") or "") or None,
        name=_name(customer, "firstName", "lastName") or reading.text(address, "name"),
        email=reading.text(found, "email") or reading.text(customer, "email"),
        phone=reading.text(found, "phone") or reading.text(customer, "phone"),
        country=reading.text(address, "countryCodeV2"),
        items=[_graphql_item(one) for one in _parts(lines)],
        shipments=list(_graphql_shipments(reading.items(found, "fulfillments"))),
    )


def number_of(own: str) -> str:
    """The number at the end of a global id such as gid://shopify/Order/1; any other id as it is."""
    return own.rpartition("/")[2].partition("?")[0] if own.startswith("gid://") else own


def _status(found: Document, cancelled: str, closed: str) -> str:
    if reading.text(found, cancelled):
        return "cancelled"
    return "closed" if reading.text(found, closed) else "open"


def _word(found: Document, name: str) -> str | None:
    word = reading.text(found, name)
    return word.lower()[:_LONGEST] if word else None


def _name(customer: Document, first: str, last: str) -> str | None:
    names = (reading.text(customer, name) for name in (first, last))
    return " ".join(filter(None, names)) or None


def _money(found: Document, name: str) -> Document:
    return reading.optional_part(reading.optional_part(found, name), "shopMoney")


def _parts(found: Sequence[Any]) -> Iterator[Document]:
    return (cast("Document", one) for one in found if isinstance(one, dict))


def _item(found: Document, price: str | None) -> OrderItem:
    return OrderItem(
        title=reading.text(found, "title") or reading.text(found, "name") or "?",
        quantity=reading.size(found, "quantity") or 0,
        sku=reading.text(found, "sku") or None,
        price=price,
    )


def _webhook_item(found: Document) -> OrderItem:
    return _item(found, reading.text(found, "price"))


def _graphql_item(found: Document) -> OrderItem:
    return _item(found, reading.text(_money(found, "originalUnitPriceSet"), "amount"))


def _webhook_shipment(found: Document) -> Shipment:
    return Shipment(
        carrier=reading.text(found, "tracking_company"),
        number=reading.text(found, "tracking_number"),
        url=reading.text(found, "tracking_url"),
        status=_word(found, "shipment_status") or _word(found, "status"),
    )


def _graphql_shipments(found: Sequence[Any]) -> Iterator[Shipment]:
    for one in _parts(found):
        nothing: Document = {}
        told = next(_parts(reading.items(one, "trackingInfo")), nothing)
        yield Shipment(
            carrier=reading.text(told, "company"),
            number=reading.text(told, "number"),
            url=reading.text(told, "url"),
            status=_word(one, "displayStatus") or _word(one, "status"),
        )
