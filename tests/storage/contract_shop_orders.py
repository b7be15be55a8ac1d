"""Orders of shops."""

from __future__ import annotations

from msgspec.structs import replace

from actors.orders import Order, OrderItem, Shipment
from tests.storage.flushes import NOW


def order(order_id, at=NOW, /, **more):
    fields = {"platform": "shopify", "account": "shop", "number": f"#{order_id}", "created_at": at, "updated_at": at}
    return Order(id=order_id, **(fields | more))


def ids(rows):
    return [row.id for row in rows]


class ShopOrderContract:
    async def test_an_order_comes_back_whole(self, store):
        row = order(
            "a/1",
            account="店/1",
            status="open",
            payment="paid",
            fulfilment="partial",
            refund="none",
            total="12.30",
            currency="EUR",
            contact="u1",
            name="李",
            email="Li@Example.com",
            phone="+49",
            country="DE",
            items=[OrderItem(title="Ü", quantity=2, sku="s", price="6.15")],
            shipments=[Shipment(carrier="DHL", number="1", url="https://x", status="sent")],
        )
        await store.put_orders([row, order("2")])
        assert await store.order("shopify", "店/1", "a/1") == row
        assert await store.order("shopify", "shop", "2") == order("2")
        assert await store.order("shopify", "shop", "a/1") is None

    async def test_a_later_state_replaces_an_earlier_one_and_never_the_other_way_round(self, store):
        first = order("1", email="a@example.com", contact="u1")
        later = replace(first, updated_at=NOW + 5, status="paid", email=None)
        same = replace(later, status="sent")
        await store.put_orders([])
        for row, held in ((first, first), (later, later), (first, later), (same, same)):
            await store.put_orders([row])
            assert await store.order("shopify", "shop", "1") == held
        assert await store.orders_by(email="a@example.com") == []
        await store.put_orders([order("2", updated_at=NOW + 2, status="b"), order("2", updated_at=NOW + 1, status="a")])
        assert (await store.order("shopify", "shop", "2")).status == "b"

    async def test_orders_are_found_by_number_address_or_customer_newest_first(self, store):
        rows = [
            order("1", NOW, email="Ann@Example.com", contact="u1"),
            order("2", NOW + 1, email="ann@example.COM", contact="u2"),
            order("3", NOW + 2, contact="u1", number="#1"),
            order("1", NOW + 3, account="other", contact="u1"),
            order("4", NOW + 4),
        ]
        await store.put_orders(rows)
        assert await store.orders_by(email="ANN@example.com") == [rows[1], rows[0]]
        assert await store.orders_by(number="#1") == [rows[3], rows[2], rows[0]]
        assert await store.orders_by(contact="u1") == [rows[3], rows[2], rows[0]]
        assert await store.orders_by(contact="u1", limit=2) == [rows[3], rows[2]]
        assert ids(await store.orders_by(number="#4", email="ann@example.com")) == ["4", "2", "1"]
        assert await store.orders_by(number="#9") == []
        assert await store.orders_by() == []

    async def test_a_customer_is_forgotten_in_one_shop(self, store):
        rows = [order("1", contact="u1"), order("2", contact="u1"), order("3", contact="u2"), order("4")]
        other = order("1", account="other", contact="u1")
        await store.put_orders([*rows, other])
        assert await store.forget_customer("shopify", "shop", "u1") == 2
        assert await store.forget_customer("shopify", "shop", "u1") == 0
        assert await store.orders_by(contact="u1") == [other]
        assert await store.order("shopify", "shop", "3") == rows[2]

    async def test_orders_that_nothing_was_told_of_for_long_are_forgotten(self, store):
        await store.put_orders([order("old"), order("same", NOW + 5), order("told", updated_at=NOW + 9)])
        await store.prune(NOW + 5)
        assert await store.order("shopify", "shop", "old") is None
        assert (await store.order("shopify", "shop", "same")).id == "same"
        assert (await store.order("shopify", "shop", "told")).id == "told"
