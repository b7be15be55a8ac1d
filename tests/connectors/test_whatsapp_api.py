"""What is asked of WhatsApp's API, and what its answers mean."""

from __future__ import annotations

import email.policy
from contextlib import suppress
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.events import Attachment, Receipt
from connectors.contract.calling import (
    ApiResponse,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from connectors.contract.connector import Binding, WebhookRequest
from connectors.contract.history import Probe
from connectors.whatsapp import WhatsApp
from tests.connectors.meta_contract import DAY_MS, DOCUMENTED, SECRET, TOKEN, error_of, file, reply
from tests.connectors.mutations import HOSTILE, mutated, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

GRAPH, NUMBER, PERSON = "https://graph.facebook.com/v25.0", "277321005464405", "972544401243"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SENT = answer("whatsapp_api", "sent")


def connector(**settings):
    about = {
        "app_secret": SECRET,
        "verify_token": "our word",
        "phone_number_id": NUMBER,
        "access_token": TOKEN,
        **settings,
    }
    url = "https://weir.example/webhooks/whatsapp/wa-1"
    return WhatsApp(Binding(account="wa-1", url=url, settings={name: one for name, one in about.items() if one}))


def message(**fields):
    return reply(**({"conversation": PERSON} | fields))


def sends(**body):
    about = {"messaging_product": "whatsapp", "biz_opaque_callback_data": "weir-1", **body}
    return asks("POST", f"{GRAPH}/{NUMBER}/messages", query=[], headers=BEARER, json=about)


def text_to(**recipient):
    return sends(**recipient, type="text", text={"body": "Sí 🙂"})


@pytest.mark.parametrize(
    ("conversation", "recipient"),
    [
        (PERSON, {"recipient_type": "individual", "to": PERSON}),
        ("US.13491208655302741918", {"recipient_type": "individual", "recipient": "US.13491208655302741918"}),
        ("Y2FwaV9ncm91cDox", {"recipient_type": "group", "to": "Y2FwaV9ncm91cDox"}),
    ],
)
async def test_a_text_goes_to_a_number_a_user_id_or_a_group(conversation, recipient):
    api = ScriptedApi((text_to(**recipient), SENT))
    sent = await connector().send(message(conversation=conversation, text="Sí 🙂"), api)
    api.finished()
    assert sent.message == "wamid.SENT"


async def test_an_answer_names_the_message_it_is_to():
    quoting = text_to(recipient_type="individual", to=PERSON, context={"message_id": "wamid.X"})
    api = ScriptedApi((quoting, SENT))
    await connector().send(message(text="Sí 🙂", reply_to="wamid.X"), api)
    api.finished()


@pytest.mark.parametrize(
    ("name", "mime", "text", "content"),
    [
        ("a.png", "image/png", "Look", {"type": "image", "image": {"id": "1037543291543636", "caption": "Look"}}),
        ("a.ogg", "audio/ogg", "", {"type": "audio", "audio": {"id": "1037543291543636"}}),
        ("a.webp", "image/webp", "", {"type": "sticker", "sticker": {"id": "1037543291543636"}}),
        ("a.mp4", "video/mp4", "", {"type": "video", "video": {"id": "1037543291543636"}}),
        (
            "invöice.pdf",
            "application/pdf",
            "Here",
            {
                "type": "document",
                "document": {"id": "1037543291543636", "caption": "Here", "filename": "invöice.pdf"},
            },
        ),
    ],
)
async def test_a_file_is_uploaded_and_sent_by_its_id(name, mime, text, content):
    def uploads(request):
        assert (request.method, request.url) == ("POST", f"{GRAPH}/{NUMBER}/media")
        assert request.headers["Authorization"] == BEARER["Authorization"]
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        product, kind, data = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body).iter_parts()
        assert (product.get_content(), kind.get_content()) == ("whatsapp", mime)
        assert (data.get_content_type(), data.get_filename().isascii()) == (mime, True)
        assert data.get_payload(decode=True) == b"\x89PNG"

    sent = sends(recipient_type="individual", to=PERSON, **content)
    api = ScriptedApi((uploads, answer("whatsapp_api", "uploaded")), (sent, SENT))
    with_file = message(text=text, files=[file(name, mime)])
    assert connector().objections(with_file, NOW) == []
    assert (await connector().send(with_file, api)).message == "wamid.SENT"
    api.finished()


@pytest.mark.parametrize("told", [UncertainError("timed out"), error_of(1, 500), answer_of({}), answer_of(b"<html>")])
async def test_an_upload_that_may_have_failed_sent_nothing(told):
    with pytest.raises(UnreachableError):
        await connector().send(message(files=[file()]), ScriptedApi((lambda _: True, told)))


def test_what_a_kind_of_file_does_not_take_is_objected_to():
    def codes(**fields):
        return [one.code for one in connector().objections(message(**fields), NOW)]

    large = file(content=b"x" * (5 * 2**20 + 1))
    assert codes(files=[large]) == ["file_too_large"]
    assert codes(text="Listen", files=[file("a.ogg", "audio/ogg")]) == ["text_with_files"]
    assert codes(text="x" * 1_025, files=[file()]) == ["text_too_long"]
    assert codes(files=[file("a.zip", "application/zip")]) == ["file_kind"]
    assert codes(text="x", last_in_at=NOW - DAY_MS - 1) == ["window_closed"]
    (closed,) = connector().objections(message(text="x", last_in_at=NOW - DAY_MS - 1), NOW)
    assert "approved template" in closed.text
    assert closed.figures == {"hours": 24, "templates": 1}


async def test_a_channel_that_only_receives_says_what_it_lacks():
    for lacking in ("phone_number_id", "access_token"):
        with pytest.raises(RefusedError, match=lacking):
            await connector(**{lacking: ""}).send(message(text="x"), ScriptedApi())
    for wrong in (message(text=" "), message(files=[file(), file()])):
        with pytest.raises(RefusedError):
            await connector().send(wrong, ScriptedApi())


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (error_of(0, 401), DeniedError),
        (error_of(190, 401, subcode=463), DeniedError),
        (error_of(131_005, 403), DeniedError),
        (error_of(130_429, 400), BusyError),
        (error_of(131_056, 400), BusyError),
        (error_of(80_007, 400), BusyError),
        (error_of(131_047, 400), RefusedError),
        (error_of(131_026, 400), RefusedError),
        (error_of(131_048, 400), RefusedError),
        (error_of(10, 403), RefusedError),
        (error_of(131_000, 500), UncertainError),
        (error_of(131_016, 500), UncertainError),
        (answer_of({"messages": []}), UncertainError),
        (answer_of(b"", 502), UncertainError),
        (UnreachableError("no route"), UnreachableError),
    ],
)
async def test_what_an_answer_means(told, meant):
    api = ScriptedApi((lambda _: True, told))
    with pytest.raises(meant) as raised:
        await connector().send(message(text="x"), api)
    assert type(raised.value) is meant
    assert TOKEN not in repr(raised.value)
    api.finished()


async def test_why_a_message_was_refused_is_told_in_the_platforms_words():
    about = {"message": "(#131047) Re-engagement message", "code": 131_047, "error_data": {"details": "24 hours over"}}
    with pytest.raises(RefusedError, match="24 hours over") as refused:
        await connector().send(message(text="x"), EndlessApi(answer_of({"error": about}, 400)))
    assert refused.value.code == "131047"


async def test_one_person_gets_a_message_in_six_seconds():
    with pytest.raises(BusyError) as busy:
        await connector().send(message(text="x"), EndlessApi(error_of(131_056)))
    assert busy.value.retry_after == 6.0


def test_a_status_brings_our_id_back():
    told = payload("whatsapp", "statuses").replace(b'"status"', b'"biz_opaque_callback_data": "weir-1", "status"')
    found = connector(phone_number_id="").parse(WebhookRequest(method="POST", body=told))
    assert {one.extra["metadata"] for one in found if isinstance(one, Receipt)} == {"weir-1"}


async def test_a_file_that_came_is_fetched_from_metas_own_address_with_the_token():
    asked = asks("GET", f"{GRAPH}/2754859441498128", query=[("phone_number_id", NUMBER)], headers=BEARER)
    api = ScriptedApi((asked, answer("whatsapp_api", "media")))
    found = await connector().locate(Attachment(id="2754859441498128", kind="image"), api)
    api.finished()
    assert found.url.startswith("https://lookaside.fbsbx.com/")
    assert found.headers == BEARER
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a",
        "http://lookaside.fbsbx.com/a",
        "https://fbsbx.com.evil.example/a",
        "https://evilfbsbx.com/a",
        "https://lookaside.fbsbx.com@evil.example/a",
        "https://[/",
        "",
    ],
)
async def test_the_token_is_shown_to_nobody_else(url):
    with pytest.raises(RefusedError):
        await connector().locate(Attachment(id="1"), EndlessApi(answer_of({"url": url})))


async def test_the_host_that_stands_in_for_meta_may_give_files_too():
    local = connector(api_url="http://127.0.0.1:9")
    found = await local.locate(Attachment(id="1/../2"), EndlessApi(answer_of({"url": "http://127.0.0.1:9/f"})))
    assert found.url == "http://127.0.0.1:9/f"


async def test_an_id_from_outside_leads_to_no_other_path():
    api = EndlessApi(answer("whatsapp_api", "media"))
    await connector().locate(Attachment(id="1/../me?x#y"), api)
    assert api.requests[0].url == f"{GRAPH}/1%2F..%2Fme%3Fx%23y"


async def test_a_probe_tells_whether_messages_are_sent_to_us():
    account = connector(business_account_id="264937493375603")
    asked = asks("GET", f"{GRAPH}/264937493375603/subscribed_apps", headers=BEARER)
    told = answer("whatsapp_api", "subscribed")
    assert await account.probe(ScriptedApi((asked, told))) == Probe(subscription="active")
    assert await account.probe(ScriptedApi((asked, answer_of({"data": []})))) == Probe(subscription="disabled")
    bare = asks("GET", f"{GRAPH}/{NUMBER}", query=[("fields", "id")], headers=BEARER)
    assert await connector().probe(ScriptedApi((bare, answer_of({"id": NUMBER})))) == Probe()
    with pytest.raises(DeniedError):
        await connector().probe(ScriptedApi((bare, error_of(190, 401))))


@HOSTILE
@given(mutated(payloads("whatsapp_api")), st.sampled_from([200, 200, 200, 400, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    api = EndlessApi(ApiResponse(status=status, body=body))
    everything = (
        lambda: connector().send(message(text="x"), api),
        lambda: connector().send(message(files=[file()]), api),
        lambda: connector().locate(Attachment(id="1"), api),
        lambda: connector(business_account_id="1").probe(api),
    )
    for ask in everything:
        with suppress(*DOCUMENTED):
            await ask()
