"""What is asked of Instagram's API, of the account itself or through its Page, and what the answers mean."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Message, Sender
from connectors.contract.authorising import Ask, Reply
from connectors.contract.calling import ApiResponse, RefusedError
from connectors.contract.history import Probe, Window
from connectors.instagram import Instagram
from tests.connectors.meta_contract import DOCUMENTED, SECRET, TOKEN, Contract, file, pages_of, reply
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

OURS, PERSON, PAGE = "17840000000000001", "8200000000000001", "104000000000001"
INSTAGRAM, FACEBOOK = "https://graph.instagram.com/v25.0", "https://graph.facebook.com/v25.0"
CHANNEL = {"platform": "instagram", "account": "acc-1", "conversation": PERSON}
ANSWERED = Reply(query={"code": "c0de#_", "state": "st-1"}, redirect="https://weir.example/r")


class TestInstagram(Contract):
    kind = Instagram
    own = ("account_id", OURS)
    other = ("messenger", "text")
    node = f"{INSTAGRAM}/me"

    def said(self, text):
        return {"text": text}


def connector(**settings):
    return TestInstagram().sending(**settings)


async def test_an_account_behind_a_page_is_asked_through_the_page():
    api = ScriptedApi((asks("POST", f"{FACEBOOK}/{PAGE}/messages"), answer("instagram_api", "sent")))
    await connector(page_id=PAGE).send(reply(text="x"), api)
    api.finished()


async def test_a_file_is_sent_by_the_address_instagram_fetches_it_from():
    url = "https://weir.example/f/1"
    message = reply(files=[file("a.mp4", "video/mp4", url=url)])
    sends = TestInstagram().sends(message, {"attachment": {"type": "video", "payload": {"url": url}}})
    api = ScriptedApi((sends, answer("instagram_api", "sent")))
    await connector().send(message, api)
    api.finished()


async def test_a_file_without_address_is_objected_to_and_never_sent():
    message = reply(files=[file()])
    assert [one.code for one in connector().objections(message, NOW)] == ["file_without_address"]
    with pytest.raises(RefusedError, match="address"):
        await connector().send(message, ScriptedApi())


def test_a_picture_has_eight_megabytes_at_most_and_a_text_a_thousand_bytes():
    large = file(content=b"x" * (8 * 2**20 + 1), url="https://weir.example/f/1")
    assert [one.code for one in connector().objections(reply(files=[large]), NOW)] == ["file_too_large"]
    assert [one.code for one in connector().objections(reply(text="é" * 501), NOW)] == ["text_too_long"]
    zipped = file("a.zip", "application/zip", url="https://weir.example/f/1")
    assert [one.code for one in connector().objections(reply(files=[zipped]), NOW)] == ["file_kind"]


async def test_conversations_are_read_back_as_webhooks_tell_them():
    asked_who = asks("GET", f"{INSTAGRAM}/me", query=[("fields", "user_id,id")])
    api = ScriptedApi(
        (asked_who, answer("instagram_api", "me")),
        (lambda request: ("platform", "instagram") in request.query, answer("instagram_api", "conversations")),
        (lambda request: ("after", "QVFI-2") in request.query, answer_of({"data": []})),
    )
    found, _ = await pages_of(connector(), api)
    api.finished()
    assert found == [
        Message(
            **CHANNEL,
            message="aWdfmid3",
            sent_at=1_767_225_900_000,
            direction="out",
            sender=Sender(id=OURS, name="shop", role="agent"),
            text="Yes, it is.",
            via="resync",
        ),
        Message(
            **CHANNEL,
            message="aWdfmid1",
            sent_at=1_767_225_600_000,
            direction="in",
            sender=Sender(id=PERSON, name="ana", role="customer"),
            text="Is it in stock? 🙂",
            via="resync",
        ),
    ]


async def test_behind_a_page_the_accounts_id_is_asked_for_when_it_is_not_known():
    bare = TestInstagram().connector(access_token=TOKEN, page_id=PAGE)
    who = asks("GET", f"{FACEBOOK}/{PAGE}", query=[("fields", "instagram_business_account,id")])
    told = answer_of({"id": PAGE, "instagram_business_account": {"id": OURS}})
    api = ScriptedApi((who, told), (lambda _: True, answer_of({"data": []})))
    assert await pages_of(bare, api) == [[]]
    api.finished()
    known = ScriptedApi((asks("GET", f"{FACEBOOK}/{PAGE}/conversations"), answer_of({"data": []})))
    assert await pages_of(connector(page_id=PAGE), known) == [[]]
    known.finished()


async def test_a_probe_tells_whether_messages_are_sent_to_us():
    asked = asks("GET", f"{INSTAGRAM}/me/subscribed_apps")
    told = answer("instagram_api", "subscribed")
    assert await connector().probe(ScriptedApi((asked, told))) == Probe(subscription="active")
    other = connector(app_id="99")
    assert await other.probe(ScriptedApi((asked, told))) == Probe(subscription="disabled")


def test_instagrams_own_dialog_asks_for_what_is_needed():
    ask = Ask(at=0, state="st-1", redirect="https://weir.example/r")
    url = urlsplit(connector(app_id="15").authorise_url(ask))
    assert (url.netloc, url.path) == ("www.instagram.com", "/oauth/authorize")
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == {
        "client_id": "15",
        "redirect_uri": "https://weir.example/r",
        "response_type": "code",
        "scope": "instagram_business_basic,instagram_business_manage_messages",
        "state": "st-1",
    }


async def test_a_code_becomes_a_token_of_sixty_days():
    def exchanges(request):
        assert (request.method, request.url) == ("POST", "https://api.instagram.com/oauth/access_token")
        assert dict(parse_qsl(request.body.decode())) == {
            "client_id": "15",
            "client_secret": "ig-secret",
            "grant_type": "authorization_code",
            "redirect_uri": "https://weir.example/r",
            "code": "c0de",
        }

    def subscribes(request):
        assert (request.method, request.url) == ("POST", f"{INSTAGRAM}/me/subscribed_apps")
        assert request.headers["Authorization"] == "Bearer IGlasting"
        assert json.loads(request.body) == {"subscribed_fields": "messages,messaging_postbacks,messaging_seen"}

    lasting = [("grant_type", "ig_exchange_token"), ("client_secret", "ig-secret"), ("access_token", "IGshort")]
    api = ScriptedApi(
        (exchanges, answer("instagram_api", "short")),
        (asks("GET", "https://graph.instagram.com/access_token", query=lasting), answer("instagram_api", "lasting")),
        (asks("GET", f"{INSTAGRAM}/me"), answer("instagram_api", "me")),
        (subscribes, answer_of({"success": True})),
    )
    grant = await TestInstagram().connector(app_id="15", instagram_secret="ig-secret").exchange(ANSWERED, api)
    api.finished()
    assert grant.settings == {"access_token": "IGlasting", "account_id": OURS}
    assert grant.expires_at == grant.refresh_by == NOW + 5_183_944_000
    assert grant.scopes == {"instagram_business_basic", "instagram_business_manage_messages"}


async def test_a_token_is_renewed_by_itself():
    query = [("grant_type", "ig_refresh_token"), ("access_token", TOKEN)]
    url = "https://graph.instagram.com/refresh_access_token"
    api = ScriptedApi((asks("GET", url, query=query), answer("instagram_api", "lasting")))
    grant = await connector().renew(api)
    api.finished()
    assert grant.settings == {"access_token": "IGlasting"}
    assert grant.expires_at == NOW + 5_183_944_000
    assert await connector(page_id=PAGE).renew(ScriptedApi()) is None


async def test_an_error_of_the_exchange_shows_no_code_and_no_secret():
    told = answer_of({"error_type": "OAuthException", "code": 400, "error_message": f"c0de of {SECRET} is bad"}, 400)
    with pytest.raises(RefusedError, match="is bad") as refused:
        await TestInstagram().connector(app_id="15").exchange(ANSWERED, EndlessApi(told))
    assert "c0de" not in str(refused.value)
    assert SECRET not in str(refused.value)


@HOSTILE
@given(mutated(payloads("instagram_api")), st.sampled_from([200, 200, 200, 400, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    api = EndlessApi(ApiResponse(status=status, body=body))
    everything = (
        lambda: connector().send(reply(text="x"), api),
        lambda: pages_of(connector(page_id=PAGE), api, Window(since=0, until=2**42)),
        lambda: connector(page_id=PAGE, app_id="15").probe(api),
        lambda: connector().renew(api),
        lambda: TestInstagram().connector(app_id="15").exchange(ANSWERED, api),
    )
    for ask in everything:
        with suppress(*DOCUMENTED):
            await ask()
