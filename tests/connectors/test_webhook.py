"""The webhook for anything else: Standard Webhooks signatures, canonical events."""

from __future__ import annotations

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Delete, Message, Receipt, Sender
from connectors.contract.connector import Binding, OnePerson, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.webhook import GenericWebhook
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(SENT),
    "webhook-signature": SIGNATURE,
}
CHANNEL = {"platform": "webhook", "account": "shop"}
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()


def webhook(secret=SECRET, now=SENT, account="shop"):
    binding = Binding(account=account, url="https://inbox.example/webhooks/webhook/shop", settings={"secret": secret})
    return GenericWebhook(binding, now=lambda: now)


def post(body, headers=SIGNED):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(body, headers=SIGNED):
    return list(webhook().parse(post(body, headers)))


@pytest.mark.parametrize("secret", [SECRET, SECRET.removeprefix("whsec_"), f"{OTHER} {SECRET}"])
@pytest.mark.parametrize("now", [SENT - 300, SENT, SENT + 300])
def test_a_fresh_request_signed_with_the_secret_is_genuine(secret, now):
    webhook(secret, now).verify(post(BODY))


def test_one_good_signature_among_several_is_enough():
    others = "v1,AAAA v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    webhook().verify(post(BODY, SIGNED | {"webhook-signature": f"{others} {SIGNATURE}"}))


@pytest.mark.parametrize("now", [SENT - 301, SENT + 301])
def test_a_request_from_another_time_is_not_taken(now):
    with pytest.raises(SignatureError, match="more than 300 s"):
        webhook(now=now).verify(post(BODY))


@pytest.mark.parametrize("name", list(SIGNED))
@pytest.mark.parametrize("value", [None, "", "ключ\xff", "v1,AAAA", "v2," + SIGNATURE[3:], "1614265331", "-1614265330"])
def test_a_header_that_is_missing_or_wrong_proves_nothing(name, value):
    headers = {key: one for key, one in SIGNED.items() if key != name}
    if value is not None:
        headers[name] = value
    with pytest.raises(SignatureError, match="webhook-"):
        webhook().verify(post(BODY, headers))


@pytest.mark.parametrize("value", ["1614265330.0", " 1614265330", "١٦١٤٢٦٥٣٣٠", "1" * 5_000, "soon"])
def test_a_timestamp_is_whole_seconds(value):
    with pytest.raises(SignatureError, match="whole number of seconds"):
        webhook().verify(post(BODY, SIGNED | {"webhook-timestamp": value}))


@pytest.mark.parametrize("secret", ["", " ", OTHER, "whsec_", "whsec_#", "whsec_ключ"])
def test_another_secret_or_one_that_is_none_proves_nothing(secret):
    with pytest.raises(SignatureError):
        webhook(secret).verify(post(BODY))


def test_a_changed_byte_of_the_body_is_noticed():
    with pytest.raises(SignatureError, match="does not match"):
        webhook().verify(post(BODY + b" "))


def message(name="m-1"):
    return Message(
        **CHANNEL,
        conversation="c-1",
        message=name,
        sent_at=1795330800000,
        direction="in",
        sender=Sender(id="u-1", role="customer"),
        text="Grüße",
        via="push",
        extra={"mood": "glad"},
    )


def test_one_event_takes_its_channel_from_the_binding():
    assert parsed(payload("webhook", "message")) == [message()]


def test_a_batch_has_keys_where_it_gives_none_and_no_observed_time():
    told = {"conversation": "c-1", "message": "m-2"}
    assert parsed(payload("webhook", "batch")) == [
        message(),
        Receipt(**CHANNEL, **told, status="read", event="msg_p5jXN8AQM9LWM0D4loKWxJek/1"),
        Receipt(**CHANNEL, **told, status="delivered", event="r-3"),
        Delete(**CHANNEL, conversation="c-1", message="m-1", event="msg_p5jXN8AQM9LWM0D4loKWxJek/3"),
    ]


def test_events_may_stand_one_a_line():
    line = b'{"type":"receipt","conversation":"c","message":"m","status":"read"}'
    found = parsed(line + b"\r\n\n" + line, SIGNED | {"content-type": "application/x-ndjson"})
    assert [one.event for one in found] == ["msg_p5jXN8AQM9LWM0D4loKWxJek/0", "msg_p5jXN8AQM9LWM0D4loKWxJek/1"]


def test_one_bad_event_harms_no_other():
    first, half, elsewhere, clock, last = parsed(payload("webhook", "one_bad"))
    assert (first, last) == (message(), message("m-9"))
    assert all(isinstance(one, Refused) for one in (half, elsewhere, clock))
    assert "`message`" in half.reason
    assert elsewhere.reason == "`account` is not this channel's; leave it out, or write 'shop'"
    assert b'"account": "other"' in elsewhere.raw
    assert clock.reason == "a `clock` belongs into traces: Weir has its own"


@pytest.mark.parametrize("field", ['"platform":"shopee"', '"platform":null', '"account":""'])
def test_an_event_of_another_channel_is_refused(field):
    body = '{"type":"receipt","conversation":"c","message":"m","status":"read",%s}' % field  # noqa: UP031 # braces
    (refused,) = parsed(body.encode())
    assert isinstance(refused, Refused)


@pytest.mark.parametrize("body", [b"", b" \r\n ", b"[]"])
def test_an_empty_request_gives_no_event(body):
    assert parsed(body) == []


@pytest.mark.parametrize("body", [b"[{]", b"[1,", b'[{"type":"clock"}] x'])
def test_an_array_that_cannot_be_cut_is_unreadable(body):
    with pytest.raises(UnreadableError):
        parsed(body)


@pytest.mark.parametrize("body", [b"{}", b"{ }", b"{", b"hello", b"\xff", b'"text"', b"null", b'{"a"}', b"{,}"])
def test_what_is_no_event_is_refused_with_its_bytes(body):
    (refused,) = parsed(body)
    assert isinstance(refused, Refused)
    assert refused.raw == body


def test_an_account_with_quotes_stays_one_text():
    line = b'{"type":"receipt","conversation":"c","message":"m","status":"read"}'
    (receipt,) = webhook(account='a"},{"b').parse(post(line))
    assert receipt.account == 'a"},{"b'


@HOSTILE
@given(mutated(payloads("webhook")), st.sampled_from(["application/json", "application/x-ndjson", ""]))
def test_whatever_comes_gives_events_or_one_error(body, content_type):
    parsed_or_unreadable(webhook(), post(body, SIGNED | {"content-type": content_type}))


@HOSTILE
@given(st.dictionaries(st.sampled_from(list(SIGNED)), st.text(st.characters(), max_size=12)))
def test_whatever_the_headers_are_verification_ends_in_one_way(headers):
    with pytest.raises(SignatureError):
        webhook().verify(post(BODY, headers))


def test_other_names_of_a_sender_are_told_and_a_name_that_is_the_conversation():
    def people(**fields):
        event = {"type": "message", "message": "m1", "sent_at": 1_700_000_000_000, "direction": "in"} | fields
        return [one.names for one in parsed(msgspec.json.encode(event)) if isinstance(one, OnePerson)]

    lid = {"conversation": "abc@lid", "sender": {"id": "abc@lid"}}
    assert people(**lid, aliases=["555@c.us", "abc@lid", 7, ""]) == [("abc@lid", "555@c.us")]
    assert people(**lid) == [("abc@lid",)]
    assert people(**lid | {"conversation": "chat-1"}) == []
    assert people(**lid | {"conversation": "chat-1"}, aliases=["555@c.us"]) == [("abc@lid", "555@c.us")]
    assert people(**lid | {"direction": "out"}, aliases=["555@c.us"]) == []
    assert people(**lid, aliases="555@c.us") == [("abc@lid",)]
