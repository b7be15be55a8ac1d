"""Buyers whom several platforms know: they order at a shop and write to others about it.

On WhatsApp they have the number that their orders bear; on the other platforms only the order tells who they are. Their
parcels have tracking numbers of UPS with the check digit that is published for them.
"""

from __future__ import annotations

from emulator.world import Buyer, Order, Shop, World

SHARED = 4
"""Of each shop of orders, so many buyers are known elsewhere too."""
SHOPS = ("shopify", "woocommerce")
BY_NUMBER = "whatsapp"
ELSEWHERE = ("line", "telegram", "messenger")
_SHIPPER = "W41R08"
_SERVICE = "03"


def acquaint(world: World) -> None:
    """Make the first buyers of shops of orders known to the chat shops beside them, as far as there are any."""
    order_shops = [shop for name in SHOPS for shop in world.of(name)]
    by_number = world.of(BY_NUMBER)
    elsewhere = [shop for name in ELSEWHERE for shop in world.of(name)]
    for place, shop in enumerate(order_shops):
        for index in range(SHARED):
            who, number = (shop.key, shop.buyers[index].id), place * SHARED + index
            if by_number:
                chat = by_number[place % len(by_number)]
                buyer = chat.buyers[number % len(chat.buyers)]
                world.known[chat.key, buyer.id] = who
                world.phones[who] = f"+{buyer.id}"
            if elsewhere:
                chat = elsewhere[number % len(elsewhere)]
                world.known[chat.key, chat.buyers[number % len(chat.buyers)].id] = who


def latest_order(world: World, shop: Shop, buyer: Buyer) -> Order | None:
    """What a buyer of a chat ordered last elsewhere."""
    where, own = world.known.get((shop.key, buyer.id), ("", ""))
    orders = world.shops[where].orders if where in world.shops else []
    return next((order for order in reversed(orders) if order.buyer.id == own), None)


def first_number(shop: Shop) -> int:
    """Where a shop begins to number its orders: the first ones of two shops have not one number."""
    return 1_001 + 4_000 * (SHOPS.index(shop.platform) if shop.platform in SHOPS else 0)


def parcel_of(order: Order) -> str | None:
    """The tracking number of an order's parcel; None before it is sent."""
    if order.status == "processing":
        return None
    serial = f"{_SHIPPER}{_SERVICE}{int(order.id) % 10_000_000:07}"
    total = 0
    for place, letter in enumerate(serial):
        figure = int(letter) if letter.isdigit() else (ord(letter) - 63) % 10
        total += figure * (2 if place % 2 else 1)
    return f"1Z{serial}{-total % 10}"


__all__ = ["SHARED", "acquaint", "first_number", "latest_order", "parcel_of"]
