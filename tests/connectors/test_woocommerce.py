"""WooCommerce's webhooks and REST API: orders of a shop."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given

from actors.errors import RejectedError
from actors.orders import Order, OrderItem
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError
from connectors.contract.connector import Answer, Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.history import Probe, Window
from connectors.woocommerce import MOST_PAGES, WooCommerce
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

SETTINGS = {
    "secret": "woo_secret",
    "shop_url": "https://shop.example/",
    "consumer_key": "ck_word",
    "consumer_secret": "cs_word",
}
FOLDER = "woocommerce_api"
SIGNED = b'{"id":123,"status":"processing"}'
SIGNATURE = "UyqdfIBBNFokgigVTFq/fX7Wvs8gwS5pNQ6gNNwZ7LY="
ORDERS = "https://shop.example/wp-json/wc/v3/orders"
BASIC = {"authorization": "Basic " + base64.b64encode(b"ck_word:cs_word").decode()}
ANAS = Order(
    platform="woocommerce",
    account="uk",
    id="723",
    number="W-723",
    created_at=1_773_953_039_000,
    updated_at=1_773_954_000_000,
    status="processing",
    payment="paid",
    refund="partial",
    total="29.35",
    currency="GBP",
    contact="26",
    name="Ana Lima",
    email="ana@example.com",
    phone="555 0100",
    country="IE",
    items=[
        OrderItem(title="Blue kettle", quantity=2, sku="KET-2", price="9.99"),
        OrderItem(title="Lid", quantity=1, price="4.50"),
    ],
)


def woo(url="https://inbox.example/webhooks/woocommerce/uk", **settings):
    return WooCommerce(Binding(account="uk", url=url, settings=SETTINGS | settings))


def post(body, topic="order.updated", **headers):
    return WebhookRequest(method="POST", headers={"x-wc-webhook-topic": topic} | headers, body=body)


def parsed(name):
    return list(woo().parse(post(payload("woocommerce", name), name.replace("_", "."))))


def signed(signature):
    return WebhookRequest(method="POST", headers={"x-wc-webhook-signature": signature}, body=SIGNED)


def test_a_webhook_signed_with_its_secret_is_genuine():
    woo().verify(signed(SIGNATURE))


@pytest.mark.parametrize("signature", ["", SIGNATURE.lower(), SIGNATURE[:-2] + "Z="])
def test_anything_else_is_not_genuine(signature):
    with pytest.raises(SignatureError):
        woo().verify(signed(signature))


def test_the_ping_of_a_saved_webhook_is_answered():
    assert woo().handshake(post(b"webhook_id=12")) == Answer()


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=12&x=1", b"webhook_id=12\n", SIGNED])
def test_nothing_else_is_a_ping(body):
    assert woo().handshake(post(body)) is None


def test_an_order_as_a_webhook_tells_it():
    assert parsed("order_updated") == [ANAS]


def test_a_guests_order_names_no_customer():
    assert parsed("order_created") == [
        Order(
            platform="woocommerce",
            account="uk",
            id="724",
            number="724",
            created_at=1_773_953_400_000,
            updated_at=1_773_953_400_000,
            status="pending",
            total="4.50",
            currency="GBP",
            email="guest@example.com",
        )
    ]


@pytest.mark.parametrize("name", ["order_deleted", "customer_updated"])
def test_other_topics_give_nothing(name):
    assert parsed(name) == []


@pytest.mark.parametrize("change", [{"id": None}, {"date_created_gmt": None}, {"line_items": 5}])
def test_an_order_that_lacks_what_it_needs_cannot_be_read(change):
    with pytest.raises(UnreadableError):
        woo().parse(post(json.dumps(json.loads(payload("woocommerce", "order_updated")) | change).encode()))


@pytest.mark.parametrize("shop", ["http://shop.example", "shop.example", "https://", "https://["])
def test_a_shop_whose_key_would_go_in_the_clear_is_not_bound(shop):
    with pytest.raises(RejectedError, match="shop_url"):
        woo(shop_url=shop)


async def pages(connector, window, api):
    return [one async for page in connector.history(window, api) for one in page]


def listed(number, since="2026-03-19T20:00:00", until="2026-03-19T22:00:00"):
    query = [
        ("modified_after", since),
        ("modified_before", until),
        ("dates_are_gmt", "true"),
        ("per_page", "100"),
        ("page", str(number)),
    ]
    return asks("GET", ORDERS, query=query, headers=BASIC)


WINDOW = Window(since=1_773_950_400_000, until=1_773_957_600_000)


async def test_history_gives_the_same_orders_as_webhooks():
    api = ScriptedApi((listed(1), answer(FOLDER, "orders")))
    assert await pages(woo(), WINDOW, api) == [ANAS]
    api.finished()


async def test_history_follows_the_number_of_pages():
    full = json.loads(payload(FOLDER, "orders")) * 100
    api = ScriptedApi(
        (listed(1), answer_of(full, x_wp_totalpages="2")), (listed(2), answer_of(full, x_wp_totalpages="2"))
    )
    assert len(await pages(woo(), WINDOW, api)) == 200
    api.finished()
    endless = EndlessApi(answer_of([{}] * 100))
    assert all(isinstance(one, Refused) for one in await pages(woo(), WINDOW, endless))
    assert len(endless.requests) == MOST_PAGES


async def test_orders_have_no_conversations():
    assert await pages(woo(), Window(since=0, until=NOW, conversation="1"), ScriptedApi()) == []


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer(FOLDER, "error", 401), DeniedError),
        (answer(FOLDER, "error", 403), RefusedError),
        (answer_of({}, 429), BusyError),
        (answer_of(b"<html>", 500), UncertainError),
        (answer_of(b"<html>"), UncertainError),
        (answer_of({}), UncertainError),
    ],
)
async def test_what_an_answer_means(told, error):
    with pytest.raises(error) as failed:
        await pages(woo(), WINDOW, ScriptedApi((listed(1), told)))
    assert type(failed.value) is error
    assert not any(word in str(failed.value) for word in ("ck_word", "cs_word"))


async def test_what_history_needs_is_named():
    for name in ("consumer_key", "shop_url"):
        with pytest.raises(RefusedError, match=f"`{name}`"):
            await pages(woo(**{name: ""}), WINDOW, ScriptedApi())


async def test_another_address_is_asked():
    asked = asks("GET", "http://127.0.0.1:1/wp-json/wc/v3/webhooks", query=[("per_page", "100")], headers=BASIC)
    api = ScriptedApi((asked, answer(FOLDER, "webhooks")))
    await woo(api_url="http://127.0.0.1:1", shop_url="").probe(api)
    api.finished()


async def test_the_probe_tells_whether_the_webhook_is_still_on():
    told = await woo().probe(EndlessApi(answer(FOLDER, "webhooks")))
    assert told.subscription == "disabled"
    assert "set it to active" in told.detail
    told = await woo(url="https://elsewhere.example").probe(EndlessApi(answer(FOLDER, "webhooks")))
    assert told == Probe(subscription="active")
    told = await woo(url="https://third.example").probe(EndlessApi(answer(FOLDER, "webhooks")))
    assert told.subscription == "unknown"


@HOSTILE
@given(mutated(payloads("woocommerce")))
def test_whatever_comes_gives_orders_or_one_error(body):
    parsed_or_unreadable(woo(), post(body))


@HOSTILE
@given(mutated(payloads(FOLDER)))
async def test_whatever_the_api_answers_gives_orders_or_documented_errors(body):
    for status in (200, 400):
        api = EndlessApi(answer_of(body, status))
        with suppress(RefusedError, UncertainError):
            await pages(woo(), WINDOW, api)
        with suppress(RefusedError, UncertainError):
            await woo().probe(api)
