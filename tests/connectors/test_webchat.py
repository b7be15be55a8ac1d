"""The chat on a shop's pages: settings, hours, what a shop's server may say, and what leaves."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from actors.errors import RejectedError
from actors.events import Message, Sender
from connectors.contract.connector import Binding, SignatureError, UnreadableError, WebhookRequest
from connectors.contract.outgoing import Outgoing, OutgoingFile
from connectors.webchat import Post, Visitor, Webchat, message_of
from services.webchat.tokens import KEY_MS, TOKEN_MS, issue, proven_user, visitor_of
from tests.connectors.mutations import HOSTILE, VALUES, payload

SECRET = "a secret of the shop that nobody knows"
WEDNESDAY = 1_763_510_400_000
"""2025-11-19, midnight UTC."""
HOUR = 3_600_000
ID = "019aabcd-0000-7000-8000-000000000001"


def bound(account="shop", **settings):
    url = f"https://weir.example/webhooks/webchat/{account}"
    return Webchat(Binding(account=account, url=url, settings={"secret": SECRET, **settings}))


def test_a_shops_server_speaks_for_its_users():
    first, second = bound().parse(WebhookRequest(method="POST", body=payload("webchat", "messages")))
    assert isinstance(first, Message)
    assert first.sender == Sender(id="customer-4711", name="Mia Chen", role="customer")
    assert first.conversation == second.conversation
    assert first.sent_at == 1_763_800_000_000
    assert second.text == "<b>你好</b>"
    assert first.extra == {"page": "https://shop.example/p/7", "locale": "en-SG"}


def test_an_address_that_was_left_goes_along():
    [found] = bound().parse(WebhookRequest(method="POST", body=payload("webchat", "contact")))
    assert found.extra == {"contact": {"name": "Ann", "email": "ann@example.com"}}
    assert found.sender.name == "Ann"


@pytest.mark.parametrize(
    ("offline", "hours", "away"),
    [
        ("", "", [False, False]),
        ("no", "mon-fri 09:00-18:00", [False, False]),
        ("yes", "", [True, True]),
        ("auto", "mon-fri 09:00-18:00", [True, False]),
        ("auto", "mon-fri 09:00-18:00, Asia/Shanghai", [True, True]),
        ("auto", "fri-wed 00:00-24:00", [False, False]),
        ("auto", "sat 00:00-24:00, sun 00:00-24:00", [True, True]),
    ],
)
def test_nobody_is_there_outside_the_hours(offline, hours, away):
    connector = bound(offline=offline, hours=hours)
    assert [connector.away(WEDNESDAY + hour * HOUR) for hour in (0, 12)] == away


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "too short"},
        {"origins": "shop.example"},
        {"origins": "https://shop.example/page"},
        {"origins": "https://a@shop.example"},
        {"origins": "*"},
        {"offline": "perhaps"},
        {"offline": "auto"},
        {"hours": "mon 18:00-09:00"},
        {"hours": "abc 09:00-18:00"},
        {"hours": "mon 09:00-18:00, Mars/Base"},
        {"users_only": "1"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(RejectedError):
        bound(**wrong)


def test_origins_are_written_as_browsers_write_them():
    found = bound(origins="https://Shop.Example/, http://localhost:8080 https://b.example:443").origins
    assert found == {"https://shop.example", "http://localhost:8080", "https://b.example"}


def test_an_unsigned_request_is_not_the_shops():
    body = payload("webchat", "messages")
    for headers in ({}, {"x-weir-signature": "0" * 64}, {"authorization": "Bearer x"}):
        with pytest.raises(SignatureError):
            bound().verify(WebhookRequest(method="POST", headers=headers, body=body))


@HOSTILE
@given(VALUES)
def test_whatever_is_sent_gives_messages_or_one_error(value):
    for found in (
        value,
        {"user": value, "messages": [{"id": ID, "at": 1, "text": "x"}]},
        {"user": {"id": "u"}} | {"messages": value},
    ):
        try:
            body = json.dumps(found).encode()
        except ValueError:
            continue
        try:
            parsed = bound().parse(WebhookRequest(method="POST", body=body))
        except UnreadableError:
            continue
        assert all(isinstance(one, Message) for one in parsed)


def test_a_page_that_is_no_address_is_left_out():
    visitor = Visitor(id="v", conversation="v")
    found = message_of("shop", visitor, Post(id=ID, text="x", page="javascript:alert(1)"), 1)
    assert found.extra is None


class Clock:
    def now(self):
        return 7


async def test_a_reply_is_out_under_its_own_id_however_often_it_is_sent():
    message = Outgoing(id="weir-1", conversation="v", at=1, text="hello")
    for _ in range(2):
        sent = await bound().send(message, Clock())
        assert (sent.message, sent.at) == ("weir-1", 7)


def test_limits_are_told_before_a_reply_is_taken():
    async def nothing():
        yield b""

    file = OutgoingFile(name="a", mime="image/png", size=2**30, digest="0" * 64, read=nothing)
    codes = [
        one.code
        for one in bound().objections(Outgoing(id="1", conversation="v", at=1, text="x" * 4001, files=[file]), 1)
    ]
    assert codes == ["text_too_long", "file_too_large"]


def test_a_token_is_for_one_channel_one_use_and_a_while():
    connector, visitor = bound(), Visitor(id="v-1", conversation="v-1", name="Ann")
    for use, until in (("token", TOKEN_MS), ("key", KEY_MS)):
        token = issue(connector, visitor, use, 0)
        assert visitor_of(connector, token, use, until - 1_000) == visitor
        other = "key" if use == "token" else "token"
        for wrong in (
            lambda token=token, use=use: visitor_of(bound("other"), token, use, 0),
            lambda token=token, use=use: visitor_of(bound(secret="another secret of the same shop"), token, use, 0),
            lambda token=token, other=other: visitor_of(connector, token, other, 0),
            lambda token=token, use=use, until=until: visitor_of(connector, token, use, until),
        ):
            with pytest.raises(SignatureError):
                wrong()


@HOSTILE
@given(VALUES)
def test_no_text_is_a_token(value):
    for given_ in (
        str(value),
        f"{issue(bound(), Visitor(id='v', conversation='v'), 'token', 0).split('.')[0]}.{value}.x",
    ):
        with pytest.raises(SignatureError):
            visitor_of(bound(), given_, "token", 0)


def test_a_user_is_proven_by_his_hash_alone():
    genuine = "2f3d8f1e"
    with pytest.raises(SignatureError):
        proven_user(bound(), "customer-4711", genuine, None)
    with pytest.raises(SignatureError):
        proven_user(bound(), "", "", None)
