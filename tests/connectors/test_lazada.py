"""Lazada's buyer chat: what its pushes prove, and which events they tell of."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Attachment, Delete, Failure, Message, Receipt, Sender
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, UpTo, WebhookRequest
from connectors.lazada import Lazada
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

SIGNED = b'{"seller_id":"1","message_type":2,"data":{}}'
SIGNATURE = "82fcdfc145480436a360492f786d0758b594f474a799a273a8e6d0532558fa63"
THREAD = {"platform": "lazada", "account": "sg", "conversation": "100_2_200_1_103"}
SITE = {"site": "SG"}


def lazada(**settings):
    keys = {"app_key": "123456", "app_secret": "app_secret"}
    return Lazada(Binding(account="sg", url="https://inbox.example/webhooks/lazada/sg", settings=keys | settings))


def post(body, **headers):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(name, **settings):
    return list(lazada(**settings).parse(post(payload("lazada", name))))


def changed(name, **data):
    push = json.loads(payload("lazada", name))
    push["data"] |= data
    return post(json.dumps(push).encode())


def test_a_push_signed_over_the_app_key_and_the_body_is_genuine():
    lazada().verify(post(SIGNED, authorization=SIGNATURE))


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": ""}, {"authorization": SIGNATURE[:-1] + "4"}, {"authorization": "ключ\xff"}],
    ids=["missing", "empty", "other", "not ascii"],
)
def test_anything_else_is_not_genuine(headers):
    with pytest.raises(SignatureError):
        lazada().verify(post(SIGNED, **headers))


@pytest.mark.parametrize("settings", [{"app_key": "1234567"}, {"app_secret": "old"}, {"app_secret": ""}])
def test_another_app_or_secret_or_none_proves_nothing(settings):
    with pytest.raises(SignatureError):
        lazada(**settings).verify(post(SIGNED, authorization=SIGNATURE))


def test_a_changed_byte_of_the_body_is_noticed():
    with pytest.raises(SignatureError):
        lazada().verify(post(SIGNED + b"\n", authorization=SIGNATURE))


def test_a_customers_text():
    assert parsed("text", seller_id="20240305") == [
        Message(
            **THREAD,
            message="1zYOS7N0",
            sent_at=1596550789323,
            direction="in",
            sender=Sender(id="200", role="customer"),
            text="where is my parcel? 你好",
            via="push",
            extra=SITE,
        )
    ]


def test_an_echo_is_our_message_and_lazada_holds_it():
    assert parsed("echo") == [
        Message(
            **THREAD,
            message="1zYOS7N1",
            sent_at=1596550849000,
            direction="out",
            sender=Sender(id="100", role="agent"),
            text="It arrives tomorrow.",
            via="push",
            extra=SITE,
        ),
        Receipt(**THREAD, message="1zYOS7N1", status="accepted", event="100_2_200_1_103/1zYOS7N1/accepted"),
    ]


def test_an_automatic_answer_is_a_bots():
    message, receipt = parsed("auto_reply")
    assert message.sender == Sender(id="100", role="bot")
    assert receipt.status == "accepted"


def test_an_answer_that_the_safety_check_keeps_from_the_buyer_has_failed():
    message, receipt = parsed("blocked_echo")
    assert message.text == "Pay me by transfer"
    assert message.extra == SITE | {"process_msg": "Not delivered: contact details"}
    assert receipt == Receipt(
        **THREAD,
        message="1zYOS7N3",
        status="failed",
        error=Failure(reason="Not delivered: contact details"),
        event="100_2_200_1_103/1zYOS7N3/failed",
    )


def test_what_the_system_writes_awaits_no_answer():
    message, _ = parsed("system")
    assert message.sender == Sender(id="100", role="system")
    (message,) = lazada().parse(changed("text", type=2))
    assert (message.direction, message.sender.role) == ("in", "system")


def test_a_picture_whose_address_is_not_confirmed():
    (message,) = parsed("image")
    assert message.text is None
    assert message.attachments == [Attachment(id="1zYOS7N5:0", kind="image")]
    assert json.loads(message.extra["content"])["imgUrl"] == "https://files.example/box.jpg"
    (message,) = parsed("image", picture_field="imgUrl")
    assert message.attachments == [Attachment(id="1zYOS7N5:0", kind="image", url="https://files.example/box.jpg")]


def test_the_order_of_a_card_where_the_setting_says_that_it_stands():
    card = changed("item", template_id=10007, content='{"orderId": 465423342423}')
    for settings, order in (({}, None), ({"order_field": "orderId"}, "465423342423"), ({"order_field": "x"}, None)):
        (message,) = lazada(**settings).parse(card)
        assert (message.order, message.extra["kind"]) == (order, "order")
    (message,) = lazada(order_field="itemId").parse(changed("item"))
    assert message.order is None


def test_a_product():
    (message,) = parsed("item")
    assert message.extra == SITE | {"kind": "item", "content": '{"itemId": 7788}'}


def test_a_recalled_message_is_deleted_and_nothing_else():
    key = "100_2_200_1_103/1zYOS7N0/recalled"
    assert parsed("recalled") == [Delete(**THREAD, message="1zYOS7N0", event=key)]


def test_a_session_update_tells_how_far_the_buyer_has_read():
    assert parsed("session_update") == [UpTo(conversation="100_2_200_1_103", status="read", at=1596550789323)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"to_position": 1596550789323', b'"to_position": 0'),
        (b'"to_position": 1596550789323,', b""),
        (b'"user_account_type": 2', b'"user_account_type": 1'),
    ],
)
def test_a_session_update_without_a_position_of_the_buyers_tells_nothing(before, after):
    body = payload("lazada", "session_update")
    assert before in body
    assert list(lazada().parse(post(body.replace(before, after)))) == []


def test_what_is_no_message_gives_no_event():
    assert parsed("trade_order") == []


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", SIGNED])
def test_a_test_or_an_empty_request_gives_no_event(body):
    assert list(lazada().parse(post(body))) == []


def test_a_push_for_another_seller_is_refused():
    body = payload("lazada", "text")
    (refused,) = lazada(seller_id="7").parse(post(body))
    assert isinstance(refused, Refused)
    assert refused.raw == body
    assert refused.reason == (
        "the push is for seller 20240305, this channel is seller 7; bind that seller as its own channel"
    )


def test_a_text_that_is_no_json_stands_for_itself():
    (message,) = lazada().parse(changed("text", content="plain words"))
    assert message.text == "plain words"


@pytest.mark.parametrize(
    ("author", "reader", "direction"), [(3, 1, "out"), (3, 2, "in"), ("1", 2, "in"), ("2", 1, "out")]
)
def test_who_wrote_to_whom_tells_the_direction(author, reader, direction):
    message = lazada().parse(changed("text", from_account_type=author, to_account_type=reader))[0]
    assert message.direction == direction


@pytest.mark.parametrize(
    ("name", "value"),
    [("session_id", ""), ("message_id", None), ("send_time", "soon"), ("send_time", 12), ("from_account_type", 9)],
)
def test_a_message_without_what_it_needs_cannot_be_read(name, value):
    with pytest.raises(UnreadableError):
        lazada().parse(changed("text", **{name: value, "to_account_type": 9}))


@HOSTILE
@given(mutated(payloads("lazada")))
def test_whatever_comes_gives_events_or_one_error(body):
    parsed_or_unreadable(lazada(picture_field="imgUrl"), post(body))
