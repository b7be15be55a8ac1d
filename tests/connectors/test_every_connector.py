"""What holds for the connector of every platform, whatever it is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time

import msgspec
import pytest

from actors.events import Message, Receipt
from actors.intake import parse_event
from actors.orders import ForgetCustomer, Order
from connectors.contract.connector import Binding, OnePerson, Refused, SignatureError, UpTo, WebhookRequest
from connectors.contract.history import Pointer
from connectors.registry import BY_PLATFORM, CONNECTORS
from connectors.shopee import BLOCKED
from tests.connectors.mutations import PAYLOADS, parsed_or_unreadable, payload

ACCOUNT = "shop"
SECRET = "d2VpciB3ZWlyIHdlaXIgd2VpciB3ZWly"  # base64 too, which Standard Webhooks wants
BODIES = [
    (path.parent.name, path.stem) for path in sorted(PAYLOADS.glob("*/*.json")) if path.parent.name in BY_PLATFORM
]
"""Of webhooks; beside them lie folders with answers of APIs."""
IDENTITIES = {
    "mercadolibre": {"client_id": "8974", "seller_id": "123456789"},
    "shopify": {"shop": "some-shop.myshopify.com"},
}
"""Settings that payloads must name, or that are no words, by platform."""

every = pytest.mark.parametrize("kind", CONNECTORS, ids=lambda kind: kind.platform)
every_payload = pytest.mark.parametrize(("platform", "name"), BODIES)


def bound(kind, **settings):
    given = {one.name: SECRET for one in kind.settings if one.required} | IDENTITIES.get(kind.platform, {})
    url = f"https://weir.example/webhooks/{kind.platform}/{ACCOUNT}"
    return kind(Binding(account=ACCOUNT, url=url, settings=given | settings))


def parsed(platform, name):
    """What a payload tells; those of platforms that name the topic in a header are named by it."""
    family, _, what = name.partition("_")
    topics = {"x-shopify-topic": f"{family}/{what}", "x-wc-webhook-topic": f"{family}.{what}"}
    request = WebhookRequest(method="POST", headers={"webhook-id": "msg_1"} | topics, body=payload(platform, name))
    return list(bound(BY_PLATFORM[platform]).parse(request))


def refused_by_the_platform(message):
    """Whether what the platform told beside the message says that it did not take it."""
    return isinstance(message.extra, dict) and message.extra.get("status") in BLOCKED


@every
def test_every_platform_has_payloads_and_one_module(kind):
    assert kind.polls or any(platform == kind.platform for platform, _ in BODIES)
    assert BY_PLATFORM[kind.platform] is kind
    assert kind.__module__.split(".")[:2] == ["connectors", kind.platform]


@every
def test_a_setting_has_a_plain_name_and_says_where_it_is_found(kind):
    assert kind.settings
    names = [one.name for one in kind.settings]
    assert len(set(names)) == len(names)
    for one in kind.settings:
        assert re.fullmatch("[a-z]+(_[a-z]+)*", one.name)
        assert one.about == one.about.strip()
        assert one.about.isprintable()
        assert " " in one.about
        assert not one.about.endswith("."), "it stands in a table: a fragment of a sentence"


@every
def test_a_setting_that_must_be_kept_secret_must_be_given(kind):
    assert any(one.secret and one.required for one in kind.settings)


@every_payload
def test_every_message_of_our_own_has_its_receipt_or_was_refused(platform, name):
    found = parsed(platform, name)
    for index, one in enumerate(found):
        if isinstance(one, Message) and one.direction == "out" and not refused_by_the_platform(one):
            told = [other for other in found[index + 1 :] if isinstance(other, Receipt)]
            assert (one.conversation, one.message) in [(other.conversation, other.message) for other in told]


@every
def test_a_platform_that_shows_our_own_messages_tells_that_it_accepted_them(kind):
    found = [one for platform, name in BODIES if platform == kind.platform for one in parsed(platform, name)]
    ours = any(isinstance(one, Message) and one.direction == "out" for one in found)
    assert not ours or (kind.capabilities.echoes and "accepted" in kind.capabilities.receipts)
    statuses = {one.status for one in found if isinstance(one, Receipt | UpTo)}
    assert statuses <= kind.capabilities.receipts


@every_payload
def test_the_gateway_takes_every_event_of_every_payload(platform, name):
    found = parsed(platform, name)
    events = [
        one for one in found if not isinstance(one, Refused | Pointer | Order | ForgetCustomer | OnePerson | UpTo)
    ]
    assert [parse_event(msgspec.json.encode(one), need_at=False) for one in events] == events
    assert {(one.platform, one.account) for one in events} <= {(platform, ACCOUNT)}
    assert all(isinstance(one, Message) or one.event for one in events), "told again, it would count twice"
    assert not any(isinstance(one, Refused) for one in found) or name == "one_bad"


@every_payload
def test_a_request_told_again_gives_equal_events(platform, name):
    assert parsed(platform, name) == parsed(platform, name)


BLANKS = ["", " ", "\t\r\n", "\u00a0\u2003"]
BODY = b'{"a":1}'


def digest(key, signed):
    return hmac.digest(key.encode(), signed, hashlib.sha256)


def forged_webhook(settings, _url):
    now = str(int(time.time()))
    key = base64.b64decode(settings["secret"].encode("ascii", "ignore"))
    mac = base64.b64encode(hmac.digest(key, f"msg_1.{now}.".encode() + BODY, hashlib.sha256)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,{mac}"}


def forged_shopee(settings, url):
    return {"authorization": digest(settings["push_key"], f"{url}|".encode() + BODY).hex()}


def forged_with_app_key(settings, _url):
    return {"authorization": digest(settings["app_secret"], settings["app_key"].encode() + BODY).hex()}


def forged_meta(settings, _url):
    return {"x-hub-signature-256": f"sha256={digest(settings['app_secret'], BODY).hex()}"}


FORGED = {
    "shopee": ("push_key", forged_shopee),
    "lazada": ("app_secret", forged_with_app_key),
    "tiktok": ("app_secret", forged_with_app_key),
    "messenger": ("app_secret", forged_meta),
    "instagram": ("app_secret", forged_meta),
    "whatsapp": ("app_secret", forged_meta),
    "telegram": (
        "secret_token",
        lambda settings, _url: {"x-telegram-bot-api-secret-token": settings["secret_token"]},
    ),
    "line": (
        "channel_secret",
        lambda settings, _url: {
            "x-line-signature": base64.b64encode(digest(settings["channel_secret"], BODY)).decode()
        },
    ),
    "shopify": (
        "client_secret",
        lambda settings, _url: {
            "x-shopify-hmac-sha256": base64.b64encode(digest(settings["client_secret"], BODY)).decode()
        },
    ),
    "woocommerce": (
        "secret",
        lambda settings, _url: {"x-wc-webhook-signature": base64.b64encode(digest(settings["secret"], BODY)).decode()},
    ),
    "mercadolibre": (
        "webhook_key",
        lambda settings, _url: WebhookRequest(method="POST", query={"key": settings["webhook_key"]}, body=BODY),
    ),
    "webchat": ("secret", lambda settings, _url: {"x-weir-signature": digest(settings["secret"], BODY).hex()}),
    "webhook": ("secret", forged_webhook),
}
"""Of every platform with one: the setting that proves its requests, and how anybody who knows its value signs."""
UNSHARED = {"ebay", "aliexpress", "email", "amazon"}
"""No word of ours proves anything there: eBay signs with a key of its own, AliExpress and mailboxes send nothing."""

proven = pytest.mark.parametrize(
    "kind", [kind for kind in CONNECTORS if kind.platform in FORGED], ids=lambda kind: kind.platform
)


def test_no_platforms_proof_is_left_out():
    assert {kind.platform for kind in CONNECTORS} <= {*FORGED, *UNSHARED}


def signed(connector):
    _, headers = FORGED[connector.platform]
    binding = connector.binding
    proof = headers(binding.settings, binding.url)
    return proof if isinstance(proof, WebhookRequest) else WebhookRequest(method="POST", headers=proof, body=BODY)


@proven
def test_a_request_signed_with_the_secret_is_genuine(kind):
    connector = bound(kind)
    connector.verify(signed(connector))
    other = bound(kind, **{FORGED[kind.platform][0]: base64.b64encode(b"another secret of ours").decode()})
    with pytest.raises(SignatureError):
        other.verify(signed(connector))


@proven
@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_secret_proves_nothing_not_even_what_is_signed_with_it(kind, blank):
    connector = bound(kind, **{FORGED[kind.platform][0]: blank})
    with pytest.raises(SignatureError, match="empty"):
        connector.verify(signed(connector))
    with pytest.raises(SignatureError):
        connector.verify(WebhookRequest(method="POST", body=BODY))


@proven
def test_a_channel_without_its_secret_proves_nothing(kind):
    genuine = signed(bound(kind))
    bare = kind(Binding(account=ACCOUNT, url=bound(kind).binding.url))
    with pytest.raises(SignatureError, match="empty"):
        bare.verify(genuine)


@pytest.mark.parametrize("blank", BLANKS)
def test_of_shopees_two_keys_a_blank_one_proves_nothing(blank):
    shopee = BY_PLATFORM["shopee"]
    genuine = signed(bound(shopee, partner_key=blank))
    bound(shopee, partner_key=blank).verify(genuine)
    with_blank = signed(bound(shopee, push_key=blank))
    with pytest.raises(SignatureError):
        bound(shopee, partner_key=blank).verify(with_blank)
    with pytest.raises(SignatureError):
        bound(shopee, push_key=blank, partner_key=SECRET).verify(genuine)


@pytest.mark.parametrize("kind", [kind for kind in CONNECTORS if "verify_token" in {s.name for s in kind.settings}])
@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_verify_token_answers_no_challenge(kind, blank):
    asked = {"hub.mode": "subscribe", "hub.verify_token": blank, "hub.challenge": "42"}
    with pytest.raises(SignatureError):
        bound(kind, verify_token=blank).handshake(WebhookRequest(method="GET", query=asked))
    with pytest.raises(SignatureError):
        kind(Binding(account=ACCOUNT, url="")).handshake(WebhookRequest(method="GET", query=asked))


def bad_json(public_data):
    """Bodies that parsers of JSON stumble over, well-formed and not."""
    path = public_data / "bad_input" / "json_parsing.jsonl"
    for row in map(json.loads, path.read_text("utf-8").strip().split("\n")):
        if "b64" in row:
            yield base64.b64decode(row["b64"])
        else:
            again = row["repeat"]
            yield (again["unit"] * again["count"] + again.get("suffix", "")).encode()


@every
def test_bodies_that_parsers_stumble_over_give_events_or_the_one_documented_error(kind, public_data):
    connector = bound(kind)
    bodies = list(bad_json(public_data))
    assert len(bodies) > 100
    topics = {"webhook-id": "msg_1", "x-shopify-topic": "orders/create", "x-wc-webhook-topic": "order.created"}
    for body in bodies:
        parsed_or_unreadable(connector, WebhookRequest(method="POST", headers=topics, body=body))
