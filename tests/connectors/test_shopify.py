"""Shopify's webhooks and Admin API: orders of a shop, and customers to forget."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from urllib.parse import parse_qsl

import pytest
from hypothesis import given

from actors.errors import RejectedError
from actors.orders import ForgetCustomer, Order, OrderItem, Shipment
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Probe, Window
from connectors.shopify import Shopify
from connectors.shopify.connector import ITEMS, MOST_PAGES, ORDERS, PROBE, callback_hmac
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

SETTINGS = {
    "client_secret": "hush",
    "client_id": "app-1",
    "shop": "some-shop.myshopify.com",
    "access_token": "shpat_old",
}
FOLDER = "shopify_api"
GRAPHQL = "https://some-shop.myshopify.com/admin/api/2026-01/graphql.json"
SIGNED = b'{"id":123,"email":"a@example.com"}'
SIGNATURE = "uff+cfH6RKLNgzVHI2ttK0bVZG5f59eO+Ez5nnOXKjo="
ANAS = Order(
    platform="shopify",
    account="us",
    id="820982911946154508",
    number="#1001",
    created_at=1_773_953_039_000,
    updated_at=1_773_954_000_000,
    status="open",
    payment="partially_refunded",
    fulfilment="partially_fulfilled",
    refund="partially_refunded",
    total="389.94",
    currency="USD",
    contact="115310627314723954",
    name="Ana Lima",
    email="ana@example.com",
    phone="+551155550100",
    country="BR",
    items=[
        OrderItem(title="Blue kettle", quantity=2, sku="KET-2", price="199.97"),
        OrderItem(title="Lid", quantity=1, price="10.00"),
    ],
    shipments=[
        Shipment(
            carrier="Correios",
            number="AA123456785BR",
            url="https://track.example/AA123456785BR",
            status="in_transit",
        )
    ],
)


def shopify(**settings):
    url = "https://inbox.example/webhooks/shopify/us"
    return Shopify(Binding(account="us", url=url, settings=SETTINGS | settings))


def post(body, topic="orders/updated", **headers):
    return WebhookRequest(method="POST", headers={"x-shopify-topic": topic} | headers, body=body)


def parsed(name, **headers):
    return list(shopify().parse(post(payload("shopify", name), name.replace("_", "/", 1), **headers)))


def signed(signature):
    return WebhookRequest(method="POST", headers={"x-shopify-hmac-sha256": signature}, body=SIGNED)


def test_a_webhook_signed_with_the_apps_secret_is_genuine():
    shopify().verify(signed(SIGNATURE))


def test_a_webhook_of_the_shops_admin_is_signed_with_its_own_secret():
    shopify(client_secret="other", webhook_secret="hush").verify(signed(SIGNATURE))
    with pytest.raises(SignatureError):
        shopify(client_secret="other").verify(signed(SIGNATURE))
    blank = base64.b64encode(hmac.digest(b" ", SIGNED, hashlib.sha256)).decode()
    with pytest.raises(SignatureError):
        shopify(webhook_secret=" ").verify(signed(blank))


@pytest.mark.parametrize("signature", ["", SIGNATURE.lower(), SIGNATURE[:-2] + "p="])
def test_anything_else_is_not_genuine(signature):
    with pytest.raises(SignatureError):
        shopify().verify(signed(signature))


def test_an_order_as_a_webhook_tells_it():
    assert parsed("orders_updated") == [ANAS]


def test_an_order_of_nobody_with_nothing():
    assert parsed("orders_create") == [
        Order(
            platform="shopify",
            account="us",
            id="2",
            number="#1002",
            created_at=1_773_950_400_000,
            updated_at=1_773_950_400_000,
            status="open",
            payment="pending",
            fulfilment="unfulfilled",
            total="5.00",
            currency="EUR",
        )
    ]


def test_a_cancelled_order_that_was_paid_back():
    (order,) = parsed("orders_cancelled")
    assert (order.status, order.refund) == ("cancelled", "refunded")


def test_a_customer_to_be_redacted_is_forgotten():
    assert parsed("customers_redact") == [
        ForgetCustomer(platform="shopify", account="us", contact="115310627314723954")
    ]


@pytest.mark.parametrize("name", ["orders_delete", "customers_data_request", "shop_redact"])
def test_other_topics_are_acknowledged_only(name):
    assert parsed(name) == []


def test_a_webhook_of_another_shop_is_refused_or_handed_to_it():
    other = {"x-shopify-shop-domain": "other.myshopify.com"}
    (refused,) = parsed("orders_updated", **other)
    assert isinstance(refused, Refused)
    assert "other.myshopify.com" in refused.reason
    assert shopify().route(post(b"", **other)) == "other.myshopify.com"
    assert parsed("orders_updated", **{"x-shopify-shop-domain": "Some-Shop.myshopify.com"}) == [ANAS]


@pytest.mark.parametrize("change", [{"id": None}, {"created_at": "soon"}, {"updated_at": 5}, {"line_items": {}}])
def test_an_order_that_lacks_what_it_needs_cannot_be_read(change):
    told = json.loads(payload("shopify", "orders_updated")) | change
    with pytest.raises(UnreadableError):
        shopify().parse(post(json.dumps(told).encode()))


@pytest.mark.parametrize("settings", [{"shop": "https://x"}, {"shop": "x/../y.example"}, {"api_version": "../x"}])
def test_a_shop_or_version_that_is_none_is_not_bound(settings):
    with pytest.raises(RejectedError):
        shopify(**settings)


async def pages(connector, window, api):
    return [one async for page in connector.history(window, api) for one in page]


async def test_history_gives_the_same_orders_as_webhooks_with_all_their_items():
    words = "updated_at:>='2026-03-19T20:00:00Z' AND updated_at:<'2026-03-19T22:00:00Z'"
    token = {"x-shopify-access-token": "shpat_old"}
    gid = "gid://shopify/Order/820982911946154508"
    api = ScriptedApi(
        (
            asks("POST", GRAPHQL, headers=token, json={"query": ORDERS, "variables": {"q": words}}),
            answer(FOLDER, "orders"),
        ),
        (asks("POST", GRAPHQL, json={"query": ITEMS, "variables": {"id": gid, "c": "i1"}}), answer(FOLDER, "items")),
        (
            asks("POST", GRAPHQL, json={"query": ORDERS, "variables": {"q": words, "c": "o1"}}),
            answer(FOLDER, "last_orders"),
        ),
    )
    assert await pages(shopify(), Window(since=1_773_950_400_000, until=1_773_957_600_000), api) == [ANAS]
    api.finished()


async def test_orders_have_no_conversations():
    assert await pages(shopify(), Window(since=0, until=NOW, conversation="1"), ScriptedApi()) == []


@pytest.mark.parametrize("query", [ORDERS, ITEMS, PROBE])
def test_a_querys_braces_match(query):
    assert query.count("{") == query.count("}")
    assert query.count("(") == query.count(")")


async def test_a_listing_without_an_end_ends():
    def page(cursor):
        return answer_of({"data": {"orders": {"pageInfo": {"hasNextPage": True, "endCursor": cursor}, "nodes": []}}})

    for answers, most in (([page("same")], 2), ([page("a"), page("b")], MOST_PAGES)):
        api = EndlessApi(*answers)
        assert await pages(shopify(), Window(since=0, until=NOW), api) == []
        assert len(api.requests) == most


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer(FOLDER, "throttled"), BusyError),
        (answer(FOLDER, "denied"), DeniedError),
        (answer_of({"errors": "[API] Invalid API key or access token shpat_old"}, 401), DeniedError),
        (answer_of({"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}), UncertainError),
        (answer_of({"errors": [{"message": "hush shpat_old"}]}), RefusedError),
        (answer_of({"errors": "Unavailable Shop"}, 402), RefusedError),
        (answer_of({}, 502), UncertainError),
        (answer_of({"data": None}), UncertainError),
        (answer_of(b"<html>"), UncertainError),
        (UnreachableError("no route"), UnreachableError),
    ],
)
async def test_what_an_answer_means(told, error):
    with pytest.raises(error) as failed:
        await shopify().probe(EndlessApi(told) if not isinstance(told, Exception) else ScriptedApi((bool, told)))
    assert type(failed.value) is error
    assert not any(word in str(failed.value) for word in ("hush", "shpat_old"))


async def test_a_throttled_query_says_when_to_come_back():
    with pytest.raises(BusyError) as failed:
        await shopify().probe(EndlessApi(answer(FOLDER, "throttled")))
    assert failed.value.retry_after == (752 - 652) / 50


async def test_the_probe_tells_permissions_and_the_subscription():
    asked = asks("POST", GRAPHQL, json={"query": PROBE, "variables": {}})
    probe = await shopify().probe(ScriptedApi((asked, answer(FOLDER, "probe"))))
    assert probe == Probe(subscription="active", lacking=("read_customers",))


async def test_what_history_needs_is_named():
    with pytest.raises(RefusedError, match="`access_token`"):
        await pages(shopify(access_token=""), Window(since=0, until=NOW), ScriptedApi())


async def test_another_address_and_version_are_asked():
    url = "http://127.0.0.1:1/admin/api/2026-10/graphql.json"
    api = ScriptedApi((asks("POST", url), answer(FOLDER, "probe")))
    await shopify(api_url="http://127.0.0.1:1", api_version="2026-10").probe(api)
    api.finished()


def test_consent_is_asked_for_at_the_shop():
    assert shopify().authorise_url(Ask(at=0, state="s", redirect="https://weir.example/o")) == (
        "https://some-shop.myshopify.com/admin/oauth/authorize?client_id=app-1&scope=read_orders%2Cread_customers"
        "&redirect_uri=https%3A%2F%2Fweir.example%2Fo&state=s"
    )


def test_the_hmac_of_a_redirect():
    query = dict(parse_qsl("code=a94a110d86d2452eb3e2af4cfb8a3828&shop=some-shop.myshopify.com&timestamp=1337178173"))
    genuine = "2cb1a277650a659f1b11e92a4a64275b128e037f2c3390e3c8fd2d8721dac9e2"
    assert callback_hmac(query, "hush") == genuine
    assert callback_hmac(query | {"hmac": genuine, "signature": "x"}, "hush") == genuine
    assert callback_hmac(query | {"a": "1&b=2"}, "hush") != callback_hmac(query | {"a": "1", "b": "2"}, "hush")


def redirected(**changes):
    query = {"code": "c-1", "shop": "some-shop.myshopify.com", "timestamp": str(NOW // 1_000), "state": "s"}
    query |= {name: value for name, value in changes.items() if name != "hmac"}
    return Reply(query={"hmac": callback_hmac(query, "hush")} | query | changes, redirect="https://weir.example/o")


async def test_a_code_is_exchanged_for_a_token():
    asked = asks(
        "POST",
        "https://some-shop.myshopify.com/admin/oauth/access_token",
        json={"client_id": "app-1", "client_secret": "hush", "code": "c-1"},
    )
    grant = await shopify().exchange(redirected(), ScriptedApi((asked, answer(FOLDER, "granted"))))
    assert grant == Grant(settings={"access_token": "shpat_new"}, scopes=frozenset({"read_orders", "read_customers"}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hmac": "0" * 64}, "hmac"),
        ({"hmac": ""}, "hmac"),
        ({"shop": "other.myshopify.com"}, "another shop"),
        ({"timestamp": "1337178173"}, "too old"),
        ({"timestamp": "9" * 13}, "too old"),
        ({"timestamp": "soon"}, "too old"),
        ({"code": ""}, "no code"),
    ],
)
async def test_a_redirect_that_is_not_shopifys_grants_nothing(changes, why):
    with pytest.raises(RefusedError, match=why):
        await shopify().exchange(redirected(**changes), ScriptedApi())


@HOSTILE
@given(mutated(payloads("shopify")))
def test_whatever_comes_gives_orders_or_one_error(body):
    for topic in ("orders/updated", "customers/redact"):
        parsed_or_unreadable(shopify(), post(body, topic))


@HOSTILE
@given(mutated(payloads(FOLDER)))
async def test_whatever_the_api_answers_gives_orders_or_documented_errors(body):
    for status in (200, 400):
        api = EndlessApi(answer_of(body, status))
        with suppress(BusyError, DeniedError, RefusedError, UncertainError):
            await pages(shopify(), Window(since=0, until=NOW), api)
        with suppress(BusyError, DeniedError, RefusedError, UncertainError):
            await shopify().probe(api)
