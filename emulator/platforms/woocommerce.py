"""WooCommerce: webhooks of orders, orders by REST. A shop of orders; it has no chat.

After "Webhooks" and "Orders" of its REST API documentation (version 3).
"""

from __future__ import annotations

import base64
import time
from random import Random
from typing import Any

from starlette.responses import Response

from emulator.platforms.contract import (
    Call,
    Greeting,
    Platform,
    Point,
    Rate,
    answer,
    compact,
    digits,
    hmac_raw,
    secret_of,
)
from emulator.pushes import Happening, Request
from emulator.world import Order, Shop

MOST_PAGE = 100
PING = b"webhook_id=1"


class WooCommerce(Platform):
    """One site each."""

    name = "woocommerce"
    chats = False
    rate = Rate(requests=50)
    languages = ("de",)

    def open(self, number: int, rng: Random) -> Shop:
        """A site with a key and a secret."""
        own = f"shop-{digits(rng, 5)}"
        ids = {
            "consumer_key": f"ck_{secret_of(f'woocommerce key {own}', 40)}",
            "consumer_secret": f"cs_{secret_of(f'woocommerce {own}', 40)}",
            "webhook_secret": secret_of(f"woocommerce webhook {own}", 50),
        }
        return self.shop_of(number, own, "WooCommerce site", ids, language="de")

    def settings(self, shop: Shop) -> dict[str, str]:
        """The keys and the webhook's secret, by both of its names."""
        return shop.ids | {"secret": shop.ids["webhook_secret"]}

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """The order as REST has it."""
        del shop, attempt
        return compact(_rest(happening.order)) if happening.order is not None else None

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The body, with the webhook's secret."""
        del url
        event = happening.status or "updated"
        return {
            "X-WC-Webhook-Source": f"{self.stage.base_url}/{self.name}/",
            "X-WC-Webhook-Topic": f"order.{event}",
            "X-WC-Webhook-Resource": "order",
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": base64.b64encode(hmac_raw(shop.ids["webhook_secret"], body)).decode(),
            "X-WC-Webhook-ID": "1",
            "X-WC-Webhook-Delivery-ID": secret_of(f"woocommerce {happening.id}", 32),
            "User-Agent": "WooCommerce/9.4 Hookshot (WordPress/6.7)",
        }

    def greeting(self, shop: Shop, url: str) -> Greeting:
        """The ping when a webhook is saved: no JSON, and signed like the rest."""
        signature = base64.b64encode(hmac_raw(shop.ids["webhook_secret"], PING)).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-WC-Webhook-Signature": signature}
        return Greeting(
            url=url,
            request=Request(body=PING, headers=headers),
            proves=lambda status, _: 200 <= status < 400,  # noqa: PLR2004 # redirects count as success there
        )

    def points(self) -> list[Point]:
        """Orders and the site's state."""
        base = "/wp-json/wc/v3"
        return [
            Point(method="GET", path=f"{base}/orders", handler=self._orders),
            Point(method="GET", path=f"{base}/orders/{{order}}", handler=self._order),
            Point(method="GET", path=f"{base}/system_status", handler=self._status),
            Point(method="GET", path=f"{base}/webhooks", handler=self._webhooks),
            Point(method="GET", path=f"{base}/data", handler=self._data),
        ]

    def caller(self, call: Call) -> Shop:
        """HTTP Basic with key and secret. Raises Refusal."""
        given = call.header("authorization").partition(" ")[2]
        try:
            key, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        except ValueError:
            key = secret = ""
        shop = self.by_id("consumer_key", key)
        right = shop is not None and shop.ids["consumer_secret"] == secret
        return self.valid(shop, shop.token.access if shop is not None and right else "")

    def denied(self) -> Response:
        """401."""
        return _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    def limited(self) -> Response:
        """429, as the site's host answers."""
        return answer({"code": "too_many_requests", "message": "Too many requests"}, 429, {"Retry-After": "5"})

    async def _orders(self, call: Call, shop: Shop) -> Response:
        """By time, with the totals in headers."""
        told = call.params
        size = min(int(told["per_page"]) if told.get("per_page", "").isdigit() else 10, MOST_PAGE)
        page = int(told["page"]) if told.get("page", "").isdigit() else 1
        held = [one for one in shop.orders if _within(one, told)]
        held.sort(key=lambda one: one.changed_at, reverse=told.get("order", "desc") == "desc")
        listed = held[(page - 1) * size : page * size]
        totals = {"X-WP-Total": str(len(held)), "X-WP-TotalPages": str(-(-len(held) // size))}
        return answer([_rest(one) for one in listed], 200, totals)

    async def _order(self, call: Call, shop: Shop) -> Response:
        found = next((one for one in shop.orders if one.id == call.http.path_params["order"]), None)
        if found is None:
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return answer(_rest(found))

    async def _status(self, call: Call, shop: Shop) -> Response:
        del call
        return answer(
            {"environment": {"site_url": f"{self.stage.base_url}/{self.name}", "version": "9.4.0"}, "shop": shop.name}
        )

    async def _webhooks(self, call: Call, shop: Shop) -> Response:
        del call
        if shop.webhook is None:
            return answer([])
        status = "active" if shop.pushing else "disabled"
        one = {"id": 1, "name": "Orders", "status": status, "topic": "order.updated", "delivery_url": shop.webhook}
        return answer([one | {"failure_count": self.stage.pusher.lane(shop).failed_in_a_row}])

    async def _data(self, call: Call, shop: Shop) -> Response:
        del call, shop
        return answer([{"slug": "countries", "description": "List of supported states in a given country."}])


def _within(order: Order, told: dict[str, str]) -> bool:
    """Whether it is of the span asked for; times without a zone are UTC here."""
    spans = {"after": order.at, "modified_after": order.changed_at}
    before = {"before": order.at, "modified_before": order.changed_at}
    late = all(_plain(at) > told[name].rstrip("Z") for name, at in spans.items() if name in told)
    return late and all(_plain(at) < told[name].rstrip("Z") for name, at in before.items() if name in told)


def _rest(order: Order) -> dict[str, Any]:
    first, _, last = order.buyer.name.partition(" ")
    total = f"{order.total // 100}.{order.total % 100:02}"
    billing = {
        "first_name": first,
        "last_name": last,
        "email": f"{order.buyer.id}@mail.example",
        "phone": order.phone or "",
        "country": "DE",
    }
    item = {"id": 1, "name": "Rain jacket", "quantity": 1, "sku": "RJ-M-GREY", "price": order.total / 100}
    return {
        "id": int(order.id),
        "number": str(order.number),
        "status": order.status,
        "currency": order.currency,
        "total": total,
        "date_created": _plain(order.at),
        "date_created_gmt": _plain(order.at),
        "date_modified": _plain(order.changed_at),
        "date_modified_gmt": _plain(order.changed_at),
        "date_paid_gmt": _plain(order.at),
        "customer_id": int(order.buyer.id),
        "billing": billing,
        "shipping": billing,
        "payment_method_title": "Invoice",
        "refunds": [],
        "line_items": [item | {"total": total}],
    }


def _plain(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000))


def _error(status: int, code: str, message: str) -> Response:
    return answer({"code": code, "message": message, "data": {"status": status}}, status)
