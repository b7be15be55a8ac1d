"""Webhooks proved by a fetched key, and those that tell of orders or of customers to forget, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from connectors.registry import BY_PLATFORM
from services.arrivals.arrivals import Arrivals
from services.arrivals.webhooks import Webhooks
from services.channels.bindings import Bindings
from services.channels.secrets import Vault
from services.contacts.contact_data import Safe
from services.contacts.context import Contacts
from services.contacts.learning import Sighting, contact_id
from services.people.permissions import Caller
from storage.contact_records import ContactFilter
from tests.connectors.mutations import payload
from tests.connectors.scripted_api import EndlessApi, answer
from tests.storage.flushes import Flushes, customer, stored

ADMIN = Caller(name="ada", role="admin", via="session")
EBAY = "/webhooks/ebay/uk"
SHOPIFY = "/webhooks/shopify/us"
KID = "9936261a-7d7b-4621-a0f1-96ccb428af49"
SIGNATURE = "MEYCIQCfxfIWuxmWcIBQJ9c5/X7iGDJqs2RCGsBEaAjinyrrfAIhAIV6wGcTiBuV5KJUif2hokyrL+Q9ssHkad+mx2nEE25w"
HEADER = base64.b64encode(json.dumps({"kid": KID, "signature": SIGNATURE}).encode()).decode()
EBAYS = {
    "verification_token": "71745723-d031-455c-bfa5-f90d11b4f20a",
    "client_id": "app",
    "client_secret": "word",
    "username": "seller1",
}


@pytest.fixture
async def bindings(services, data_dir):
    """Bindings of the real connectors."""
    found = Bindings(services.store, Vault(file=data_dir / "secret.key"), BY_PLATFORM, services.gateway.now)
    await found.bind(ADMIN, "ebay", "uk", f"https://weir.test{EBAY}", EBAYS)
    shop = {"client_secret": "hush", "shop": "some-shop.myshopify.com"}
    await found.bind(ADMIN, "shopify", "us", f"https://weir.test{SHOPIFY}", shop)
    return found


@pytest.fixture
def platform(services, bindings):
    """eBay's API, which gives a token, then the key."""
    api = EndlessApi(answer("ebay_api", "application_token"), answer("ebay_api", "public_key"))
    arrivals = Arrivals(services.gateway, services.store)
    services.webhooks = Webhooks(arrivals, bindings.connector, apis=lambda _: api)
    return api


async def test_a_key_is_fetched_once_before_what_it_proves_is_taken(stranger, platform):
    sent = {"content": payload("ebay", "account_deletion"), "headers": {"X-EBAY-SIGNATURE": HEADER}}
    assert [(await stranger.post(EBAY, **sent)).status_code for _ in range(2)] == [200, 200]
    assert len(platform.requests) == 2


async def test_a_wrong_signature_is_refused_by_the_fetched_key(stranger, platform):
    sent = {"content": b"{}", "headers": {"X-EBAY-SIGNATURE": HEADER}}
    assert (await stranger.post(EBAY, **sent)).status_code == 401
    assert platform.requests


async def test_without_a_way_to_the_platform_the_request_is_put_off(stranger, services, bindings):
    services.webhooks = Webhooks(Arrivals(services.gateway, services.store), bindings.connector)
    sent = {"content": b"{}", "headers": {"X-EBAY-SIGNATURE": HEADER}}
    assert (await stranger.post(EBAY, **sent)).status_code == 503


async def test_a_challenge_needs_no_key(stranger, platform):
    told = await stranger.get(EBAY, params={"challenge_code": "1"})
    word = f"1{EBAYS['verification_token']}https://weir.test{EBAY}"
    assert told.json() == {"challengeResponse": hashlib.sha256(word.encode()).hexdigest()}
    assert platform.requests == []


async def shopify(stranger, name):
    body = payload("shopify", name)
    signature = base64.b64encode(hmac.digest(b"hush", body, hashlib.sha256)).decode()
    headers = {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": name.replace("_", "/", 1)}
    return (await stranger.post(SHOPIFY, content=body, headers=headers)).status_code


@pytest.mark.usefixtures("platform")
async def test_an_order_is_held_until_its_customer_is_to_be_forgotten(stranger, services, logged):
    assert await shopify(stranger, "orders_updated") == 200
    (order,) = await services.store.orders_by(email="ANA@example.com")
    assert (order.number, order.contact) == ("#1001", "115310627314723954")
    assert await shopify(stranger, "customers_redact") == 200
    assert await services.store.orders_by(email="ana@example.com") == []
    assert await logged() == []


async def test_a_shop_that_wants_a_customer_forgotten_takes_the_contact_and_what_others_were_known_by(
    stranger, services, bindings, data_dir
):
    contacts = Contacts(services.store, Safe(Vault(file=data_dir / "secret.key")), services.gateway.now)
    arrivals = Arrivals(services.gateway, services.store, customers=contacts)
    services.webhooks = Webhooks(arrivals, bindings.connector)
    save = Flushes(services.store)
    await save(stored("m1", platform="email", account="help", sender=customer("Ana", "ana@example.com")))
    assert await shopify(stranger, "orders_updated") == 200
    [job] = await services.store.jobs("contact", 5)
    assert job.payload == {"order": (await services.store.orders_by(email="ana@example.com"))[0].id}
    told = await contacts.context("email/help/c1", ADMIN)
    assert (len(told["orders"]), bool(told["value"])) == (1, True)
    own = contact_id("shopify", "us", "115310627314723954")
    await contacts.learning.learn(
        [Sighting(platform="shopify", account="us", identity="115310627314723954", seen_at=1, first_at=1)]
    )
    assert await services.store.contacts_of([own])
    assert await shopify(stranger, "customers_redact") == 200
    assert await services.store.contacts_of([own]) == []
    [left] = (await services.store.contacts(ContactFilter(), 5)).items
    assert (left.identity, left.told.value, left.told.orders) == ("ana@example.com", {}, 0)
    after = await contacts.context("email/help/c1", ADMIN)
    assert (after["orders"], after["phones"]) == ([], [])
