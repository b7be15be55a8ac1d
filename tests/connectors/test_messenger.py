"""What Messenger sends, and what becomes of it; how Meta signs. What Instagram does alike is in `meta_contract`."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given

from actors.events import Attachment, Edit, Message, Receipt, Sender
from connectors.contract.connector import Binding, SignatureError, UpTo, WebhookRequest
from connectors.messenger import Messenger
from connectors.meta.webhooks import escaped
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

PAGE, PERSON = "104000000000001", "7100000000000001"
CHANNEL = {"platform": "messenger", "account": "page-1", "conversation": PERSON}
CUSTOMER = Sender(id=PERSON, role="customer")


def connector(word="s3cret", **settings):
    about = {"app_secret": word, "verify_token": "our word", **settings}
    return Messenger(Binding(account="page-1", url="https://weir.example/webhooks/messenger/page-1", settings=about))


def posted(body, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(method="POST", headers=named, body=body)


def parsed(name, **settings):
    return connector(**settings).parse(posted(payload("messenger", name)))


def signed(body):
    return posted(body, x_hub_signature_256="sha256=" + hmac.digest(b"s3cret", body, hashlib.sha256).hex())


def test_the_documented_signature_of_a_short_text_is_genuine():
    genuine = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    connector("It's a Secret to Everybody").verify(posted(b"Hello, World!", x_hub_signature_256=genuine))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_hub_signature_256": ""},
        {"x_hub_signature_256": "sha256=é"},
        {"x_hub_signature_256": "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
        {"x_hub_signature_256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18"},
        {"x_hub_signature": "sha1=6dcd4ce23d88e2ee9568ba546c007c63d9131c1b"},
    ],
)
def test_a_missing_or_wrong_signature_is_refused(headers):
    with pytest.raises(SignatureError):
        connector("It's a Secret to Everybody").verify(posted(b"Hello, World!", **headers))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("é", rb"\u00e9"),
        ("a👋b", rb"a\ud83d\udc4bb"),
        ('"\\ é\x7f\n', rb'"\ \u00e9' + b"\x7f\n"),
    ],
)
def test_escaping_touches_nothing_but_what_is_beyond_ascii(body, expected):
    assert escaped(body.encode()) == expected


def test_a_body_that_is_no_utf8_is_verified_as_it_is():
    connector().verify(signed(b"\xff\xfe"))
    with pytest.raises(SignatureError):
        connector().verify(posted(b"\xff\xfe", x_hub_signature_256="sha256=0"))


def test_a_message_says_who_wrote_what_when_and_in_answer_to_what():
    assert parsed("text") == [
        Message(
            **CHANNEL,
            message="m_first",
            sent_at=1767225600123,
            direction="in",
            sender=CUSTOMER,
            text="Dónde está mi pedido?",
            reply_to="m_before",
            via="push",
            extra={"payload": "WHERE"},
        )
    ]


def test_files_are_attachments_and_links_are_not():
    assert parsed("attachments") == [
        Message(
            **CHANNEL,
            message="m_files",
            sent_at=1767225601000,
            direction="in",
            sender=CUSTOMER,
            attachments=[
                Attachment(id="m_files:0", kind="image", url="https://cdn.example/a.jpg"),
                Attachment(id="m_files:2", kind="file", url="https://cdn.example/b.pdf"),
            ],
            via="push",
            extra={
                "product": "SKU-7",
                "ad": "6045000000000",
                "shared": [{"kind": "fallback", "title": "A shoe", "url": "https://shop.example/shoe"}],
            },
        )
    ]


def test_an_echo_is_our_own_answer_in_the_persons_conversation_and_meta_holds_it():
    assert parsed("echo") == [
        Message(
            **CHANNEL,
            message="m_answer",
            sent_at=1767225699000,
            direction="out",
            sender=Sender(id=PAGE, role="agent"),
            text="It is on its way.",
            via="push",
            extra={"app": "1500000000000001"},
        ),
        Receipt(**CHANNEL, message="m_answer", status="accepted", event=f"{PERSON}/m_answer/accepted"),
    ]


def test_every_delivered_message_named_has_its_receipt():
    assert parsed("delivery") == [
        Receipt(**CHANNEL, message="m_answer", status="delivered", event="m_answer:delivered"),
        Receipt(**CHANNEL, message="m_answer2", status="delivered", event="m_answer2:delivered"),
    ]


def test_a_watermark_stands_for_all_messages_before_it():
    person = CHANNEL["conversation"]
    assert parsed("watermarks") == [
        UpTo(conversation=person, status="delivered", at=1767225700700),
        UpTo(conversation=person, status="read", at=1767225700700),
    ]


@pytest.mark.parametrize("watermark", ["null", '"soon"', "-1", "{}"])
def test_a_watermark_that_is_no_time_tells_nothing(watermark):
    body = payload("messenger", "watermarks").replace(b"1767225700700", watermark.encode())
    assert list(connector().parse(posted(body))) == []


def test_an_edit_has_the_new_text_and_its_number_in_the_key():
    assert parsed("edit") == [Edit(**CHANNEL, message="m_first", text="Where is my order 42?", event="m_first:1")]


def test_a_pressed_button_is_a_message_and_times_in_seconds_are_understood():
    assert parsed("postback") == [
        Message(
            **CHANNEL,
            message="m_button",
            sent_at=1767225799000,
            direction="in",
            sender=CUSTOMER,
            text="Talk to a person",
            via="push",
            extra={"kind": "postback", "payload": "HUMAN"},
        )
    ]


def test_a_time_that_cannot_be_read_is_the_entrys():
    body = json.loads(payload("messenger", "text"))
    body["entry"][0]["messaging"][0]["timestamp"] = "2026-01-01T00:00:00Z"
    (message,) = connector().parse(posted(json.dumps(body).encode()))
    assert message.sent_at == 1767225600500


@HOSTILE
@given(mutated(payloads("messenger")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(page_id=PAGE), posted(body))
