"""Shopify's connector: which webhooks are genuine, the orders they tell of, and those the Admin API holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import quote, urlencode

from actors.errors import RejectedError
from actors.orders import ForgetCustomer
from connectors.contract import reading
from connectors.contract.asking import API_URL, AUTH_URL, readable
from connectors.contract.authorising import Ask, Grant, OAuth, Reply
from connectors.contract.calling import Api, RefusedError, needed
from connectors.contract.connector import (
    Binding,
    Capabilities,
    Connector,
    Parsed,
    Refused,
    Setting,
    Shared,
    SignatureError,
    WebhookRequest,
)
from connectors.contract.history import Pace, Probe, Window
from connectors.contract.reading import Document
from connectors.contract.signatures import base64_of, hex_of, hmac_sha256, require, secret
from connectors.shopify.asking import Asking, host_of
from connectors.shopify.orders import from_graphql, from_webhook

SCOPES = ("read_orders", "read_customers")
MOST_PAGES = 500
MOST_ITEM_PAGES = 20
STALE_S = 86_400
"""A redirect that is older is not believed."""
_MOST_DIGITS = 12
_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+(:\d+)?")
_ORDER_TOPICS = frozenset({"create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled"})
_ITEMS = "pageInfo{hasNextPage endCursor} nodes{title quantity sku originalUnitPriceSet{shopMoney{amount}}}"
ORDERS = (
    "query($q:String!,$c:String){orders(first:15,after:$c,query:$q,sortKey:UPDATED_AT){pageInfo{hasNextPage endCursor}"
    " nodes{id name email phone createdAt updatedAt cancelledAt closedAt displayFinancialStatus"
    " displayFulfillmentStatus currentTotalPriceSet{shopMoney{amount currencyCode}}"
    " customer{id firstName lastName email phone} shippingAddress{name countryCodeV2}"
    f" lineItems(first:10){{{_ITEMS}}}"
    " fulfillments(first:5){status displayStatus trackingInfo(first:1){company number url}}}}}"
)
"""A page of 15 costs about 400 of the 1,000 points that the smallest plan has."""
ITEMS = f"query($id:ID!,$c:String){{order(id:$id){{lineItems(first:100,after:$c){{{_ITEMS}}}}}}}"
PROBE = (
    "{currentAppInstallation{accessScopes{handle}}"
    " webhookSubscriptions(first:100){nodes{endpoint{... on WebhookHttpEndpoint{callbackUrl}}}}}"
)


class Shopify(Connector):
    """Orders of one shop."""

    platform = "shopify"
    settings = (
        Setting(name="client_secret", about="the app's client secret: Dev Dashboard, the app, Settings"),
        Setting(
            name="webhook_secret",
            about="the secret of webhooks made in the shop's admin, shown there below them; unconfirmed",
            required=False,
        ),
        Setting(
            name="client_id", about="the app's client ID beside it; needed to authorise", secret=False, required=False
        ),
        Setting(name="shop", about="the shop's own domain, such as some-shop.myshopify.com", secret=False),
        Setting(name="access_token", about="set when the channel is authorised; needed for history", required=False),
        Setting(
            name="api_version",
            about="the version of the Admin API, such as 2026-01; leave it out otherwise",
            secret=False,
            required=False,
        ),
        API_URL,
        AUTH_URL,
    )
    capabilities = Capabilities(history=True)
    pace = Pace(requests=2, complete=False)
    shared = Shared(by="shop", app=("client_secret",))
    oauth = OAuth(grants=("access_token",), scopes=SCOPES)

    def __init__(self, binding: Binding) -> None:
        super().__init__(binding)
        shop, version = binding.settings.get("shop"), binding.settings.get("api_version")
        if shop and not _SHOP.fullmatch(shop):
            raise RejectedError("settings: shop is a domain in lower case, such as some-shop.myshopify.com")
        if version and not re.fullmatch(r"\d{4}-\d{2}|unstable", version):
            raise RejectedError("settings: api_version is a year and a month, such as 2026-01")

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the body, with the app's secret or the shop's own; raises SignatureError."""
        values = self.binding.settings
        words = [secret(values, "client_secret")]
        if values.get("webhook_secret", "").strip():
            words.append(values["webhook_secret"])
        genuine = [base64_of(hmac_sha256(word, request.body)) for word in words]
        require(request.headers.get("x-shopify-hmac-sha256"), *genuine, where="X-Shopify-Hmac-Sha256")

    def route(self, request: WebhookRequest) -> str | None:
        """The shop that a webhook is of."""
        told = request.headers.get("x-shopify-shop-domain")
        return told.lower() if told else None

    def parse(self, request: WebhookRequest) -> Sequence[Parsed]:
        """An order as it stands, or a customer to forget; other topics give nothing. Raises UnreadableError."""
        told, ours = self.route(request), self.binding.settings.get("shop")
        if told and ours and told != ours:
            reason = (
                f"the webhook is of the shop {told[:100]!r}, this channel is {ours}; bind that shop as its own channel"
            )
            return [Refused(request.body, reason)]
        family, _, what = request.headers.get("x-shopify-topic", "").partition("/")
        account = self.binding.account
        if family == "orders" and what in _ORDER_TOPICS:
            return [from_webhook(account, reading.document(request.body))]
        if (family, what) == ("customers", "redact"):
            customer = reading.identity(reading.part(reading.document(request.body), "customer"), "id")
            return [ForgetCustomer(platform=self.platform, account=account, contact=customer)]
        return ()

    async def history(self, window: Window, api: Api) -> AsyncIterator[Sequence[Parsed]]:
        """The orders that were changed within the window."""
        if window.conversation is not None:
            return
        asking = self._asking(api)
        asked: dict[str, str] = {
            "q": f"updated_at:>='{_instant(window.since)}' AND updated_at:<'{_instant(window.until)}'"
        }
        for _ in range(MOST_PAGES):
            with readable():
                listing = reading.part(await asking.query(ORDERS, asked), "orders")
                found = reading.items(listing, "nodes")
            rest = [await self._more(asking, one) for one in found]
            yield [
                parsed
                for one, more in zip(found, rest, strict=True)
                for parsed in reading.each([one], lambda order, more=more: [self._order(order, more)])
            ]
            cursor = _next(listing)
            if cursor is None or cursor == asked.get("c"):
                return
            asked["c"] = cursor

    async def probe(self, api: Api) -> Probe:
        """Which permissions the app has, and whether a subscription of the app's own leads here."""
        found = await self._asking(api).query(PROBE, {})
        with readable():
            handles = {
                reading.text(one, "handle")
                for one in _parts(reading.items(reading.part(found, "currentAppInstallation"), "accessScopes"))
            }
            nodes = reading.items(reading.optional_part(found, "webhookSubscriptions"), "nodes")
        urls = {reading.text(reading.optional_part(one, "endpoint"), "callbackUrl") for one in _parts(nodes)}
        return Probe(
            subscription="active" if self.binding.url in urls else "unknown",
            lacking=tuple(scope for scope in SCOPES if scope not in handles),
        )

    def authorise_url(self, ask: Ask) -> str:
        """The page of consent, which is the shop's own."""
        (client,) = needed(self.binding.settings, "client_id")
        asked = {"client_id": client, "scope": ",".join(SCOPES), "redirect_uri": ask.redirect, "state": ask.state}
        return f"{host_of(self.binding, 'auth_url')}/admin/oauth/authorize?{urlencode(asked, quote_via=quote)}"

    async def exchange(self, reply: Reply, api: Api) -> Grant:
        """The token for a code; raises RefusedError when the redirect is not Shopify's, or is of another shop."""
        word, shop = needed(self.binding.settings, "client_secret", "shop")
        _prove(reply.query, word, api.now())
        if reply.query.get("shop") != shop:
            raise RefusedError(f"another shop than {shop} was authorised; choose it at Shopify, or bind that one")
        code = reply.query.get("code", "")
        if not code:
            raise RefusedError("Shopify gave no code: the consent was refused; authorise the channel anew")
        tokens = await self._asking(api).tokens(code)
        return Grant(settings={"access_token": tokens.access}, expires_at=tokens.expires_at, scopes=tokens.scopes)

    def _asking(self, api: Api) -> Asking:
        values = self.binding.settings
        return Asking(self.binding, [values.get(one.name, "") for one in self.settings if one.secret], api)

    def _order(self, found: Document, more: Sequence[Any]) -> Parsed:
        return from_graphql(self.binding.account, found, more)

    async def _more(self, asking: Asking, order: Any) -> list[Any]:
        """The items of an order beyond the first page; an order replaces the one that is held, whole."""
        found: Document = cast("Document", order) if isinstance(order, dict) else {}
        cursor, own = _next(reading.optional_part(found, "lineItems")), reading.text(found, "id")
        more: list[Any] = []
        for _ in range(MOST_ITEM_PAGES):
            if cursor is None or own is None:
                break
            told = await asking.query(ITEMS, {"id": own, "c": cursor})
            lines = reading.optional_part(reading.optional_part(told, "order"), "lineItems")
            with readable():
                more += reading.items(lines, "nodes")
            cursor = _next(lines)
        return more


def callback_hmac(query: Mapping[str, str], word: str) -> str:
    """The HMAC of a redirect's query, after "Authorization code grant": sorted, without `hmac` and `signature`."""
    pairs = sorted(
        f"{_escaped(name).replace('=', '%3D')}={_escaped(value)}"
        for name, value in query.items()
        if name not in {"hmac", "signature"}
    )
    return hex_of(hmac_sha256(word, "&".join(pairs).encode("utf-8", "surrogateescape")))


def _prove(query: Mapping[str, str], word: str, now: int) -> None:
    try:
        require(query.get("hmac"), callback_hmac(query, word), where="hmac")
    except SignatureError:
        raise RefusedError("the redirect's hmac does not match: it is not Shopify's own; authorise anew") from None
    sent = query.get("timestamp", "")
    numbered = sent.isascii() and sent.isdigit() and len(sent) <= _MOST_DIGITS
    if not numbered or abs(now / 1_000 - int(sent)) > STALE_S:
        raise RefusedError("the redirect is too old; authorise the channel anew")


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("&", "%26")


def _instant(at: int) -> str:
    return datetime.fromtimestamp(max(at, 0) / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _next(listing: Document) -> str | None:
    page = reading.optional_part(listing, "pageInfo")
    return reading.text(page, "endCursor") if page.get("hasNextPage") is True else None


def _parts(found: Sequence[Any]) -> list[Document]:
    return [cast("Document", one) for one in found if isinstance(one, dict)]
