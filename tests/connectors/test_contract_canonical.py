"""Events held to the gateway's rules before it sees them, and the receipt an echo stands for."""

from __future__ import annotations

import json

import pytest

from actors.events import Delete, Message, Receipt
from actors.intake import LONGEST_TEXT
from connectors.contract.canonical import canonical, taken
from connectors.contract.connector import Binding, OnePerson, Refused, UnreadableError, WebhookRequest
from connectors.line import Line
from connectors.messenger import Messenger
from connectors.telegram import Telegram
from connectors.whatsapp import WhatsApp
from tests.connectors.mutations import payload

CHANNEL = {"platform": "line", "account": "oa-1"}
LONG = "x" * (LONGEST_TEXT + 1)


def message(**fields):
    about = {**CHANNEL, "conversation": "c", "message": "m", "sent_at": 1767225600123, "direction": "out"}
    return Message(**about | fields)


def test_what_the_gateway_takes_stays_as_it_is():
    events = [message(text="Grüße", extra={"latitude": 35.68}), Delete(**CHANNEL, conversation="c", message="m")]
    assert canonical(events) == events
    assert canonical([]) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": LONG}, "longer than 262144 bytes"),
        ({"text": "é" * (LONGEST_TEXT // 2 + 1)}, "longer than 262144 bytes"),
        ({"sent_at": 12}, "years 2000 to 2100"),
        ({"conversation": ""}, "length >= 1"),
        ({"reply_to": "x" * 1_025}, "length <= 1024"),
    ],
)
def test_what_the_gateway_would_refuse_is_unreadable_with_its_reason(fields, reason):
    with pytest.raises(UnreadableError, match=reason):
        canonical([message(), message(**fields)])


def test_an_echo_stands_for_one_receipt_however_often_it_comes():
    receipt = Receipt(**CHANNEL, conversation="c", message="m", status="accepted", event="c/m/accepted")
    assert taken(message(text="a")) == taken(message(text="b")) == receipt


def test_receipts_of_two_messages_never_have_one_key():
    places = [("a", "b/c"), ("a/b", "c"), ("a%2Fb", "c"), ("a", "b%2Fc")]
    assert len({taken(message(conversation=one, message=other)).event for one, other in places}) == len(places)


def line(text):
    body = json.loads(payload("line", "text"))
    (event,) = body["events"]
    body["events"] = [{**event, "message": {**event["message"], "text": text}}, event]
    return Line, body


def messenger(text):
    body = json.loads(payload("messenger", "text"))
    (item,) = body["entry"][0]["messaging"]
    body["entry"][0]["messaging"] = [{**item, "message": {**item["message"], "text": text}}, item]
    return Messenger, body


def whatsapp(text):
    body = json.loads(payload("whatsapp", "text"))
    value = body["entry"][0]["changes"][0]["value"]
    (item,) = value["messages"]
    value["messages"] = [{**item, "text": {"body": text}}, item]
    return WhatsApp, body


@pytest.mark.parametrize("platform", [line, messenger, whatsapp])
def test_a_text_too_long_is_refused_and_harms_no_other(platform):
    kind, body = platform(LONG)
    connector = kind(Binding(account="a", url="https://weir.example/webhooks"))
    found = connector.parse(WebhookRequest(method="POST", body=json.dumps(body).encode()))
    refused, kept = [one for one in found if not isinstance(one, OnePerson)]
    assert isinstance(refused, Refused)
    assert refused.reason == "`text` is longer than 262144 bytes"
    assert LONG.encode() in refused.raw
    assert isinstance(kept, Message)


def test_a_text_too_long_is_refused_where_an_update_is_one_message():
    update = json.loads(payload("telegram", "text"))
    update["message"]["text"] = LONG
    connector = Telegram(Binding(account="a", url="https://weir.example/webhooks"))
    (refused,) = connector.parse(WebhookRequest(method="POST", body=json.dumps(update).encode()))
    assert isinstance(refused, Refused)
