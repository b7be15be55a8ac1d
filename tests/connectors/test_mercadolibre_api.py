"""Mercado Libre's messages API: answers sent, packs read, files, tokens granted."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given

from actors.events import Attachment, Failure, Message, Receipt, Sender
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding, Refused, UnreadableError
from connectors.contract.history import Pointer, Probe, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile, Sent
from connectors.mercadolibre import MercadoLibre
from connectors.mercadolibre.history import MOST_PAGES
from tests.connectors.mutations import HOSTILE, mutated, payload
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

API = "https://api.mercadolibre.com"
SETTINGS = {
    "webhook_key": "a-long-word",
    "client_id": "8974",
    "client_secret": "app-word",
    "seller_id": "123456789",
    "site": "MLB",
    "access_token": "APP_USR-old",
    "refresh_token": "TG-old",
}
FOLDER = "mercadolibre_api"
PACK = f"{API}/messages/packs/2000000012/sellers/123456789"
TAG = ("tag", "post_sale")
BEARER = {"authorization": "Bearer APP_USR-old"}
LISTED = asks("GET", PACK, query=[TAG, ("mark_as_read", "false"), ("limit", "50"), ("offset", "0")], headers=BEARER)
SENT = asks(
    "POST",
    PACK,
    query=[TAG],
    headers=BEARER | {"content-type": "application/json"},
    json={"from": {"user_id": 123456789}, "to": {"user_id": 441782523}, "text": "Obrigado"},
)
REPLY = Outgoing(id="w1", conversation="2000000012", at=NOW, text="Obrigado", recipient="441782523")
THREAD = {"platform": "mercadolibre", "account": "br", "conversation": "2000000012"}
COMMON = {"via": "push", "order": "2000000099", "extra": {"site": "MLB"}}
BUYERS = Message(
    **THREAD,
    **COMMON,
    message="0033b582a1474fa98c02d229abcec43c",
    sent_at=1_705_314_599_000,
    direction="in",
    sender=Sender(id="441782523", role="customer"),
    text="Onde está? 你好",
    attachments=[Attachment(id="471826944_ba20.png", kind="image", mime="image/png", size=2048)],
)
OURS = [
    Message(
        **THREAD,
        **COMMON,
        message="b2",
        sent_at=1_705_315_200_000,
        direction="out",
        sender=Sender(id="123456789", role="agent"),
        text="Saiu hoje.",
    ),
    Receipt(**THREAD, message="b2", status="accepted", event="2000000012/b2/accepted"),
    Receipt(**THREAD, message="b2", status="read", event="2000000012/b2/read"),
]


def libre(**settings):
    url = "https://inbox.example/webhooks/mercadolibre/br"
    return MercadoLibre(Binding(account="br", url=url, settings=SETTINGS | settings))


async def content():
    yield b"%P"
    yield b"DF"


FILE = OutgoingFile(name="nota.pdf", mime="application/pdf", size=4, digest="0" * 64, read=content)


async def test_an_answer_goes_to_who_wrote_last():
    api = ScriptedApi((SENT, answer(FOLDER, "sent", 201)))
    assert await libre().send(REPLY, api) == Sent(message="c1", at=1_705_316_100_123)
    api.finished()


async def test_an_answer_goes_to_the_sites_agent_when_it_is_told_so():
    told = {"from": {"user_id": 123456789}, "to": {"user_id": 3037675074}, "text": "Obrigado"}
    api = ScriptedApi((asks("POST", PACK, json=told), answer(FOLDER, "sent", 201)))
    await libre(agent_id="3037675074").send(REPLY, api)
    api.finished()


async def test_files_are_uploaded_before():
    def uploaded(request):
        assert (request.method, request.url) == ("POST", f"{API}/messages/attachments")
        assert list(request.query) == [TAG, ("site_id", "MLB")]
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="file"; filename="nota.pdf"' in request.body
        assert b"%PDF" in request.body

    body = {"from": {"user_id": 123456789}, "to": {"user_id": 441782523}, "text": "Obrigado", "attachments": ["f-1"]}
    api = ScriptedApi(
        (uploaded, answer_of({"id": "f-1"}, 201)), (asks("POST", PACK, json=body), answer(FOLDER, "sent"))
    )
    message = Outgoing(id="w", conversation="2000000012", at=NOW, text="Obrigado", recipient="441782523", files=[FILE])
    await libre().send(message, api)
    api.finished()
    with pytest.raises(UnreachableError):
        await libre().send(message, EndlessApi(answer_of({}, 500)))
    with pytest.raises(RefusedError, match="`site`"):
        await libre(site="").send(message, ScriptedApi())


async def test_what_sending_needs_is_named():
    with pytest.raises(RefusedError, match="`access_token`"):
        await libre(access_token="").send(REPLY, ScriptedApi())
    with pytest.raises(RefusedError, match="nobody"):
        await libre().send(Outgoing(id="w", conversation="2000000012", at=NOW, text="x"), ScriptedApi())


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer_of({"message": "invalid access token", "status": 401}, 401), DeniedError),
        (answer(FOLDER, "error_blocked", 403), RefusedError),
        (answer_of({"message": "too long"}, 422), RefusedError),
        (answer_of({}, 429), BusyError),
        (answer_of({}, 500), UncertainError),
        (answer_of({"status": "available"}, 201), UncertainError),
        (answer_of(b"<html>"), UncertainError),
        (answer_of({"message_id": "c", "status": "moderated"}), RefusedError),
        (UncertainError("no answer"), UncertainError),
        (UnreachableError("no route"), UnreachableError),
    ],
)
async def test_what_became_of_an_answer_is_told_apart(told, error):
    with pytest.raises(error) as failed:
        await libre().send(REPLY, ScriptedApi((SENT, told)))
    assert type(failed.value) is error


async def test_a_refusal_has_the_platforms_code_and_no_secret():
    told = answer_of({"error": "blocked_conversation", "message": "no APP_USR-old app-word TG-old"}, 403)
    with pytest.raises(RefusedError) as failed:
        await libre().send(REPLY, ScriptedApi((SENT, told)))
    assert failed.value.code == "blocked_conversation"
    assert not any(word in str(failed.value) for word in ("APP_USR-old", "app-word", "TG-old"))


async def test_a_pointer_brings_its_message():
    url = f"{API}/messages/0033b582a1474fa98c02d229abcec43c"
    api = ScriptedApi((asks("GET", url, query=[TAG], headers=BEARER), answer(FOLDER, "message")))
    about = {"message": "0033b582a1474fa98c02d229abcec43c"}
    assert await libre().resolve(Pointer(id="p", about=about), api) == [BUYERS]
    api.finished()


async def test_a_message_without_a_pack_belongs_to_its_order():
    told = {"id": "1", "from": {"user_id": "5"}, "text": "x", "date_created": "2024-01-15T10:29:59Z"}
    for more, conversation in (({"order_id": 77}, "77"), ({"pack_id": 66, "order_id": 77}, "66")):
        pointer = Pointer(id="p", about={"message": "1"})
        (found,) = await libre().resolve(pointer, EndlessApi(answer_of({"messages": [told | more]})))
        assert found.conversation == conversation
    (refused,) = await libre().resolve(pointer, EndlessApi(answer_of(told)))
    assert isinstance(refused, Refused)


async def test_a_pointer_to_a_pack_brings_its_latest_page():
    api = ScriptedApi((LISTED, answer(FOLDER, "pack")))
    found = await libre().resolve(Pointer(id="p", about={"pack": "2000000012"}), api)
    assert found[-4:] == [*OURS, BUYERS]
    api.finished()
    recent = Pointer(id="p", about={"pack": "2000000012", "since": "1705315200000"})
    found = await libre().resolve(recent, ScriptedApi((LISTED, answer(FOLDER, "pack"))))
    assert found[-3:] == OURS


async def pages(connector, window, api):
    return [one async for page in connector.history(window, api) for one in page]


async def test_history_tells_both_directions_moderation_and_agents():
    api = ScriptedApi((LISTED, answer(FOLDER, "pack")))
    agents, rejected, fate, *others = await pages(libre(), Window(since=0, until=NOW, conversation="2000000012"), api)
    assert agents.sender == Sender(id="3037675074")
    assert agents.extra == {"site": "MLB", "written_by": "agent of the platform"}
    assert rejected.extra == {
        "status": "rejected",
        "moderation": "rejected",
        "moderation_reason": "SOCIAL_NETWORK_LINK",
        "site": "MLB",
    }
    assert fate == Receipt(
        **THREAD,
        message="b3",
        status="failed",
        error=Failure(
            code="SOCIAL_NETWORK_LINK",
            reason="Mercado Libre's moderation keeps it from the buyer: SOCIAL_NETWORK_LINK",
        ),
        event="2000000012/b3/failed",
    )
    assert others == [*OURS, BUYERS]
    api.finished()


async def test_history_of_the_channel_reads_packs_with_unread_messages():
    unread = asks("GET", f"{API}/messages/unread", query=[("role", "seller"), TAG], headers=BEARER)
    api = ScriptedApi((unread, answer(FOLDER, "unread")), (LISTED, answer(FOLDER, "pack")))
    found = await pages(libre(), Window(since=1_705_315_200_000, until=NOW), api)
    assert [one.message for one in found if isinstance(one, Message)] == ["b4", "b3", "b2"]
    api.finished()


async def test_a_pack_without_an_end_ends():
    api = EndlessApi(answer_of({"messages": [{}] * 50}))
    await pages(libre(), Window(since=0, until=NOW, conversation="1"), api)
    assert len(api.requests) == MOST_PAGES


async def test_a_file_is_fetched_by_its_name():
    found = await libre().locate(BUYERS.attachments[0], ScriptedApi())
    asks(
        "GET",
        f"{API}/messages/attachments/471826944_ba20.png",
        query=[TAG, ("site_id", "MLB")],
        headers=BEARER,
    )(found)


async def test_the_probe_tells_whose_token_it_is():
    asked = asks("GET", f"{API}/users/me", headers=BEARER)
    assert await libre().probe(ScriptedApi((asked, answer_of({"id": 123456789})))) == Probe()
    told = await libre().probe(ScriptedApi((asked, answer_of({"id": 5}))))
    assert "user 5" in told.detail
    with pytest.raises(DeniedError):
        await libre().probe(ScriptedApi((asked, answer_of({}, 401))))


def test_consent_is_asked_for_in_the_sellers_country():
    ask = Ask(at=0, state="s", redirect="https://weir.example/o", challenge="ch")
    assert libre().authorise_url(ask) == (
        "https://auth.mercadolivre.com.br/authorization?response_type=code&client_id=8974"
        "&redirect_uri=https%3A%2F%2Fweir.example%2Fo&state=s&code_challenge=ch&code_challenge_method=S256"
    )
    assert libre(auth_url="http://127.0.0.1:1/").authorise_url(ask).startswith("http://127.0.0.1:1/authorization?")
    for site in ("", "MXX"):
        with pytest.raises(RefusedError, match=r"`site`|`auth_url`"):
            libre(site=site).authorise_url(ask)


GRANT = Grant(
    settings={"access_token": "APP_USR-new", "refresh_token": "TG-new"},
    expires_at=NOW + 21_600_000,
    scopes=frozenset({"offline_access", "read", "write"}),
)


async def test_a_code_is_exchanged_for_tokens():
    body = (
        b"grant_type=authorization_code&code=TG-code&redirect_uri=https%3A%2F%2Fweir.example%2Fo&code_verifier=v"
        b"&client_id=8974&client_secret=app-word"
    )
    api = ScriptedApi((asks("POST", f"{API}/oauth/token", body=body), answer(FOLDER, "granted")))
    reply = Reply(query={"code": "TG-code"}, redirect="https://weir.example/o", verifier="v")
    assert await libre().exchange(reply, api) == GRANT
    with pytest.raises(RefusedError, match="consent"):
        await libre().exchange(Reply(query={}, redirect=""), ScriptedApi())


async def test_both_tokens_are_renewed():
    body = b"grant_type=refresh_token&refresh_token=TG-old&client_id=8974&client_secret=app-word"
    api = ScriptedApi((asks("POST", f"{API}/oauth/token", body=body), answer(FOLDER, "granted")))
    assert await libre().renew(api) == GRANT
    assert await libre(refresh_token="").renew(ScriptedApi()) is None


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer_of({"error": "invalid_grant", "message": "TG-old"}, 400), DeniedError),
        (answer_of({"error": "invalid_request"}, 400), RefusedError),
        (answer_of({}, 502), UncertainError),
    ],
)
async def test_a_renewal_that_fails_says_why(told, error):
    with pytest.raises(error) as failed:
        await libre().renew(EndlessApi(told))
    assert "TG-old" not in str(failed.value)


@HOSTILE
@given(mutated([payload(FOLDER, name) for name in ("pack", "unread", "message", "sent", "error_blocked")]))
async def test_whatever_the_api_answers_gives_events_or_documented_errors(body):
    for status in (200, 403):
        api = EndlessApi(answer_of(body, status))
        with suppress(RefusedError, UncertainError):
            await pages(libre(), Window(since=0, until=NOW), api)
        with suppress(RefusedError, UncertainError, UnreadableError):
            await libre().resolve(Pointer(id="p", about={"message": "1"}), api)
        with suppress(RefusedError, UncertainError):
            await libre().send(REPLY, api)
