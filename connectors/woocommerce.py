"""WooCommerce: orders and their customers beside conversations, after "Webhooks" and "Orders" of its REST API. No chat.

A shop disables a webhook after five answers in a row that are no success; the probe tells whether it did. The ping that
a shop sends when a webhook is saved is not signed, says nothing and is answered; that is unconfirmed, and by which
parameters changed orders are listed. A deleted order stays as it last stood.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from actors.errors import RejectedError
from actors.orders import Order, OrderItem
from connectors.contract import reading
from connectors.contract.asking import API_URL, address, told
from connectors.contract.calling import Api, ApiRequest, ApiResponse, UncertainError, checked, needed, without
from connectors.contract.connector import (
    Answer,
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Setting,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.reading import Document
from connectors.contract.signatures import base64_of, hmac_sha256, require, secret

PAGE = 100
MOST_PAGES = 200
_PING = re.compile(rb"webhook_id=\d{1,20}")
_TOPICS = frozenset({"order.created", "order.updated", "order.restored"})


class WooCommerce(Connector):
    """Orders of one shop."""

    platform = "woocommerce"
    settings = (
        Setting(name="secret", about="the secret of the webhook: WooCommerce, Settings, Advanced, Webhooks"),
        Setting(
            name="shop_url",
            about="the shop's address, such as https://shop.example; needed for history",
            secret=False,
            required=False,
        ),
        Setting(
            name="consumer_key",
            about="of a key with permission to read: WooCommerce, Settings, Advanced, REST API; needed for history",
            required=False,
        ),
        Setting(name="consumer_secret", about="the secret beside the consumer key", required=False),
        API_URL,
    )
    capabilities = Capabilities(history=True)
    pace = Pace(requests=2, complete=False)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        shop = binding.settings.get("shop_url")
        if shop and (not shop.startswith("https://") or not _hosted(shop)):
            raise RejectedError("settings: shop_url begins with https://, for the key goes with every request")

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The ping of a webhook that was saved just now."""
        return Answer() if request.method == "POST" and _PING.fullmatch(request.body) else None

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the body; raises SignatureError."""
        genuine = base64_of(hmac_sha256(secret(self.binding.settings, "secret"), request.body))
        require(request.headers.get("x-wc-webhook-signature"), genuine, where="X-WC-Webhook-Signature")

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """An order as it stands; other topics give nothing. Raises UnreadableError."""
        if request.headers.get("x-wc-webhook-topic") not in _TOPICS:
            return ()
        return [_order(self.binding.account, reading.document(request.body))]

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The orders that were changed within the window."""
        if window.conversation is not None:
            return
        for number in range(1, MOST_PAGES + 1):
            query = (
                ("modified_after", _instant(window.since)),
                ("modified_before", _instant(window.until)),
                ("dates_are_gmt", "true"),
                ("per_page", str(PAGE)),
                ("page", str(number)),
            )
            response = await self._asked(api, "orders", *query)
            found = _listed(response)
            yield reading.each(found, lambda one: [_order(self.binding.account, one)])
            pages = response.headers.get("x-wp-totalpages", "")
            if len(found) < PAGE or (pages.isascii() and pages.isdigit() and int(pages[:9]) <= number):
                return

    async def probe(self, api: Api) -> Probe:
        """Whether the webhook that leads here is still on."""
        ours = [
            reading.text(one, "status")
            for one in _parts(_listed(await self._asked(api, "webhooks", ("per_page", str(PAGE)))))
            if reading.text(one, "delivery_url") == self.binding.url
        ]
        if not ours:
            return Probe(
                detail="the shop tells of no webhook that leads here; add one: WooCommerce, Settings, Advanced"
            )
        if "active" in ours:
            return Probe(subscription="active")
        return Probe(
            subscription="disabled",
            detail=f"the shop's webhook is {ours[0]}; set it to active: WooCommerce, Settings, Advanced, Webhooks",
        )

    async def _asked(self, api: Api, resource: str, *query: tuple[str, str]) -> ApiResponse:
        values = self.binding.settings
        name, word = needed(values, "consumer_key", "consumer_secret")
        (shop,) = needed(values, "api_url" if values.get("api_url") else "shop_url")
        basic = base64.b64encode(f"{name}:{word}".encode()).decode()
        request = ApiRequest(
            method="GET",
            url=f"{address(self.binding, 'api_url', shop)}/wp-json/wc/v3/{resource}",
            query=query,
            headers={"Authorization": f"Basic {basic}", "Accept": "application/json"},
        )
        response = await api.call(request)
        secrets = [basic, *(values.get(one.name, "") for one in self.settings if one.secret)]
        return checked(response, without(secrets, reading.text(told(response), "message") or ""))


def _order(account: str, found: Document) -> Order:
    billing, shipping = (reading.optional_part(found, name) for name in ("billing", "shipping"))
    own, status = reading.identity(found, "id"), reading.text(found, "status")
    customer = reading.optional_identity(found, "customer_id")
    created = reading.instant(found, "date_created_gmt")
    names = (reading.text(billing, name) for name in ("first_name", "last_name"))
    return Order(
        platform=WooCommerce.platform,
        account=account,
        id=own,
        number=reading.optional_identity(found, "number") or own,
        created_at=created,
        updated_at=reading.instant(found, "date_modified_gmt") if found.get("date_modified_gmt") else created,
        status=status,
        payment="paid" if found.get("date_paid_gmt") else None,
        refund="refunded" if status == "refunded" else "partial" if reading.items(found, "refunds") else None,
        total=_amount(found, "total"),
        currency=reading.text(found, "currency"),
        contact=customer if customer != "0" else None,
        name=" ".join(filter(None, names)) or None,
        email=reading.text(billing, "email") or None,
        phone=reading.text(billing, "phone") or None,
        country=reading.text(shipping, "country") or reading.text(billing, "country") or None,
        items=list(_items(found)),
    )


def _items(found: Document) -> Iterator[OrderItem]:
    for one in _parts(reading.items(found, "line_items")):
        yield OrderItem(
            title=reading.text(one, "name") or "?",
            quantity=reading.size(one, "quantity") or 0,
            sku=reading.text(one, "sku") or None,
            price=_amount(one, "price"),
        )


def _amount(found: Document, name: str) -> str | None:
    """An amount as the shop writes it, in a string or as a number."""
    if text := reading.text(found, name):
        return text
    value = reading.number(found, name)
    return None if value is None else str(found[name])


def _listed(response: ApiResponse) -> Sequence[Any]:
    try:
        found = cast("object", json.loads(response.body))
    except (ValueError, RecursionError) as wrong:
        raise UncertainError(f"the shop's answer ({response.status}) is not JSON") from wrong
    if not isinstance(found, list):
        raise UncertainError("the shop's answer is no list; does `shop_url` lead to the shop's own REST API?")
    return cast("Sequence[Any]", found)


def _parts(found: Sequence[Any]) -> list[Document]:
    return [cast("Document", one) for one in found if isinstance(one, dict)]


def _hosted(shop: str) -> bool:
    try:
        return bool(urlsplit(shop).hostname)
    except ValueError:
        return False


def _instant(at: int) -> str:
    return datetime.fromtimestamp(max(at, 0) / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
