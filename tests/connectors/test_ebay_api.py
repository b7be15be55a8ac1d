"""eBay's Message API: answers sent, conversations read, tokens granted."""

from __future__ import annotations

import base64
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given

from actors.errors import RejectedError
from actors.events import Attachment, Message, Receipt, Sender
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import (
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from connectors.contract.connector import Binding
from connectors.contract.history import Pointer, Probe, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile, Sent
from connectors.ebay import Ebay
from connectors.ebay.connector import MOST_PAGES, SCOPE
from tests.connectors.mutations import HOSTILE, mutated, payload
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

API = "https://api.ebay.com/commerce/message/v1"
TOKEN_URL = "https://api.ebay.com/identity/v1/oauth2/token"
SETTINGS = {
    "verification_token": "v" * 32,
    "client_id": "app",
    "client_secret": "cert-word",
    "username": "seller1",
    "redirect_name": "Shop-App-PRD-1",
    "access_token": "user-token",
    "refresh_token": "refresh-word",
}
MEMBERS = ("conversation_type", "FROM_MEMBERS")
PAGE = [MEMBERS, ("limit", "50"), ("offset", "0")]
THREAD = {"platform": "ebay", "account": "uk", "conversation": "123"}
CONVERSATION = asks("GET", f"{API}/conversation/123", query=PAGE, headers={"authorization": "Bearer user-token"})
SENT = asks(
    "POST",
    f"{API}/send_message",
    query=[],
    headers={"authorization": "Bearer user-token", "content-type": "application/json"},
    json={"conversationId": "123", "messageText": "Thank you"},
)
REPLY = Outgoing(id="w1", conversation="123", at=NOW, text="Thank you")
BUYERS = [
    Message(
        **THREAD,
        message="456",
        sent_at=1_773_953_039_000,
        direction="in",
        sender=Sender(id="buyer1", role="customer"),
        text="Where is it? 你好",
        attachments=[
            Attachment(id="456:0", kind="image", url="https://files.example/a.jpg"),
            Attachment(id="456:1", kind="file", url="https://files.example/b.pdf"),
        ],
        via="push",
        extra={"subject": "Blue kettle"},
    )
]
OURS = [
    Message(
        **THREAD,
        message="457",
        sent_at=1_773_953_400_000,
        direction="out",
        sender=Sender(id="Seller1", role="agent"),
        text="It is on its way.",
        via="push",
        extra={"subject": "Blue kettle"},
    ),
    Receipt(**THREAD, message="457", status="accepted", event="123/457/accepted"),
    Receipt(**THREAD, message="457", status="read", event="123/457/read"),
]


def ebay(**settings):
    return Ebay(Binding(account="uk", url="https://inbox.example/webhooks/ebay/uk", settings=SETTINGS | settings))


async def content():
    yield b"%PDF"


def file(url):
    return OutgoingFile(name="b.pdf", mime="application/pdf", size=4, digest="0" * 64, read=content, url=url)


async def test_an_answer_goes_into_its_conversation():
    api = ScriptedApi((SENT, answer("ebay_api", "sent")))
    assert await ebay().send(REPLY, api) == Sent(message="458", at=1_773_953_460_000)
    api.finished()


async def test_the_seller_gets_a_copy_where_the_channel_wants_that():
    expected = {"conversationId": "123", "messageText": "Thank you", "emailCopyToSender": True}
    api = ScriptedApi((asks("POST", f"{API}/send_message", json=expected), answer("ebay_api", "sent")))
    await ebay(copy_to_sender="yes").send(REPLY, api)
    api.finished()
    with pytest.raises(RejectedError, match="copy_to_sender"):
        ebay(copy_to_sender="always")


async def test_files_go_as_addresses():
    told = {"mediaName": "b.pdf", "mediaType": "PDF", "mediaUrl": "https://weir.example/f/1"}
    expected = {"conversationId": "123", "messageText": "Thank you", "messageMedia": [told]}
    api = ScriptedApi((asks("POST", f"{API}/send_message", json=expected), answer("ebay_api", "sent")))
    message = Outgoing(id="w1", conversation="123", at=NOW, text="Thank you", files=[file("https://weir.example/f/1")])
    assert ebay().objections(message, NOW) == []
    await ebay().send(message, api)
    api.finished()


@pytest.mark.parametrize("url", [None, "http://weir.example/f/1"])
async def test_a_file_without_a_public_address_is_refused_before_anything_is_sent(url):
    message = Outgoing(id="w1", conversation="123", at=NOW, text="Thank you", files=[file(url)])
    assert [one.code for one in ebay().objections(message, NOW)] == ["file_without_address"]
    with pytest.raises(RefusedError, match="public https address"):
        await ebay().send(message, ScriptedApi())


async def test_a_channel_that_only_receives_names_what_sending_needs():
    with pytest.raises(RefusedError, match="`access_token`"):
        await ebay(access_token="").send(REPLY, ScriptedApi())


async def test_another_address_of_the_api_is_asked():
    api = ScriptedApi(
        (asks("POST", "http://127.0.0.1:8090/commerce/message/v1/send_message"), answer("ebay_api", "sent"))
    )
    await ebay(api_url="http://127.0.0.1:8090/").send(REPLY, api)
    api.finished()


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer("ebay_api", "error_token", 401), DeniedError),
        (answer("ebay_api", "error_permission", 403), DeniedError),
        (answer("ebay_api", "error_refused", 400), RefusedError),
        (answer("ebay_api", "error_refused", 404), RefusedError),
        (answer_of({}, 429, retry_after="7"), BusyError),
        (answer_of(b"<html>", 502), UncertainError),
        (answer_of({"messageId": None}), UncertainError),
        (answer_of({"messageId": "1", "createdDate": "soon"}), UncertainError),
        (answer_of(b"<html>"), UncertainError),
        (UnreachableError("no route"), UnreachableError),
        (UncertainError("no answer"), UncertainError),
    ],
)
async def test_what_became_of_an_answer_is_told_apart(told, error):
    with pytest.raises(error) as failed:
        await ebay().send(REPLY, ScriptedApi((SENT, told)))
    assert type(failed.value) is error


async def test_no_error_shows_a_secret():
    told = answer_of({"errors": [{"errorId": 1, "message": "bad user-token, cert-word, refresh-word"}]}, 400)
    with pytest.raises(RefusedError) as failed:
        await ebay().send(REPLY, ScriptedApi((SENT, told)))
    assert not any(word in str(failed.value) for word in ("user-token", "cert-word", "refresh-word"))
    assert "user-token" not in repr(ebay().binding)


async def test_a_pointer_brings_its_message_alone():
    about = {"conversation": "123", "kind": "FROM_MEMBERS", "message": "456"}
    api = ScriptedApi((CONVERSATION, answer("ebay_api", "conversation")))
    assert await ebay().resolve(Pointer(id="123/456", about=about), api) == BUYERS
    api.finished()


async def test_a_pointer_without_a_message_brings_what_is_new():
    about = {"conversation": "123", "kind": "FROM_MEMBERS", "at": "1773953400000"}
    api = ScriptedApi((CONVERSATION, answer("ebay_api", "conversation")))
    found = await ebay().resolve(Pointer(id="n", about=about), api)
    assert [one.message for one in found if isinstance(one, Message)] == ["457"]


async def test_a_message_that_is_not_there_yet_is_asked_for_again():
    about = {"conversation": "123", "kind": "FROM_MEMBERS", "message": "9"}
    with pytest.raises(UncertainError, match="yet"):
        await ebay().resolve(
            Pointer(id="123/9", about=about), ScriptedApi((CONVERSATION, answer("ebay_api", "conversation")))
        )


async def pages(connector, window, api):
    return [one async for page in connector.history(window, api) for one in page]


async def test_history_reads_the_conversations_that_were_touched():
    listing = asks("GET", f"{API}/conversation", query=PAGE)
    api = ScriptedApi(
        (listing, answer("ebay_api", "conversations")), (CONVERSATION, answer("ebay_api", "conversation"))
    )
    found = await pages(ebay(), Window(since=1_773_953_000_000, until=NOW), api)
    assert found == [*OURS, *BUYERS]
    api.finished()


async def test_history_of_one_conversation_asks_for_nothing_else():
    api = ScriptedApi((CONVERSATION, answer("ebay_api", "conversation")))
    found = await pages(ebay(), Window(since=0, until=NOW, conversation="123"), api)
    assert [one.message for one in found if isinstance(one, Message)] == ["457", "456", "455"]


async def test_a_listing_without_an_end_ends():
    full = answer_of({"conversations": [{"conversationId": ""}] * 50, "total": 10**9})
    api = EndlessApi(full)
    assert await pages(ebay(), Window(since=0, until=NOW), api) == []
    assert len(api.requests) == MOST_PAGES
    assert api.requests[1].query[-1] == ("offset", "50")


async def test_the_probe_needs_the_token():
    asked = asks("GET", f"{API}/conversation", query=[MEMBERS, ("limit", "1")])
    assert await ebay().probe(ScriptedApi((asked, answer("ebay_api", "conversations")))) == Probe()
    with pytest.raises(DeniedError):
        await ebay().probe(ScriptedApi((asked, answer("ebay_api", "error_token", 401))))


def test_consent_is_asked_for_by_the_redirects_name():
    assert ebay().authorise_url(Ask(at=0, state="s 1", redirect="https://weir.example/oauth")) == (
        "https://auth.ebay.com/oauth2/authorize?client_id=app&redirect_uri=Shop-App-PRD-1&response_type=code"
        "&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope%2Fcommerce.message&state=s%201"
    )
    with pytest.raises(RefusedError, match="`redirect_name`"):
        ebay(redirect_name="").authorise_url(Ask(at=0, state="s", redirect=""))


BASIC = {"authorization": "Basic " + base64.b64encode(b"app:cert-word").decode()}


async def test_a_code_is_exchanged_for_tokens():
    asked = asks(
        "POST",
        TOKEN_URL,
        headers=BASIC,
        body=b"grant_type=authorization_code&code=v%5E1%23i&redirect_uri=Shop-App-PRD-1",
    )
    reply = Reply(query={"code": "v^1#i", "state": "s"}, redirect="https://weir.example/oauth")
    assert await ebay().exchange(reply, ScriptedApi((asked, answer("ebay_api", "granted")))) == Grant(
        settings={"access_token": "v^1.1#new", "refresh_token": "v^1.1#keep"},
        expires_at=NOW + 7_200_000,
        refresh_by=NOW + 47_304_000_000,
    )


async def test_no_consent_grants_nothing():
    with pytest.raises(RefusedError, match="consent"):
        await ebay().exchange(Reply(query={"error": "access_denied"}, redirect=""), ScriptedApi())


async def test_an_access_token_is_renewed():
    asked = asks(
        "POST",
        TOKEN_URL,
        headers=BASIC,
        body=f"grant_type=refresh_token&refresh_token=refresh-word&scope={quote(SCOPE, safe='')}".encode(),
    )
    told = answer_of({"access_token": "fresh", "expires_in": 7200})
    assert await ebay().renew(ScriptedApi((asked, told))) == Grant(
        settings={"access_token": "fresh"}, expires_at=NOW + 7_200_000
    )
    assert await ebay(refresh_token="").renew(ScriptedApi()) is None


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer_of({"error": "invalid_grant", "error_description": "refresh-word is over"}, 400), DeniedError),
        (answer_of({"error": "invalid_client"}, 401), DeniedError),
        (answer_of({"error": "invalid_scope"}, 400), RefusedError),
        (answer_of({}, 500), UncertainError),
        (answer_of({"expires_in": 1}), UncertainError),
    ],
)
async def test_a_renewal_that_fails_says_why(told, error):
    with pytest.raises(error) as failed:
        await ebay().renew(EndlessApi(told))
    assert "refresh-word" not in str(failed.value)


@HOSTILE
@given(mutated([payload("ebay_api", name) for name in ("conversation", "conversations", "sent", "error_refused")]))
async def test_whatever_the_api_answers_gives_events_or_documented_errors(body):
    for status in (200, 400):
        api = EndlessApi(answer_of(body, status))
        with suppress(DeniedError, RefusedError, UncertainError):
            await pages(ebay(), Window(since=0, until=NOW), api)
        with suppress(DeniedError, RefusedError, UncertainError):
            await ebay().send(REPLY, api)
