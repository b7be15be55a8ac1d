"""What LINE sends, and what becomes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Attachment, Delete, Edit, Message, Sender
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.line import Line
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

BOT, PERSON = "U0000000000000000000000000000b07", "U1000000000000000000000000000001"
GROUP, ROOM = "C2000000000000000000000000000002", "R3000000000000000000000000000003"
CHANNEL = {"platform": "line", "account": "oa-1", "conversation": PERSON}
VECTORS = [
    ("channel_secret", b"bodybodybodybody", "/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k="),
    ("test_secret", b'{"hello":"world"}', "t7Hn4ZDHqs6e+wdvI5TyQIvzie0DmMUmuXEBqyyE/tM="),
]
"""Of the tests of line-bot-sdk-python (test_webhook) and line-bot-sdk-nodejs (validate-signature), both Apache-2.0."""


def connector(word="s3cret", **settings):
    url = "https://weir.example/webhooks/line/oa-1"
    return Line(Binding(account="oa-1", url=url, settings={"channel_secret": word, **settings}))


def posted(body, signature=None):
    return WebhookRequest(
        method="POST", headers={} if signature is None else {"x-line-signature": signature}, body=body
    )


def parsed(name, **settings):
    return connector(**settings).parse(posted(payload("line", name)))


def incoming(message, ms, **fields):
    about = {**CHANNEL, "direction": "in", "sender": Sender(id=PERSON, role="customer"), "via": "push", **fields}
    return Message(message=message, sent_at=ms, **about)


@pytest.mark.parametrize(("secret", "body", "signature"), VECTORS)
def test_the_signatures_of_lines_own_libraries_are_genuine(secret, body, signature):
    connector(secret).verify(posted(body, signature))
    with pytest.raises(SignatureError):
        connector("another").verify(posted(body, signature))
    with pytest.raises(SignatureError):
        connector(secret).verify(posted(body + b" ", signature))


@pytest.mark.parametrize("signature", [None, "", "é", VECTORS[0][2][:-1], VECTORS[0][2].lower(), VECTORS[1][2]])
def test_a_missing_or_wrong_signature_is_refused(signature):
    with pytest.raises(SignatureError):
        connector("channel_secret").verify(posted(b"bodybodybodybody", signature))


def test_a_text_is_of_its_writers_conversation_and_may_quote():
    assert parsed("text") == [
        incoming(
            "440000000000000001",
            1767225600123,
            text="こんにちは",
            reply_to="440000000000000000",
            extra={"quote": {"message": "440000000000000001", "token": "q"}},
        )
    ]


def test_a_reply_token_is_kept_where_it_is_used():
    assert "reply_token" not in parsed("text")[0].extra
    assert parsed("text", reply_tokens="yes")[0].extra["reply_token"] == "r1"


def test_a_file_is_an_attachment_by_the_messages_id():
    image = Attachment(id="440000000000000002", kind="image", content_id="440000000000000002")
    video = Attachment(id="440000000000000003", kind="video", url="https://cdn.example/v.mp4")
    album = {"album": "SET", "quote": {"message": "440000000000000002", "token": "q"}}
    invoice = Attachment(id="440000000000000004", kind="file", size=2138, content_id="440000000000000004")
    assert parsed("files") == [
        incoming("440000000000000002", 1767225601000, attachments=[image], extra=album),
        incoming("440000000000000003", 1767225602000, attachments=[video]),
        incoming("440000000000000004", 1767225603000, attachments=[invoice], extra={"filename": "invoice.pdf"}),
    ]


def test_users_groups_and_rooms_are_different_conversations():
    sticker = {"kind": "sticker", "sticker": "1988", "keywords": ["hi", "hello"]}
    place = {"name": "Depot", "address": "1 Example Street", "latitude": 35.68, "longitude": 139.69}
    assert parsed("places") == [
        incoming("440000000000000005", 1767225604000, conversation=GROUP, extra=sticker),
        incoming(
            "440000000000000006",
            1767225605000,
            conversation=ROOM,
            sender=Sender(role="customer"),
            extra={"kind": "location", **place},
        ),
    ]


def test_an_edit_in_a_group_says_when_since_edits_may_come_out_of_order():
    assert parsed("edited") == [
        Edit(
            **{**CHANNEL, "conversation": GROUP},
            message="440000000000000007",
            text="corrected",
            event="01EVENT000000000000000EDIT",
            extra={"edited_at": 1767225606000},
        )
    ]


def test_what_was_unsent_is_a_deletion_with_the_same_key_however_often_it_comes():
    expected = [Delete(**CHANNEL, message="440000000000000001", event="440000000000000001")]
    assert parsed("unsend") == expected
    again = payload("line", "unsend").replace(b'"isRedelivery":false', b'"isRedelivery":true')
    assert connector().parse(posted(again)) == expected


@pytest.mark.parametrize("name", ["silent_verify", "silent_follow"])
def test_what_tells_nothing_of_messages_gives_nothing(name):
    assert parsed(name) == []
    assert connector().parse(posted(b"{}")) == []


def test_another_accounts_webhook_is_refused():
    (refused,) = parsed("text", bot_user_id="U9")
    assert isinstance(refused, Refused)
    assert "bot_user_id 'U9'" in refused.reason
    assert isinstance(parsed("text", bot_user_id=BOT)[0], Message)


def test_one_bad_event_harms_no_other():
    body = json.loads(payload("line", "files"))
    body["events"][0]["source"] = {"type": "planet", "planetId": "P"}
    del body["events"][1]["message"]["id"]
    found = connector().parse(posted(json.dumps(body).encode()))
    assert [type(one) for one in found] == [Refused, Refused, Message]
    assert found[0].reason == "'source' is neither a user nor a group nor a room"


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]"])
def test_a_body_that_is_no_webhook_is_unreadable(body):
    with pytest.raises(UnreadableError):
        connector().parse(posted(body))


@HOSTILE
@given(mutated(payloads("line")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(bot_user_id=BOT), posted(body))
