"""An order of a shop, as a connector tells it: context for whoever answers its customer. No event, no detector.

Amounts are decimal strings as the shop writes them, never floats; times are milliseconds since the epoch.
"""

from __future__ import annotations

from msgspec import Struct


class OrderItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an order; `price` of one piece."""

    title: str
    quantity: int = 1
    sku: str | None = None
    price: str | None = None


class Shipment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parcel of an order."""

    carrier: str | None = None
    number: str | None = None
    url: str | None = None
    status: str | None = None


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order as it stood at `updated_at`; a later state replaces it whole.

    `id`: the shop's own id; `number`: what the customer knows it by, such as `#1001`. `payment`, `fulfilment` and
    `refund`: the shop's own words for its state. `contact`: id of the customer at the shop.
    """

    platform: str
    account: str
    id: str
    number: str
    created_at: int
    updated_at: int
    status: str | None = None
    payment: str | None = None
    fulfilment: str | None = None
    refund: str | None = None
    total: str | None = None
    currency: str | None = None
    contact: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    items: list[OrderItem] = []
    shipments: list[Shipment] = []

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"Order(platform={self.platform!r}, account={self.account!r}, id={self.id!r})"


class ForgetCustomer(Struct, frozen=True, kw_only=True):
    """A shop wants everything forgotten that is held of the customer with the id `contact` there."""

    platform: str
    account: str
    contact: str

    def __repr__(self) -> str:
        """Without the customer, who belongs into no log."""
        return f"ForgetCustomer(platform={self.platform!r}, account={self.account!r})"
