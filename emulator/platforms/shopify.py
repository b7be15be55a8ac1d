"""Shopify: webhooks of orders, orders by GraphQL, authorisation. A shop of orders; it has no chat.

After "Webhooks", "Authenticate", "Authorization code grant" and the GraphQL Admin API of its developers' pages. A query
is answered with every field known here, whichever it asks for.
"""

from __future__ import annotations

import base64
import time
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response

from emulator.acquaintances import parcel_of
from emulator.platforms.contract import (
    Call,
    Platform,
    Point,
    Rate,
    answer,
    compact,
    digits,
    equal,
    first_token,
    hmac_hex,
    hmac_raw,
    secret_of,
)
from emulator.pushes import Happening
from emulator.world import Order, Shop

VERSION = "2025-10"
SCOPES = "read_orders,read_customers"
TOPICS = {"created": "orders/create", "updated": "orders/updated"}
FINANCIAL = {"processing": "paid", "completed": "paid", "refunded": "refunded"}
FULFILMENT = {"processing": None, "completed": "fulfilled", "refunded": "fulfilled"}
BUCKET = 2_000


class Shopify(Platform):
    """One app for each shop."""

    name = "shopify"
    chats = False
    rate = Rate(requests=40)

    def open(self, number: int, rng: Random) -> Shop:
        """A shop with a domain of its own."""
        own = f"weir-{digits(rng, 6)}.myshopify.com"
        ids = {
            "shop": own,
            "client_id": secret_of(f"shopify id {own}", 32),
            "client_secret": f"shpss_{secret_of(f'shopify {own}', 32)}",
        }
        token = first_token(f"shopify {own}")
        token.access = f"shpat_{token.access[:32]}"
        return self.shop_of(number, own, "Shopify shop", ids, token=token)

    def settings(self, shop: Shop) -> dict[str, str]:
        """The app, and what the authorisation gives."""
        return shop.ids | {"access_token": shop.token.access, "api_version": VERSION}

    def body(self, shop: Shop, happening: Happening, attempt: int) -> bytes | None:
        """The order as REST has it."""
        del shop, attempt
        return compact(_rest(happening.order)) if happening.order is not None else None

    def signed(self, shop: Shop, happening: Happening, url: str, body: bytes) -> dict[str, str]:
        """The body, with the app's secret."""
        del url
        own = secret_of(f"shopify {happening.id}", 32)
        return {
            "X-Shopify-Hmac-Sha256": base64.b64encode(hmac_raw(shop.ids["client_secret"], body)).decode(),
            "X-Shopify-Topic": TOPICS.get(happening.status, "orders/updated"),
            "X-Shopify-Shop-Domain": shop.account,
            "X-Shopify-API-Version": VERSION,
            "X-Shopify-Webhook-Id": own,
            "X-Shopify-Event-Id": own[::-1],
            "X-Shopify-Triggered-At": _iso(happening.at),
        }

    def points(self) -> list[Point]:
        """GraphQL and authorisation."""
        return [
            Point(method="POST", path="/admin/api/{version}/graphql.json", handler=self._graphql),
            Point(method="GET", path="/admin/oauth/access_scopes.json", handler=self._scopes),
            Point(method="GET", path="/admin/oauth/authorize", opened=self._authorise),
            Point(method="POST", path="/admin/oauth/access_token", opened=self._token),
        ]

    def caller(self, call: Call) -> Shop:
        """A token in a header of its own."""
        token = call.header("x-shopify-access-token")
        return self.valid(self.by_token(token), token)

    def denied(self) -> Response:
        """401."""
        return answer({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401)

    def limited(self) -> Response:
        """Told in the body: cost is counted, not requests."""
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return answer({"errors": [error], "extensions": _cost(0)})

    async def _graphql(self, call: Call, shop: Shop) -> Response:
        told = call.json()
        asked, given = str(told.get("query") or ""), told.get("variables") or {}
        data: dict[str, Any] = {}
        if "orders(" in asked or "orders (" in asked:
            data["orders"] = self._orders(shop, given)
        if "shop{" in asked.replace(" ", ""):
            data["shop"] = {
                "name": shop.name,
                "myshopifyDomain": shop.account,
                "id": f"gid://shopify/Shop/{shop.number}",
            }
        if "currentAppInstallation" in asked:
            scopes = [{"handle": one} for one in SCOPES.split(",")]
            data["currentAppInstallation"] = {"accessScopes": scopes}
        if "webhookSubscriptions" in asked:
            data["webhookSubscriptions"] = self._subscriptions(shop)
        if not data:
            return answer({"errors": [{"message": "Field does not exist on type 'QueryRoot'"}]})
        return answer({"data": data, "extensions": _cost(BUCKET - 100)})

    def _orders(self, shop: Shop, given: dict[str, Any]) -> dict[str, Any]:
        """By time of change, 50 a page."""
        words = " ".join(str(value) for value in given.values() if isinstance(value, str))
        since = next((part for part in words.replace("'", "").split() if part.startswith("updated_at:>")), "")
        floor = since.partition(">")[2].lstrip("=")
        held = sorted(shop.orders, key=lambda one: (one.changed_at, one.id))
        held = [one for one in held if _iso(one.changed_at) >= floor]
        cursor = next((str(v) for v in given.values() if isinstance(v, str) and v.startswith("place:")), "place:0")
        place = int(cursor.partition(":")[2] or 0)
        page = held[place : place + 50]
        more = len(held) > place + 50
        info = {"hasNextPage": more, "endCursor": f"place:{place + len(page)}" if page else None}
        return {"pageInfo": info, "nodes": [_node(one) for one in page], "edges": [{"node": _node(o)} for o in page]}

    def _subscriptions(self, shop: Shop) -> dict[str, Any]:
        topics = ("ORDERS_CREATE", "ORDERS_UPDATED") if shop.webhook and shop.pushing else ()
        where = {"__typename": "WebhookHttpEndpoint", "callbackUrl": shop.webhook}
        nodes = [
            {"id": f"gid://shopify/WebhookSubscription/{topic}", "topic": topic, "endpoint": where} for topic in topics
        ]
        return {"nodes": nodes, "edges": [{"node": one} for one in nodes], "pageInfo": {"hasNextPage": False}}

    async def _scopes(self, call: Call, shop: Shop) -> Response:
        del call, shop
        return answer({"access_scopes": [{"handle": one} for one in SCOPES.split(",")]})

    async def _authorise(self, call: Call) -> Response:
        """The redirect is signed: every parameter but the signature, by name."""
        told = call.params
        shop = self.by_id("client_id", told.get("client_id", ""))
        if shop is None:
            return answer({"error": "invalid_request"}, 400)
        code = secret_of(f"{shop.key} code {self.stage.world.mark(self.stage.clock.now())}", 32)
        shop.codes.add(code)
        parts = urlsplit(told.get("redirect_uri", ""))
        query = dict(parse_qsl(parts.query)) | {"code": code, "shop": shop.account, "state": told.get("state", "")}
        query["timestamp"] = str(call.wall // 1000)
        signed = "&".join(f"{name}={query[name]}" for name in sorted(query))
        query["hmac"] = hmac_hex(shop.ids["client_secret"], signed.encode())
        return RedirectResponse(urlunsplit(parts._replace(query=urlencode(query))), 302)

    async def _token(self, call: Call) -> Response:
        told = call.json() or call.form()
        shop = self.by_id("client_id", str(told.get("client_id") or ""))
        code = str(told.get("code") or "")
        if shop is None or not equal(str(told.get("client_secret") or ""), shop.ids["client_secret"]):
            return answer({"error": "invalid_client"}, 401)
        if self.coded(code) is not shop:
            return answer({"error": "invalid_request", "error_description": "The code was not found"}, 400)
        return answer({"access_token": self.granted(shop, None).access, "scope": SCOPES})


def _rest(order: Order) -> dict[str, Any]:
    first, _, last = order.buyer.name.partition(" ")
    person = {"id": int(order.buyer.id), "email": f"{order.buyer.id}@mail.example", "first_name": first}
    total = f"{order.total // 100}.{order.total % 100:02}"
    parcel = parcel_of(order)
    item = {"id": int(order.id) + 1, "title": "Rain jacket", "quantity": 1, "sku": "RJ-M-GREY", "price": total}
    return {
        "id": int(order.id),
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "name": f"#{order.number}",
        "order_number": order.number,
        "email": person["email"],
        "created_at": _iso(order.at),
        "updated_at": _iso(order.changed_at),
        "cancelled_at": None,
        "currency": order.currency,
        "total_price": total,
        "financial_status": FINANCIAL[order.status],
        "fulfillment_status": FULFILMENT[order.status],
        "phone": order.phone,
        "customer": person | {"last_name": last, "phone": order.phone},
        "shipping_address": {"country_code": "DE", "name": order.buyer.name},
        "line_items": [item],
        "fulfillments": [_sent(order, parcel)] if parcel else [],
        "refunds": [],
    }


def _sent(order: Order, parcel: str) -> dict[str, Any]:
    return {
        "id": int(order.id) + 2,
        "status": "success",
        "shipment_status": "in_transit",
        "tracking_company": "UPS",
        "tracking_number": parcel,
        "tracking_url": f"https://www.ups.com/track?tracknum={parcel}",
    }


def _node(order: Order) -> dict[str, Any]:
    rest = _rest(order)
    person = rest["customer"]
    money = {"amount": rest["total_price"], "currencyCode": order.currency}
    items = [{"title": "Rain jacket", "quantity": 1, "sku": "RJ-M-GREY", "originalUnitPriceSet": {"shopMoney": money}}]
    customer = {
        "id": f"gid://shopify/Customer/{person['id']}",
        "email": person["email"],
        "firstName": person["first_name"],
        "lastName": person["last_name"],
        "displayName": order.buyer.name,
        "phone": order.phone,
    }
    sent = [
        {
            "status": "SUCCESS",
            "displayStatus": "IN_TRANSIT",
            "trackingInfo": [
                {"company": one["tracking_company"], "number": one["tracking_number"], "url": one["tracking_url"]}
            ],
        }
        for one in rest["fulfillments"]
    ]
    return {
        "id": f"gid://shopify/Order/{order.id}",
        "legacyResourceId": order.id,
        "name": rest["name"],
        "email": rest["email"],
        "phone": order.phone,
        "createdAt": rest["created_at"],
        "updatedAt": rest["updated_at"],
        "cancelledAt": None,
        "displayFinancialStatus": rest["financial_status"].upper(),
        "displayFulfillmentStatus": (rest["fulfillment_status"] or "unfulfilled").upper(),
        "currencyCode": order.currency,
        "totalPriceSet": {"shopMoney": money},
        "currentTotalPriceSet": {"shopMoney": money},
        "customer": customer,
        "shippingAddress": {"countryCodeV2": "DE", "name": order.buyer.name},
        "lineItems": {"nodes": items, "edges": [{"node": one} for one in items]},
        "fulfillments": sent,
        "refunds": [],
    }


def _cost(left: int) -> dict[str, Any]:
    throttle = {"maximumAvailable": BUCKET, "currentlyAvailable": left, "restoreRate": 100}
    return {"cost": {"requestedQueryCost": 100, "actualQueryCost": 52, "throttleStatus": throttle}}


def _iso(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 1000))
