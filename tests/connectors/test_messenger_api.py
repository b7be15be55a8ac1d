"""What is asked of Messenger's API, and what its answers mean."""

from __future__ import annotations

import email.policy
import json
from contextlib import suppress
from email.parser import BytesParser
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Attachment, Message, Sender
from connectors.contract.authorising import Ask, Reply
from connectors.contract.calling import ApiResponse, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.history import Probe, Window
from connectors.messenger import Messenger
from tests.connectors.meta_contract import DOCUMENTED, SECRET, TOKEN, WINDOW, Contract, error_of, file, pages_of, reply
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import EndlessApi, ScriptedApi, answer, answer_of, asks

PAGE, PERSON = "104000000000001", "7100000000000001"
GRAPH = "https://graph.facebook.com/v25.0"
CHANNEL = {"platform": "messenger", "account": "acc-1", "conversation": PERSON}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class TestMessenger(Contract):
    kind = Messenger
    own = ("page_id", PAGE)
    other = ("instagram", "text")
    node = f"{GRAPH}/{PAGE}"

    def said(self, text):
        return {"text": text, "metadata": "weir-1"}


def connector(**settings):
    return TestMessenger().sending(**settings)


def of_conversations(**more):
    def holds(request):
        assert (request.method, request.url) == ("GET", f"{GRAPH}/{PAGE}/conversations")
        query = dict(request.query)
        assert "messages.limit(20){" in query.pop("fields")
        assert query == {"platform": "messenger", "limit": "25", **more}
        assert request.headers["Authorization"] == BEARER["Authorization"]

    return holds


async def test_an_answer_to_a_message_names_it_and_a_page_without_id_is_the_tokens():
    body = {
        "recipient": {"id": PERSON},
        "messaging_type": "RESPONSE",
        "message": {"text": "Yes", "metadata": "weir-1"},
        "reply_to": {"mid": "m_first"},
    }
    api = ScriptedApi((asks("POST", f"{GRAPH}/me/messages", json=body), answer("messenger_api", "sent")))
    await TestMessenger().connector(access_token=TOKEN).send(reply(text="Yes", reply_to="m_first"), api)
    api.finished()


async def test_a_file_is_uploaded_and_sent_by_its_id():
    def uploads(request):
        assert (request.method, request.url) == ("POST", f"{GRAPH}/{PAGE}/message_attachments")
        assert request.headers["Authorization"] == BEARER["Authorization"]
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        message, data = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body).iter_parts()
        about = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
        assert json.loads(message.get_content()) == about
        assert (data.get_content_type(), data.get_filename()) == ("image/png", "b_ld.png")
        assert data.get_payload(decode=True) == b"\x89PNG"

    attachment = {"type": "image", "payload": {"attachment_id": "1857777774821032"}}
    message = reply(files=[file("bíld.png")])
    sends = TestMessenger().sends(message, {"attachment": attachment, "metadata": "weir-1"})
    api = ScriptedApi((uploads, answer("messenger_api", "uploaded")), (sends, answer("messenger_api", "sent")))
    assert (await connector().send(message, api)).message == "m_sent"
    api.finished()


@pytest.mark.parametrize("told", [UncertainError("timed out"), error_of(1, 500), answer_of({}), answer_of(b"<html>")])
async def test_an_upload_that_may_have_failed_sent_nothing(told):
    with pytest.raises(UnreachableError):
        await connector().send(reply(files=[file()]), ScriptedApi((lambda _: True, told)))


async def test_conversations_are_read_back_as_webhooks_tell_them():
    first = answer("messenger_api", "conversations")
    last = answer_of({"data": [], "paging": {}})
    api = ScriptedApi((of_conversations(), first), (of_conversations(after="QVFI-2"), last))
    found, nothing = await pages_of(connector(), api)
    api.finished()
    assert nothing == []
    assert found[0] == Message(
        **CHANNEL,
        message="m_answer",
        sent_at=1_767_225_900_000,
        direction="out",
        sender=Sender(id=PAGE, name="Shop", role="agent"),
        text="It is on its way.",
        via="resync",
    )
    assert found[1] == Message(
        **CHANNEL,
        message="m_files",
        sent_at=1_767_225_660_000,
        direction="in",
        sender=Sender(id=PERSON, name="Ana Prueba", role="customer"),
        attachments=[
            Attachment(id="m_files:0", kind="image", mime="image/jpeg", size=1234, url="https://cdn.example/a.jpg"),
            Attachment(id="m_files:1", kind="file", mime="application/pdf", size=99, url="https://cdn.example/b.pdf"),
        ],
        via="resync",
    )
    assert [one.message for one in found] == ["m_answer", "m_files", "m_bo"], "what is older is left out"


async def test_one_conversation_is_asked_for_by_its_person():
    window = Window(since=WINDOW.since, until=WINDOW.until, conversation=PERSON)
    api = ScriptedApi((of_conversations(user_id=PERSON), answer_of({"data": []})))
    assert await pages_of(connector(), api, window) == [[]]
    api.finished()


async def test_pages_older_than_the_window_are_not_turned():
    window = Window(since=1_767_300_000_000, until=1_767_312_000_000)
    api = ScriptedApi((of_conversations(), answer("messenger_api", "conversations")))
    assert await pages_of(connector(), api, window) == [[]]
    api.finished()


async def test_a_page_without_id_asks_who_it_is():
    asked = asks("GET", f"{GRAPH}/me", query=[("fields", "id")], headers=BEARER)
    api = ScriptedApi((asked, answer_of({"id": PAGE})), (lambda _: True, answer_of({"data": []})))
    assert await pages_of(TestMessenger().connector(access_token=TOKEN), api) == [[]]
    api.finished()
    with pytest.raises(UncertainError):
        await pages_of(TestMessenger().connector(access_token=TOKEN), EndlessApi(answer_of({})))


async def test_a_probe_tells_whether_messages_are_sent_to_us():
    asked = asks("GET", f"{GRAPH}/{PAGE}/subscribed_apps", headers=BEARER)
    told = answer("messenger_api", "subscribed")
    assert await connector().probe(ScriptedApi((asked, told))) == Probe(subscription="active")
    assert await connector().probe(ScriptedApi((asked, answer_of({"data": []})))) == Probe(subscription="disabled")
    with pytest.raises(DeniedError):
        await connector().probe(ScriptedApi((asked, error_of(190))))


async def test_with_the_apps_id_a_probe_tells_what_the_token_lacks_and_when_it_ends():
    subscribed = (lambda _: True, answer("messenger_api", "subscribed"))
    inspected = asks(
        "GET",
        f"{GRAPH}/debug_token",
        query=[("input_token", TOKEN)],
        headers={"Authorization": f"Bearer 1500000000000001|{SECRET}"},
    )
    about = {"app_id": "1500000000000001"}
    found = await connector(**about).probe(ScriptedApi(subscribed, (inspected, answer("messenger_api", "token"))))
    assert found == Probe(subscription="active", lacking=("pages_manage_metadata",))
    ends = answer_of({"data": {"is_valid": True, "expires_at": 1_800_000_000, "scopes": list(Messenger.scopes)}})
    found = await connector(**about).probe(ScriptedApi(subscribed, (inspected, ends)))
    assert (found.expires_at, found.lacking) == (1_800_000_000_000, ())
    over = answer_of({"data": {"is_valid": False, "error": {"message": f"Session of {TOKEN} has expired"}}})
    with pytest.raises(DeniedError, match="Session of … has expired"):
        await connector(**about).probe(ScriptedApi(subscribed, (inspected, over)))


def test_the_dialog_of_facebook_asks_for_what_is_needed():
    ask = Ask(at=0, state="st-1", redirect="https://weir.example/r")
    url = urlsplit(connector(app_id="15").authorise_url(ask))
    assert (url.netloc, url.path) == ("www.facebook.com", "/v25.0/dialog/oauth")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query.pop("scope").split(",") == list(Messenger.oauth.scopes)
    assert query == {
        "client_id": "15",
        "redirect_uri": "https://weir.example/r",
        "state": "st-1",
        "response_type": "code",
    }
    other = connector(app_id="15", auth_url="http://127.0.0.1:9").authorise_url(ask)
    assert other.startswith("http://127.0.0.1:9/v25.0/dialog/oauth?")


def authorising(*later):
    app = [("client_id", "15"), ("client_secret", SECRET)]
    tokens = f"{GRAPH}/oauth/access_token"
    short = [*app, ("redirect_uri", "https://weir.example/r"), ("code", "c0de")]
    lasting = [("grant_type", "fb_exchange_token"), *app, ("fb_exchange_token", "EAAB-short")]
    return ScriptedApi(
        (asks("GET", tokens, query=short), answer_of({"access_token": "EAAB-short", "expires_in": 5_000})),
        (asks("GET", tokens, query=lasting), answer_of({"access_token": "EAAB-lasting"})),
        *later,
    )


ANSWERED = Reply(query={"code": "c0de", "state": "st-1"}, redirect="https://weir.example/r")
PAGES = asks(
    "GET",
    f"{GRAPH}/me/accounts",
    query=[("fields", "id,name,access_token"), ("limit", "100")],
    headers={"Authorization": "Bearer EAAB-lasting"},
)


async def test_a_code_becomes_a_pages_token_and_the_page_sends_its_messages_here():
    def subscribes(request):
        assert (request.method, request.url) == ("POST", f"{GRAPH}/{PAGE}/subscribed_apps")
        assert request.headers["Authorization"] == "Bearer EAAB-page"
        assert "messages,message_deliveries,message_echoes" in json.loads(request.body)["subscribed_fields"]

    api = authorising(
        (PAGES, answer("messenger_api", "accounts")),
        (asks("GET", f"{GRAPH}/debug_token", query=[("input_token", "EAAB-page")]), answer("messenger_api", "token")),
        (subscribes, answer_of({"success": True})),
    )
    grant = await TestMessenger().connector(app_id="15").exchange(ANSWERED, api)
    api.finished()
    assert grant.settings == {"access_token": "EAAB-page", "page_id": PAGE}
    assert (grant.expires_at, grant.scopes) == (None, {"pages_show_list", "pages_messaging"})
    assert "EAAB" not in repr(grant)


async def test_of_several_pages_the_settings_is_taken_or_none():
    two = {"data": [{"id": "1", "access_token": "a"}, {"id": "2", "access_token": "b"}]}
    for settings in ({}, {"page_id": "3"}):
        with pytest.raises(RefusedError, match="page_id"):
            await (
                TestMessenger()
                .connector(app_id="15", **settings)
                .exchange(ANSWERED, authorising((PAGES, answer_of(two))))
            )


async def test_who_declines_gives_nothing():
    declined = Reply(query={"error": "access_denied", "error_description": "User denied"}, redirect="https://w.example")
    with pytest.raises(RefusedError, match="User denied"):
        await TestMessenger().connector(app_id="15").exchange(declined, ScriptedApi())


async def test_an_error_of_the_exchange_shows_no_code_and_no_secret():
    told = answer_of({"error": {"message": f"bad c0de for {SECRET}", "code": 100}}, 400)
    with pytest.raises(RefusedError) as refused:
        await TestMessenger().connector(app_id="15").exchange(ANSWERED, EndlessApi(told))
    assert "c0de" not in str(refused.value)
    assert SECRET not in str(refused.value)


@HOSTILE
@given(mutated(payloads("messenger_api")), st.sampled_from([200, 200, 200, 400, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    api = EndlessApi(ApiResponse(status=status, body=body))
    everything = (
        lambda: connector().send(reply(text="x"), api),
        lambda: connector().send(reply(files=[file()]), api),
        lambda: pages_of(connector(), api, Window(since=0, until=2**42)),
        lambda: connector(app_id="15").probe(api),
        lambda: TestMessenger().connector(app_id="15").exchange(ANSWERED, api),
    )
    for ask in everything:
        with suppress(*DOCUMENTED):
            await ask()
