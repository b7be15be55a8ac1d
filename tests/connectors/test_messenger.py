"""What Messenger sends, and what becomes of it; the challenge and the signature that all of Meta's products share."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given

from actors.events import Attachment, Edit, Message, Receipt, Sender
from connectors.contract.connector import Answer, Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.meta.webhooks import escaped
from connectors.messenger import Messenger
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


def asked(**query):
    return WebhookRequest(method="GET", query={f"hub.{name}": value for name, value in query.items()})


def signed(body):
    return posted(body, x_hub_signature_256="sha256=" + hmac.digest(b"s3cret", body, hashlib.sha256).hex())


def test_a_challenge_with_our_token_is_answered():
    question = asked(mode="subscribe", verify_token="our word", challenge="1158201444")
    assert connector().handshake(question) == Answer(body=b"1158201444", media_type="text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "subscribe", "verify_token": "another word", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "öur word", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "", "challenge": "1"},
        {"mode": "subscribe", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": "our word", "challenge": "1"},
        {"challenge": "1"},
    ],
)
def test_a_challenge_with_a_wrong_token_is_refused(query):
    with pytest.raises(SignatureError):
        connector().handshake(asked(**query))


def test_what_is_no_challenge_is_no_handshake():
    assert connector().handshake(WebhookRequest(method="GET")) is None
    assert connector().handshake(posted(b"{}")) is None


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


def test_a_signature_over_other_bytes_or_by_another_secret_is_refused():
    request = signed(b'{"object":"page"}')
    connector().verify(request)
    with pytest.raises(SignatureError):
        connector().verify(posted(b'{"object": "page"}', **request.headers))
    with pytest.raises(SignatureError):
        connector("another").verify(request)


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


def test_a_watermark_names_no_message_and_gives_no_receipt():
    assert parsed("watermarks") == []


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


def test_what_tells_nothing_of_messages_gives_nothing():
    assert parsed("silent") == []
    for empty in (b"{}", b'{"object":"page"}', b'{"object":"page","entry":[]}', b'{"object":"page","entry":[{}]}'):
        assert connector().parse(posted(empty)) == []


def test_a_time_that_cannot_be_read_is_the_entrys():
    body = json.loads(payload("messenger", "text"))
    body["entry"][0]["messaging"][0]["timestamp"] = "2026-01-01T00:00:00Z"
    (message,) = connector().parse(posted(json.dumps(body).encode()))
    assert message.sent_at == 1767225600500


def test_another_pages_entry_is_refused_with_the_reason():
    (refused,) = parsed("text", page_id="999")
    assert isinstance(refused, Refused)
    assert "another account than this channel's page_id '999'" in refused.reason
    assert json.loads(refused.raw)["id"] == PAGE
    assert isinstance(parsed("text", page_id=PAGE)[0], Message)


def test_one_bad_item_harms_no_other():
    body = json.loads(payload("messenger", "text"))
    body["entry"][0]["messaging"][:0] = ["nonsense", {"sender": {"id": PERSON}, "message": {"text": "no id"}}]
    body["entry"].insert(0, {"id": PAGE, "messaging": "nonsense"})
    found = connector().parse(posted(json.dumps(body).encode()))
    assert [type(one) for one in found] == [Refused, Refused, Refused, Message]
    assert found[2].reason == "'mid' is missing or no id"


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b'{"object":"instagram"}', b'{"object":"page","entry":1}'])
def test_a_body_that_is_not_messengers_is_unreadable(body):
    with pytest.raises(UnreadableError):
        connector().parse(posted(body))


@HOSTILE
@given(mutated(payloads("messenger")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(page_id=PAGE), posted(body))
