"""What Telegram sends to a bot's webhook, and what becomes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.events import Attachment, Delete, Edit, Message, Receipt, Sender
from connectors.contract.connector import Binding, Refused, SignatureError, UnreadableError, WebhookRequest
from connectors.telegram import Telegram
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

PERSON = "500000001"
CHANNEL = {"platform": "telegram", "account": "bot-1", "conversation": PERSON}
NINA = Sender(id=PERSON, name="Nina", role="customer")


def connector(**settings):
    url = "https://weir.example/webhooks/telegram/bot-1"
    return Telegram(Binding(account="bot-1", url=url, settings={"secret_token": "Our_own-token1", **settings}))


def posted(body, **headers):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(name):
    return connector().parse(posted(payload("telegram", name)))


def incoming(message, seconds, **fields):
    about = {**CHANNEL, "direction": "in", "sender": NINA, "via": "push", **fields}
    return Message(message=message, sent_at=seconds * 1000, **about)


def test_the_token_given_with_the_webhook_proves_the_request():
    connector().verify(posted(b"{}", **{"x-telegram-bot-api-secret-token": "Our_own-token1"}))


@pytest.mark.parametrize("token", [None, "", "our_own-token1", "Our_own-token", "Öur_own-token1"])
def test_a_missing_or_wrong_token_is_refused(token):
    headers = {} if token is None else {"x-telegram-bot-api-secret-token": token}
    with pytest.raises(SignatureError):
        connector().verify(posted(b"{}", **headers))


def test_a_text_is_of_its_chat_and_answers_a_message_of_it():
    nina = Sender(id=PERSON, name="Nina K", role="customer")
    assert parsed("text") == [incoming("41", 1767225600, sender=nina, text="Hallo 👋", reply_to="40")]


def test_of_a_photos_sizes_the_largest_is_taken():
    photo = Attachment(id="large", kind="photo", size=81140, content_id="u2")
    assert parsed("photo") == [incoming("42", 1767225601, text="broken", attachments=[photo], extra={"album": "137"})]


def test_an_animation_is_one_file_though_it_is_told_twice():
    animation = Attachment(id="anim", kind="animation", mime="video/mp4", size=2048, content_id="u3")
    assert parsed("animation") == [
        incoming("43", 1767225602, attachments=[animation], extra={"filename": "cat.mp4", "forwarded": True})
    ]


def test_a_place_is_told_beside_the_message():
    place = {"latitude": 52.52, "longitude": 13.405, "name": "Depot", "address": "Example Street 1"}
    nina = Sender(id=PERSON, name="nina", role="customer")
    assert parsed("place") == [incoming("44", 1767225603, sender=nina, extra=place)]


def test_a_topic_of_a_group_answers_nothing_and_an_anonymous_writer_is_no_bot():
    group = "-1001000000001"
    assert parsed("group") == [
        incoming(
            "7",
            1767225604,
            conversation=group,
            sender=Sender(id=group, name="Buyers", role="customer"),
            text="all of it",
            extra={"chat": "Buyers", "topic": "3"},
        )
    ]


def test_an_edit_changes_the_caption_and_its_key_is_the_updates():
    assert parsed("edited") == [Edit(**CHANNEL, message="42", text="broken lid", event="880000006")]


def test_a_business_accounts_messages_have_ids_apart_from_the_bots():
    assert parsed("business") == [
        incoming("bc1:41", 1767225605, text="to the shop", extra={"business_connection": "bc1"})
    ]


def test_what_the_business_account_writes_is_our_own_answer_and_telegram_holds_it():
    assert parsed("business_own") == [
        Message(
            **CHANNEL,
            message="bc1:42",
            sent_at=1767225606000,
            direction="out",
            sender=Sender(id="600000001", name="Shop", role="agent"),
            text="from the shop",
            reply_to="bc1:41",
            via="push",
            extra={"business_connection": "bc1"},
        ),
        Receipt(**CHANNEL, message="bc1:42", status="accepted", event=f"{PERSON}/bc1:42/accepted"),
    ]


def test_what_the_business_account_sends_by_itself_is_no_agents_answer():
    away, receipt = parsed("business_away")
    assert (away.direction, away.sender.role) == ("out", "bot")
    assert (receipt.message, receipt.status) == (away.message, "accepted")


def test_what_a_bot_sends_for_the_business_account_is_the_bots():
    body = json.loads(payload("telegram", "business_own"))
    body["business_message"]["sender_business_bot"] = {"id": 7, "is_bot": True, "first_name": "Helper"}
    message, _ = connector().parse(posted(json.dumps(body).encode()))
    assert (message.direction, message.sender.role) == ("out", "bot")


def test_edits_and_deletions_in_a_business_account_name_the_same_ids():
    assert parsed("business_edited") == [
        Edit(**CHANNEL, message="bc1:41", text="to the shop, please", event="880000010")
    ]
    assert parsed("business_deleted") == [
        Delete(**CHANNEL, message="bc1:41", event="880000011:bc1:41"),
        Delete(**CHANNEL, message="bc1:43", event="880000011:bc1:43"),
    ]


@pytest.mark.parametrize("name", ["silent_service", "silent_reaction", "silent_moving"])
def test_what_tells_nothing_of_messages_gives_nothing(name):
    assert parsed(name) == []


THUMB, HEART = {"type": "emoji", "emoji": "👍"}, {"type": "emoji", "emoji": "❤"}


def reaction(old, new, **fields):
    """What a bot that shows reactions makes of one."""
    body = json.loads(payload("telegram", "silent_reaction"))
    body["message_reaction"] |= {"old_reaction": old, "new_reaction": new, **fields}
    return connector(reactions="yes").parse(posted(json.dumps(body).encode()))


def test_a_reaction_is_a_line_that_waits_for_no_answer_where_the_channel_wants_them():
    nina = Sender(id=PERSON, name="Nina", role="system")
    told = incoming("reaction:880000013", 1767225609, sender=nina, text="👍", extra={"kind": "reaction", "of": "41"})
    person = {"id": int(PERSON), "is_bot": False, "first_name": "Nina"}
    assert reaction([], [THUMB], user=person) == [told]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ([THUMB], [THUMB, HEART], "❤"),
        ([THUMB], [HEART], "❤"),
        ([], [THUMB, {"type": "paid"}], "👍 \N{WHITE MEDIUM STAR}"),
        ([], [{"type": "custom_emoji", "custom_emoji_id": "5"}], None),
    ],
)
def test_of_reactions_what_is_new_is_shown(old, new, text):
    (message,) = reaction(old, new)
    assert message.text == text


def test_a_reaction_that_is_taken_back_tells_nothing():
    assert reaction([THUMB], []) == []
    assert reaction([THUMB, HEART], [HEART]) == []


def test_a_reaction_that_cannot_be_read_is_refused_with_the_reason():
    (refused,) = reaction([], [THUMB], message_id=None)
    assert refused.reason == "'message_id' is missing or no id"


def test_an_empty_update_gives_nothing():
    assert connector().parse(posted(b"{}")) == []
    assert connector().parse(posted(b'{"update_id":1}')) == []


def test_an_update_that_cannot_be_read_is_refused_with_the_reason():
    (refused,) = connector().parse(posted(b'{"update_id":1,"message":{"chat":{"id":1},"message_id":2}}'))
    assert refused == Refused(
        b'{"update_id": 1, "message": {"chat": {"id": 1}, "message_id": 2}}', "'date' is missing or no time"
    )


def test_of_deletions_a_bad_one_harms_no_other():
    body = json.loads(payload("telegram", "business_deleted"))
    body["deleted_business_messages"]["message_ids"] = [None, 43]
    found = connector().parse(posted(json.dumps(body).encode()))
    assert [type(one) for one in found] == [Refused, Delete]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]"])
def test_a_body_that_is_no_update_is_unreadable(body):
    with pytest.raises(UnreadableError):
        connector().parse(posted(body))


@HOSTILE
@given(mutated(payloads("telegram")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(reactions="yes"), posted(body))
