"""Orders of shops."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import json

from actors.keys import conversation_key
from actors.orders import Order
from storage.cursors import bounded
from storage.mongodb.connection import Database, Row
from storage.mongodb.writes import encoded

_order = json.Decoder(Order)


class MongoShopOrders:
    """`storage.channel_ports.OrderStore`."""

    _db: Database

    async def put_orders(self, orders: Sequence[Order]) -> None:
        """Create or replace orders, apart from those held with a later `updated_at`."""
        latest: dict[str, Order] = {}
        for order in orders:
            name = _name(order.platform, order.account, order.id)
            if name not in latest or order.updated_at >= latest[name].updated_at:
                latest[name] = order
        # What no database could hold is to be told as the port's error.
        with self._db.talk():
            documents = encoded([_update(name, order) for name, order in latest.items()])
        # One that is held with a later state is not met, and then collides with it: that is nothing to write.
        await self._db.send("update", "shop_orders", documents)

    async def order(self, platform: str, account: str, order_id: str) -> Order | None:
        """One order."""
        with self._db.talk() as db:
            row = await db.shop_orders.find_one({"_id": _name(platform, account, order_id)}, {"body": 1})
        return _order.decode(row["body"]) if row else None

    async def orders_by(
        self, *, number: str | None = None, email: str | None = None, contact: str | None = None, limit: int = 20
    ) -> list[Order]:
        """Orders with that number, or e-mail address (case-insensitive), or customer's id; newest first."""
        asked = {"number": number, "email": email.casefold() if email else None, "contact": contact}
        either: list[Row] = [{name: value} for name, value in asked.items() if value is not None]
        if not either:
            return []
        sort = [("created_at", -1), ("platform", 1), ("account", 1), ("id", 1)]
        with self._db.talk() as db:
            found = db.shop_orders.find({"$or": either}, {"body": 1}, sort=sort, limit=bounded(limit))
            return [_order.decode(row["body"]) async for row in found]

    async def forget_customer(self, platform: str, account: str, contact: str) -> int:
        """Delete the orders of a customer who wants to be forgotten; how many there were."""
        where = {"contact": contact, "platform": platform, "account": account}
        with self._db.talk() as db:
            return (await db.shop_orders.delete_many(where)).deleted_count


def _name(platform: str, account: str, order_id: str) -> str:
    return conversation_key(platform, account, order_id)


def _update(name: str, order: Order) -> Row:
    state: Row = {
        "platform": order.platform,
        "account": order.account,
        "id": order.id,
        "number": order.number,
        "email": order.email.casefold() if order.email else None,
        "contact": order.contact,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "body": json.encode(order).decode(),
    }
    return {"q": {"_id": name, "updated_at": {"$lte": order.updated_at}}, "u": {"$set": state}, "upsert": True}
