"""Shopee's seller chat: what its pushes prove, and which events they tell of."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Attachment, Message, Receipt, Sender
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.signatures import hex_of, hmac_sha256
from connectors.shopee import Shopee
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

PUSH_URL = "https://inbox.example/hooks/shopee"
SIGNED = b'{"code":10,"shop_id":1,"timestamp":1700000000,"data":{}}'
SIGNATURE = "a95ac1e6a4cfc4f15febf37d1d52b93ddd9bdcc2373e3de521648a8820ba8fc0"
CHANNEL = {"platform": "shopee", "account": "shop-id-1"}
THREAD = CHANNEL | {"conversation": "709122092476686867"}
BUYER = Sender(id="501", name="budi_jkt", role="customer")


def shopee(**settings):
    return Shopee(Binding(account="shop-id-1", url=PUSH_URL, settings={"push_key": "push_key"} | settings))


def post(body, **headers):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(name, **settings):
    return list(shopee(**settings).parse(post(payload("shopee", name))))


def test_a_push_signed_over_the_registered_address_and_the_body_is_genuine():
    shopee().verify(post(SIGNED, authorization=SIGNATURE))


def test_the_request_signed_the_same_way_in_the_first_version_of_the_api_matches():
    binding = Binding(
        account="a",
        url="https://partner.shopeemobile.com/api/v1/orders/detail",
        settings={"push_key": "new", "partner_key": "42"},
    )
    body = b'{"partner_id":1,"shopid":61299,"timestamp":1470198856,"ordersn":"160726152598865"}'
    signature = "7f8239f14aa84c8ff59c61c4b728e08a44f5ff756064da74678b2f5162ac9116"
    Shopee(binding).verify(post(body, authorization=signature))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": SIGNATURE[:-1] + "1"},
        {"authorization": SIGNATURE.upper()},
        {"authorization": "ключ\xff"},
        {"authorization": hex_of(hmac_sha256("push_key", SIGNED))},
    ],
    ids=["missing", "empty", "other", "upper", "not ascii", "body alone"],
)
def test_anything_else_is_not_genuine(headers):
    with pytest.raises(SignatureError):
        shopee().verify(post(SIGNED, **headers))


@pytest.mark.parametrize("key", ["push_key", "shpkpush_key"])
def test_a_signature_over_the_body_alone_counts_only_where_it_is_set_and_is_told_of_otherwise(key):
    request = post(SIGNED, authorization=hex_of(hmac_sha256("push_key", SIGNED)))
    shopee(push_key=key, body_alone="yes").verify(request)
    shopee(body_alone="yes").verify(post(SIGNED, authorization=SIGNATURE))
    with pytest.raises(SignatureError, match="fits the body without the address; is https://"):
        shopee(push_key=key).verify(request)
    with pytest.raises(SignatureError, match="does not match"):
        shopee(push_key=key, body_alone="yes").verify(post(SIGNED + b" ", authorization=SIGNATURE))
    with pytest.raises(SignatureError, match="missing"):
        shopee(push_key=key, body_alone="yes").verify(post(SIGNED))


@pytest.mark.parametrize("settings", [{"push_key": "old"}, {"push_key": ""}])
def test_another_key_or_none_proves_nothing(settings):
    with pytest.raises(SignatureError):
        shopee(**settings).verify(post(SIGNED, authorization=SIGNATURE))


def test_a_changed_byte_of_the_body_is_noticed():
    with pytest.raises(SignatureError):
        shopee().verify(post(SIGNED + b" ", authorization=SIGNATURE))


def test_the_probe_of_the_console_gets_its_body_back():
    body = b'{"code":0,"data":{"verify_info":"hello"}}'
    answer = shopee().handshake(post(body))
    assert answer is not None
    assert (answer.status, answer.body) == (200, body)
    assert list(shopee().parse(post(body))) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", SIGNED, b'{"code":false}', b'{"code":0,"x":"' + b"x" * 5000 + b'"}']
)
def test_nothing_else_is_a_probe(body):
    assert shopee().handshake(post(body)) is None


def test_a_customers_text():
    assert parsed("text", shop_id="200002") == [
        Message(
            **THREAD,
            message="2302748948493123953",
            sent_at=1726044721000,
            direction="in",
            sender=BUYER,
            text="Halo, apakah lampu ini tahan air? 🙏",
            order="260611ABCD123",
            reply_to="2302748948493123900",
            via="push",
        )
    ]


def test_an_echo_is_our_message_and_shopee_holds_it():
    key = "709122092476686867/2302748948493123960/accepted"
    assert parsed("echo") == [
        Message(
            **THREAD,
            message="2302748948493123960",
            sent_at=1726044790000,
            direction="out",
            sender=Sender(id="900", name="toko.lampu:sari", role="agent"),
            text="Tahan air sampai 1 meter.",
            via="push",
        ),
        Receipt(**THREAD, message="2302748948493123960", status="accepted", event=key),
    ]


def test_an_automatic_answer_is_a_bots():
    message, receipt = parsed("auto_reply")
    assert message.sender == Sender(id="900", name="toko.lampu", role="bot")
    assert message.extra == {"status": "auto_reply"}
    assert receipt.status == "accepted"


def test_a_blocked_answer_is_not_accepted():
    (message,) = parsed("blocked_echo")
    assert message.direction == "out"
    assert message.extra == {"status": "censored_blacklist"}


def test_a_picture():
    (message,) = parsed("image")
    assert message.text is None
    assert message.extra is None
    assert message.attachments == [Attachment(id="77", kind="image", url="https://files.example/lamp.jpg")]


def test_a_bare_file_id_is_no_address():
    (message,) = parsed("video_bare")
    assert message.attachments == [Attachment(id="id-11110103-6k-film", kind="video")]


def test_a_product():
    (message,) = parsed("item")
    assert (message.text, message.attachments) == (None, None)
    assert message.extra == {"kind": "item", "item": "40012345678"}


def test_a_bundle_of_the_chatbot_is_one_message():
    message, _ = parsed("bundle")
    assert message.text == "Pilih topik:\n\n1. Pengiriman"
    assert message.sender.role == "bot"
    assert message.extra == {"kind": "bundle_message"}


@pytest.mark.parametrize("name", ["notification", "affiliate", "order_status"])
def test_what_is_no_customers_message_gives_no_event(name):
    assert parsed(name) == []


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", SIGNED])
def test_a_test_or_an_empty_request_gives_no_event(body):
    assert list(shopee().parse(post(body))) == []


def test_a_push_for_another_shop_is_refused():
    body = payload("shopee", "text")
    (refused,) = shopee(shop_id="300").parse(post(body))
    assert isinstance(refused, Refused)
    assert refused.raw == body
    assert refused.reason == (
        "the push is for shop 200002, this channel is shop 300; bind that shop as its own channel"
    )


@pytest.mark.parametrize("missing", ["message_id", "conversation_id", "created_timestamp"])
def test_a_message_without_what_it_needs_cannot_be_read(missing):
    push = json.loads(payload("shopee", "text"))
    del push["data"]["content"][missing]
    with pytest.raises(UnreadableError, match=missing):
        shopee().parse(post(json.dumps(push).encode()))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("created_timestamp", 12, "missing or no time"),
        ("content", {"text": "x" * 300_000}, "longer than 262144 bytes"),
        ("message_id", "x" * 1_020, "length <= 1024"),
    ],
    ids=["time", "text", "key of the receipt"],
)
def test_what_weir_would_not_take_from_anybody_cannot_be_read(name, value, reason):
    push = json.loads(payload("shopee", "echo"))
    push["data"]["content"][name] = value
    with pytest.raises(UnreadableError, match=reason):
        shopee().parse(post(json.dumps(push).encode()))


def test_a_message_of_no_shop_cannot_be_read():
    push = json.loads(payload("shopee", "text"))
    del push["shop_id"], push["data"]["content"]["shop_id"]
    with pytest.raises(UnreadableError, match="shop_id"):
        shopee().parse(post(json.dumps(push).encode()))
    assert len(shopee(shop_id="200002").parse(post(json.dumps(push).encode()))) == 1


@HOSTILE
@given(mutated(payloads("shopee")))
def test_whatever_comes_gives_events_or_one_error(body):
    parsed_or_unreadable(shopee(), post(body))
    shopee().handshake(post(body))
