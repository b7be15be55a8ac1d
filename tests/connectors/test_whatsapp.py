"""What WhatsApp's Cloud API sends, and what becomes of it. The challenge is Messenger's: tested there."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given

from actors.events import Attachment, Delete, Edit, Failure, Message, Receipt, Sender
from connectors.contract.connector import (
    Answer,
    Binding,
    OnePerson,
    Refused,
    SignatureError,
    UnreadableError,
    WebhookRequest,
)
from connectors.whatsapp import WhatsApp
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

NUMBER, PERSON = "200000000000001", "5511900000001"
CHANNEL = {"platform": "whatsapp", "account": "wa-1", "conversation": PERSON}
ANA = Sender(id=PERSON, name="Ana Lima", role="customer")
LINE_WITH_UNICODE = (
    "Let's pretend this body is equal to the message object "
    "and can handle unicode characters like みどりいろ and J'ai mangé des pâtes"
)


def connector(word="s3cret", **settings):
    about = {"app_secret": word, "verify_token": "our word", **settings}
    return WhatsApp(Binding(account="wa-1", url="https://weir.example/webhooks/whatsapp/wa-1", settings=about))


def posted(body, signature=None):
    return WebhookRequest(
        method="POST", headers={} if signature is None else {"x-hub-signature-256": signature}, body=body
    )


def parsed(name, **settings):
    return told(connector(**settings).parse(posted(payload("whatsapp", name))))


def told(found):
    """What happened, without word of who is one person."""
    return [one for one in found if not isinstance(one, OnePerson)]


def people(name):
    found = connector().parse(posted(payload("whatsapp", name)))
    return [one.names for one in found if isinstance(one, OnePerson)]


def incoming(message, seconds, **fields):
    about = {**CHANNEL, "direction": "in", "sender": ANA, "via": "push", **fields}
    return Message(message=message, sent_at=seconds * 1000, **about)


def test_the_challenge_is_answered_to_our_token_only():
    query = {"hub.mode": "subscribe", "hub.verify_token": "our word", "hub.challenge": "42"}
    assert connector().handshake(WebhookRequest(method="GET", query=query)) == Answer(body=b"42")
    with pytest.raises(SignatureError):
        connector().handshake(WebhookRequest(method="GET", query={**query, "hub.verify_token": "x"}))


def test_the_signature_of_a_real_request_is_genuine():
    """The vector of pywa's tests (tests/test_server.py, MIT)."""
    genuine = "sha256=54edfa1d7259e0eb13c677cc7d73d1b5c86cfa12433d19156e058ab9251bc441"
    body = payload("whatsapp", "signed")
    connector("1222e786b144d0e85b9f365372d93676").verify(posted(body, genuine))
    with pytest.raises(SignatureError):
        connector("1222e786b144d0e85b9f365372d93676").verify(posted(body + b"\n", genuine))
    with pytest.raises(SignatureError):
        connector("another").verify(posted(body, genuine))


def test_a_body_whose_escapes_were_decoded_on_the_way_is_still_genuine():
    """The vector of whatsapp-api-js's tests (test/index.test.js, MIT): it signs the escaped form."""
    genuine = "sha256=0363007aabdf1ab579f35936651a460fb5fa1aaf40df98b1264446b72cc96688"
    connector("YOUR_APP_SECRET").verify(posted(LINE_WITH_UNICODE.encode(), genuine))
    as_sent = json.dumps(LINE_WITH_UNICODE)[1:-1].encode()
    connector("YOUR_APP_SECRET").verify(posted(as_sent, genuine))
    with pytest.raises(SignatureError):
        connector("YOUR_APP_SECRET").verify(posted(LINE_WITH_UNICODE.replace("é", "e").encode(), genuine))


def test_a_body_signed_as_it_came_is_genuine_whatever_it_holds():
    unescaped = hmac.digest(b"YOUR_APP_SECRET", LINE_WITH_UNICODE.encode(), hashlib.sha256).hex()
    assert unescaped.startswith("5ab50fef")
    connector("YOUR_APP_SECRET").verify(posted(LINE_WITH_UNICODE.encode(), f"sha256={unescaped}"))


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=é", "é" * 71, "sha256=" + "0" * 64])
def test_a_missing_or_wrong_signature_is_refused(signature):
    with pytest.raises(SignatureError):
        connector().verify(posted(payload("whatsapp", "text"), signature))


def test_a_text_has_its_writers_name_and_both_ids():
    assert parsed("text") == [
        incoming(
            "wamid.T1",
            1767225600,
            text="Olá, cadê meu pedido?",
            reply_to="wamid.P",
            extra={"user_id": "BR.1001"},
        )
    ]


def test_media_are_attachments_by_their_own_ids():
    image = Attachment(id="900001", kind="image", mime="image/jpeg", url="https://cdn.example/i")
    invoice = Attachment(id="900002", kind="document", mime="application/pdf")
    assert parsed("media") == [
        incoming("wamid.M1", 1767225601, text="broken", attachments=[image]),
        incoming("wamid.M2", 1767225602, attachments=[invoice], extra={"filename": "invoice.pdf", "forwarded": True}),
    ]


def test_who_hides_the_number_is_known_by_the_business_scoped_id():
    sam = Sender(id="US.2002", name="Sam", role="customer")
    assert parsed("hidden_number") == [
        incoming(
            "wamid.H1",
            1767225603,
            conversation="US.2002",
            sender=sam,
            text="hi",
            extra={"user_id": "US.2002"},
        )
    ]


def test_what_was_chosen_is_said():
    assert parsed("choices") == [
        incoming("wamid.C1", 1767225604, text="Yes", reply_to="wamid.Q", extra={"kind": "interactive"}),
        incoming("wamid.C2", 1767225605, text="Stop", extra={"kind": "button"}),
    ]


def test_no_kind_of_message_is_invisible():
    place = {"name": "Depot", "address": "1 Example Street", "latitude": -23.5505, "longitude": -46.6333}
    assert parsed("special") == [
        incoming("wamid.S1", 1767225606, extra={"kind": "location", **place}),
        incoming("wamid.S2", 1767225607, extra={"kind": "contacts", "contacts": ["Bia"]}),
        incoming("wamid.S3", 1767225608, text="as discussed", extra={"kind": "order", "products": ["SKU-1"]}),
        incoming("wamid.S4", 1767225609, extra={"kind": "unsupported", "reason": "Message type unknown"}),
    ]


def test_a_new_number_is_told_in_the_old_conversation_by_the_system():
    number, user_id = parsed("number_changed")
    assert (number.conversation, number.text) == (PERSON, "Ana changed her number")
    assert number.sender == Sender(id=PERSON, role="system")
    assert (user_id.conversation, user_id.sender) == ("BR.1001", Sender(role="system"))


def test_a_group_is_one_conversation_whoever_writes_or_reads():
    group = {**CHANNEL, "conversation": "G-1"}
    assert parsed("group") == [
        incoming("wamid.G1", 1767225612, conversation="G-1", text="all"),
        Receipt(**group, message="wamid.G2", status="read", event=f"wamid.G2:read:{PERSON}"),
    ]


def test_edits_change_text_or_caption():
    assert parsed("edit") == [
        Edit(**CHANNEL, message="wamid.T1", text="Where is order 42?", event="wamid.E1"),
        Edit(**CHANNEL, message="wamid.M1", text="broken lid", event="wamid.E2"),
    ]


def test_a_revocation_is_a_deletion():
    assert parsed("revoke") == [Delete(**CHANNEL, message="wamid.T1", event="wamid.R1")]


def test_what_was_sent_from_the_phone_is_our_own_answer_and_whatsapp_holds_it():
    assert parsed("echo") == [
        Message(
            **CHANNEL,
            message="wamid.A1",
            sent_at=1767225617000,
            direction="out",
            sender=Sender(id="15550000001", role="agent"),
            text="It left today.",
            via="push",
            extra={"user_id": "BR.1001"},
        ),
        Receipt(**CHANNEL, message="wamid.A1", status="accepted", event=f"{PERSON}/wamid.A1/accepted"),
    ]


def test_statuses_are_receipts():
    hidden = {**CHANNEL, "conversation": "US.2002"}
    assert parsed("statuses") == [
        Receipt(**CHANNEL, message="wamid.Y", status="accepted", event="wamid.Y:sent"),
        Receipt(**CHANNEL, message="wamid.Y", status="delivered", event="wamid.Y:delivered"),
        Receipt(**CHANNEL, message="wamid.Y", status="read", event="wamid.Y:read"),
        Receipt(**hidden, message="wamid.V", status="read", event="wamid.V:played"),
    ]


def test_a_failure_says_why():
    why = Failure(code="131047", reason="More than 24 hours have passed")
    assert parsed("failed") == [
        Receipt(**CHANNEL, message="wamid.Z", status="failed", error=why, event="wamid.Z:failed")
    ]


@pytest.mark.parametrize("name", ["silent", "template_status"])
def test_what_tells_nothing_of_messages_gives_nothing(name):
    assert parsed(name) == []
    assert connector().parse(posted(b"{}")) == []


def test_another_numbers_messages_are_refused_and_harm_no_other():
    (refused,) = parsed("text", phone_number_id="999")
    assert isinstance(refused, Refused)
    assert "phone_number_id '999'" in refused.reason
    assert isinstance(parsed("text", phone_number_id=NUMBER)[0], Message)


def test_one_bad_message_harms_no_other():
    body = json.loads(payload("whatsapp", "media"))
    value = body["entry"][0]["changes"][0]["value"]
    del value["messages"][0]["id"]
    value["statuses"] = [7]
    found = told(connector().parse(posted(json.dumps(body).encode())))
    assert [type(one) for one in found] == [Refused, Message, Refused]


def test_a_pages_webhook_is_not_whatsapps():
    with pytest.raises(UnreadableError, match="another product"):
        connector().parse(posted(payload("messenger", "text")))


@HOSTILE
@given(mutated(payloads("whatsapp")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(phone_number_id=NUMBER), posted(body))


def test_a_person_is_told_of_by_every_name_that_stands_there_the_number_first():
    assert people("text") == [(PERSON, "BR.1001")]
    assert people("hidden_number") == [("US.2002",)]
    for name in ("statuses", "silent", "edit"):
        assert all(people(name)), name
