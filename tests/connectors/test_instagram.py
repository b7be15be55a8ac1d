"""What Instagram sends, and what becomes of it. What Messenger does alike is in `meta_contract`."""

from __future__ import annotations

from hypothesis import given

from actors.events import Attachment, Delete, Edit, Message, Receipt, Sender
from connectors.contract.connector import Binding, WebhookRequest
from connectors.instagram import Instagram
from tests.connectors.mutations import HOSTILE, mutated, parsed_or_unreadable, payload, payloads

OURS, PERSON = "17840000000000001", "8200000000000001"
CHANNEL = {"platform": "instagram", "account": "ig-1", "conversation": PERSON}
CUSTOMER = Sender(id=PERSON, role="customer")


def connector(**settings):
    about = {"app_secret": "s3cret", "verify_token": "our word", **settings}
    return Instagram(Binding(account="ig-1", url="https://weir.example/webhooks/instagram/ig-1", settings=about))


def posted(body, **headers):
    return WebhookRequest(method="POST", headers=headers, body=body)


def parsed(name, **settings):
    return connector(**settings).parse(posted(payload("instagram", name)))


def test_an_answer_to_a_story_says_which():
    assert parsed("text") == [
        Message(
            **CHANNEL,
            message="aWdfmid1",
            sent_at=1767225600123,
            direction="in",
            sender=CUSTOMER,
            text="Is it in stock? 🙂",
            via="push",
            extra={"story": "https://cdn.example/story"},
        )
    ]


def test_a_mention_in_a_story_is_a_file_and_a_heart_is_none():
    assert parsed("story_mention") == [
        Message(
            **CHANNEL,
            message="aWdfmid2",
            sent_at=1767225600200,
            direction="in",
            sender=CUSTOMER,
            attachments=[Attachment(id="aWdfmid2:0", kind="story_mention", url="https://cdn.example/mention")],
            via="push",
            extra={"shared": [{"kind": "like_heart"}]},
        )
    ]


def test_an_echo_is_our_own_answer_and_meta_holds_it():
    assert parsed("echo") == [
        Message(
            **CHANNEL,
            message="aWdfmid3",
            sent_at=1767225700000,
            direction="out",
            sender=Sender(id=OURS, role="agent"),
            text="Yes, it is.",
            via="push",
        ),
        Receipt(**CHANNEL, message="aWdfmid3", status="accepted", event=f"{PERSON}/aWdfmid3/accepted"),
    ]


def test_what_was_read_is_named():
    assert parsed("read") == [Receipt(**CHANNEL, message="aWdfmid3", status="read", event="aWdfmid3:read")]


def test_what_was_unsent_is_a_deletion():
    assert parsed("unsent") == [Delete(**CHANNEL, message="aWdfmid1", event="aWdfmid1")]


def test_an_edit_has_the_new_text():
    assert parsed("edit") == [Edit(**CHANNEL, message="aWdfmid1", text="Is the red one in stock?", event="aWdfmid1:2")]


def test_a_message_that_meta_cannot_show_is_still_a_message():
    (message,) = parsed("unsupported")
    assert isinstance(message, Message)
    assert (message.text, message.extra) == (None, {"unsupported": True})


@HOSTILE
@given(mutated(payloads("instagram")))
def test_whatever_is_sent_gives_events_the_gateway_takes_or_is_unreadable(body):
    parsed_or_unreadable(connector(account_id=OURS), posted(body))
