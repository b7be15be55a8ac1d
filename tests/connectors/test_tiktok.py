"""TikTok Shop's buyer chat: what its webhooks prove, and which events they tell of."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Attachment, Auth, Message, Receipt, Sender
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.tiktok import TikTok
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

SIGNED = (
    b'{"type":1,"shop_id":"7494726673780148744","timestamp":1664095733,"data":{"order_id":"576684019603311365",'
    b'"order_status":"AWAITING_SHIPMENT","update_time":1664095610}}'
)
SIGNATURE = "21109834de72ec53c9959716d8514ae388ce1f123e5ffdcafc46713fcdf62b27"
CHANNEL = {"platform": "tiktok", "account": "uk"}
THREAD = CHANNEL | {"conversation": "7494560109732334261"}


def tiktok(**settings):
    keys = {"app_key": "fake_app_key", "app_secret": "fake_app_secret"}
    return TikTok(Binding(account="uk", url="https://inbox.example/webhooks/tiktok/uk", settings=keys | settings))


def post(body, **headers):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(name, **settings):
    return list(tiktok(**settings).parse(post(payload("tiktok", name))))


def changed(name, **data):
    notice = json.loads(payload("tiktok", name))
    notice["data"] |= data
    return post(json.dumps(notice).encode())


def test_a_notice_signed_over_the_app_key_and_the_body_is_genuine():
    tiktok().verify(post(SIGNED, authorization=SIGNATURE))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": SIGNATURE[:-1] + "8"},
        {"authorization": f"Bearer {SIGNATURE}"},
        {"authorization": "ключ\xff"},
        {"tiktok-signature": f"t=1664095733,s={SIGNATURE}"},
    ],
    ids=["missing", "empty", "other", "bearer", "not ascii", "another product's"],
)
def test_anything_else_is_not_genuine(headers):
    with pytest.raises(SignatureError):
        tiktok().verify(post(SIGNED, **headers))


@pytest.mark.parametrize("settings", [{"app_key": "other"}, {"app_secret": "old"}, {"app_secret": ""}])
def test_another_app_or_secret_or_none_proves_nothing(settings):
    with pytest.raises(SignatureError):
        tiktok(**settings).verify(post(SIGNED, authorization=SIGNATURE))


def test_a_customers_text():
    assert parsed("text", shop_id="7494049642642441621") == [
        Message(
            **THREAD,
            message="7494560109732334263",
            sent_at=1691411573000,
            direction="in",
            sender=Sender(id="7494560109732334299", role="customer"),
            text="Is size 38 in stock? 👟",
            via="push",
        )
    ]


def test_an_echo_is_our_message_and_tiktok_holds_it():
    key = "7494560109732334261/7494560109732334264/accepted"
    assert parsed("echo") == [
        Message(
            **THREAD,
            message="7494560109732334264",
            sent_at=1691411600000,
            direction="out",
            sender=Sender(id="7494560109732334299", role="agent"),
            text="Yes, it is.",
            via="push",
        ),
        Receipt(**THREAD, message="7494560109732334264", status="accepted", event=key),
    ]


@pytest.mark.parametrize(
    ("role", "direction", "ours"),
    [
        ("BUYER", "in", "customer"),
        ("SHOP", "out", "agent"),
        ("CUSTOMER_SERVICE", "out", "agent"),
        ("ROBOT", "out", "bot"),
        ("SYSTEM", "out", "system"),
    ],
)
def test_who_writes_is_told_by_the_role(role, direction, ours):
    message = tiktok().parse(changed("text", sender={"im_user_id": 7, "role": role}))[0]
    assert (message.direction, message.sender) == (direction, Sender(id="7", role=ours))


def test_a_buyer_who_looks_in_awaits_no_answer():
    (message,) = parsed("buyer_enters")
    assert (message.direction, message.sender.role) == ("in", "system")
    assert message.extra == {"kind": "BUYER_ENTER_FROM_PRODUCT"}


def test_a_bots_greeting():
    message, _ = parsed("robot")
    assert message.sender.role == "bot"


def test_a_picture_and_a_film():
    (picture,) = parsed("image")
    assert (picture.text, picture.extra) == (None, None)
    assert picture.attachments == [
        Attachment(id="7494560109732334267:0", kind="image", url="https://files.example/shoe.jpg")
    ]
    (film,) = parsed("video")
    assert film.attachments == [Attachment(id="v0e", kind="video", size=1048576, url="https://files.example/shoe.mp4")]


def test_cards_name_what_they_are_about():
    (order,) = parsed("order_card")
    assert (order.order, order.extra) == ("576684019603311365", {"kind": "ORDER_CARD"})
    (parcel,) = parsed("logistics_card")
    assert (parcel.order, parcel.extra) == ("576684019603311365", {"kind": "LOGISTICS_CARD", "package": "1152"})
    (product,) = parsed("product_card")
    assert product.extra == {"kind": "PRODUCT_CARD", "product": "1729"}


def test_a_withdrawn_authorisation_silences_the_channel():
    assert parsed("deauthorised") == [Auth(**CHANNEL, status="revoked", event="7327112393057371912")]


def test_an_authorisation_that_ends_soon_has_a_key_without_a_notice_id_too():
    assert parsed("expiring") == [Auth(**CHANNEL, status="expiring", event="expiring/1691411574000")]


@pytest.mark.parametrize("name", ["invisible", "new_conversation", "order_status"])
def test_what_is_no_message_to_show_gives_no_event(name):
    assert parsed(name) == []


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", SIGNED, b'{"type":14,"data":{}}'])
def test_a_test_or_an_empty_request_gives_no_event(body):
    assert list(tiktok().parse(post(body))) == []


@pytest.mark.parametrize("name", ["text", "deauthorised"])
def test_a_notice_for_another_shop_is_refused(name):
    body = payload("tiktok", name)
    (refused,) = tiktok(shop_id="7").parse(post(body))
    assert isinstance(refused, Refused)
    assert refused.raw == body
    assert refused.reason == (
        "the notice is for shop 7494049642642441621, this channel is shop 7; bind that shop as its own channel"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conversation_id", ""),
        ("message_id", None),
        ("create_time", "soon"),
        ("create_time", 12),
        ("sender", None),
        ("sender", {"role": "CREATOR"}),
    ],
)
def test_a_message_without_what_it_needs_cannot_be_read(name, value):
    with pytest.raises(UnreadableError):
        tiktok().parse(changed("text", **{name: value}))


@HOSTILE
@given(mutated(payloads("tiktok")))
def test_whatever_comes_gives_events_or_one_error(body):
    parsed_or_unreadable(tiktok(), post(body))
