"""Orders of shops; the table `orders`, without a shop, tells which conversations name an order."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from msgspec import json

from actors.orders import Order
from storage.cursors import bounded
from storage.sqlite.bulk import read_rows, write_rows
from storage.sqlite.connection import Database

_order = json.Decoder(Order)

_PUT = """INSERT INTO shop_orders (platform, account, id, number, email, contact, created_at, updated_at, body)
    VALUES {rows} ON CONFLICT (platform, account, id) DO UPDATE SET number = excluded.number, email = excluded.email,
    contact = excluded.contact, created_at = excluded.created_at, updated_at = excluded.updated_at, body = excluded.body
    WHERE excluded.updated_at >= shop_orders.updated_at"""
_NEWEST = "ORDER BY created_at DESC, platform, account, id LIMIT ?"


class SqliteShopOrders:
    """`storage.channel_ports.OrderStore`."""

    _db: Database

    async def put_orders(self, orders: Sequence[Order]) -> None:
        """Create or replace orders, apart from those held with a later `updated_at`."""
        if orders:
            await self._db.write(write_rows, _PUT, [_values(order) for order in orders])

    async def order(self, platform: str, account: str, order_id: str) -> Order | None:
        """One order."""
        which = "WHERE platform = ? AND account = ? AND id = ?"
        found = await self._db.read(_orders, which, platform, account, order_id)
        return found[0] if found else None

    async def orders_by(
        self, *, number: str | None = None, email: str | None = None, contact: str | None = None, limit: int = 20
    ) -> list[Order]:
        """Orders with that number, or e-mail address (case-insensitive), or customer's id; newest first."""
        asked = {"number": number, "email": email.casefold() if email else None, "contact": contact}
        given = {name: value for name, value in asked.items() if value is not None}
        if not given:
            return []
        either = " OR ".join(f"{name} = ?" for name in given)
        return await self._db.read(_orders, f"WHERE {either} {_NEWEST}", *given.values(), bounded(limit))

    async def forget_customer(self, platform: str, account: str, contact: str) -> int:
        """Delete the orders of a customer who wants to be forgotten; how many there were."""
        return await self._db.write(_forget, platform, account, contact)


def _values(order: Order) -> tuple[Any, ...]:
    email = order.email.casefold() if order.email else None
    place = (order.platform, order.account, order.id, order.number)
    return (*place, email, order.contact, order.created_at, order.updated_at, json.encode(order).decode())


def _orders(connection: Connection, which: str, *values: Any) -> list[Order]:
    return [_order.decode(body) for (body,) in read_rows(connection, "body", f"FROM shop_orders {which}", values)]


def _forget(connection: Connection, platform: str, account: str, contact: str) -> int:
    sql = "DELETE FROM shop_orders INDEXED BY shop_orders_by_contact WHERE contact = ? AND platform = ? AND account = ?"
    return connection.execute(sql, (contact, platform, account)).rowcount
