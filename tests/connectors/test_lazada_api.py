"""Lazada's API: what is sent and how it is signed, what is read back, and how a channel is authorised."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given

from actors.events import Delete, Message, Receipt, Sender
from connectors.contract.authorising import Ask, Reply
from connectors.contract.calling import (
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from connectors.contract.connector import Binding, Refused, WebhookRequest
from connectors.contract.history import Probe, Window
from connectors.contract.outgoing import Outgoing, OutgoingFile, Sent
from connectors.lazada import Lazada, seller
from connectors.lazada.api import signature
from tests.connectors.mutations import HOSTILE, mutated, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

HOST = "https://api.lazada.sg/rest"
AUTH = "https://auth.lazada.com/rest"
SESSION = "100_2_200_1_103"
THREAD = {"platform": "lazada", "account": "sg", "conversation": SESSION}
KEYS = {
    "app_key": "123456",
    "app_secret": "s3cret-word",
    "seller_id": "20240305",
    "country": "sg",
    "access_token": "tok_abc",
    "refresh_token": "refresh-old",
}
COMMON = {"app_key": "123456", "access_token": "tok_abc", "sign_method": "sha256", "timestamp": str(NOW)}
HOUR_MS = 3_600_000
WINDOW = Window(since=NOW - HOUR_MS, until=NOW)
REPLY = Outgoing(id="r1", conversation=SESSION, at=NOW, text="It comes tomorrow 📦", recipient="100")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x2c\0\0\0\xc8\x08\x06\0\0\0"


def lazada(**settings):
    given_ = {name: value for name, value in (KEYS | settings).items() if value is not None}
    return Lazada(Binding(account="sg", url="https://inbox.example/webhooks/lazada/sg", settings=given_))


def recorded(name):
    return answer("lazada_api", name)


def posted(path, form, *, host=HOST, common=COMMON):
    """Expects a form with exactly these fields, signed together with the query."""

    def holds(request):
        query = [*common.items(), ("sign", signature("s3cret-word", path, common | form))]
        asks("POST", f"{host}{path}", query=query)(request)
        assert dict(parse_qsl(request.body.decode(), keep_blank_values=True)) == form
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded;charset=utf-8"

    return holds


def got(path, **parameters):
    sign = signature("s3cret-word", path, COMMON | parameters)
    return asks("GET", f"{HOST}{path}", query=[*parameters.items(), *COMMON.items(), ("sign", sign)])


def picture(content=PNG, **changes):
    async def read():
        yield content

    about = {"name": "a.png", "mime": "image/png", "size": len(content), "digest": "d"}
    return OutgoingFile(**about | changes, read=read)


async def pages(connector, api, window=WINDOW):
    return [page async for page in connector.history(window, api)]


@pytest.mark.parametrize(
    ("secret", "path", "parameters", "sign"),
    [
        (
            "helloworld",
            "/order/get",
            {
                "order_id": "1234",
                "access_token": "test",
                "app_key": "123456",
                "sign_method": "sha256",
                "timestamp": "1517820392000",
            },
            "4190D32361CFB9581350222F345CB77F3B19F0E31D162316848A2C1FFD5FAB4A",
        ),
        (
            "1234",
            "/test/api",
            {"foo_bar": "3", "bar": "2", "foo": "1", "foobar": "4"},
            "988085883BF9D32D251478D23122C7ECC91518CDF63BA22F792000A378F52409",
        ),
        (
            "test-secret",
            "/order/cancel",
            {
                "access_token": "test-token",
                "app_key": "123456",
                "sign_method": "sha256",
                "timestamp": "1700000000000",
            },
            "91375F42B474CECEE7172759B6400E74F10FBB6E9E9E145EA2A27DFA17556B18",
        ),
    ],
)
def test_requests_are_signed_as_documented(secret, path, parameters, sign):
    assert signature(secret, path, parameters) == sign


async def test_a_text_is_sent_as_a_signed_form():
    form = {"session_id": SESSION, "template_id": "1", "txt": "It comes tomorrow 📦"}
    api = ScriptedApi((posted("/im/message/send", form), recorded("sent")))
    assert await lazada().send(REPLY, api) == Sent(message="23Fp7TJ0BtmwA00132", at=1_700_000_000_500)
    api.finished()


async def test_a_picture_is_uploaded_before_it_is_sent():
    def upload(request):
        sign = signature("s3cret-word", "/image/upload", COMMON)
        asks("POST", f"{HOST}/image/upload", query=[*COMMON.items(), ("sign", sign)])(request)
        assert b'name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + PNG in request.body

    form = {"session_id": SESSION, "template_id": "3", "img_url": "https://sg-live.example/p/ae0f37.jpg"}
    send = posted("/im/message/send", form | {"width": "300", "height": "200"})
    api = ScriptedApi((upload, recorded("uploaded")), (send, recorded("sent")))
    message = Outgoing(id="r2", conversation=SESSION, at=NOW, files=[picture()])
    assert (await lazada().send(message, api)).message == "23Fp7TJ0BtmwA00132"
    api.finished()


async def test_pictures_are_uploaded_where_the_setting_says():
    api = ScriptedApi((asks("POST", f"{HOST}/im/image/upload"), UncertainError("no answer")))
    message = Outgoing(id="r2", conversation=SESSION, at=NOW, files=[picture()])
    with pytest.raises(UnreachableError):
        await lazada(upload_path="im/image/upload").send(message, api)
    api.finished()


async def test_what_is_no_picture_is_not_uploaded():
    message = Outgoing(id="r2", conversation=SESSION, at=NOW, files=[picture(b"%PDF-1.7")])
    with pytest.raises(RefusedError, match="no JPEG or PNG"):
        await lazada().send(message, ScriptedApi())


async def test_a_text_with_a_picture_is_refused_before_anything_is_asked():
    message = Outgoing(id="r2", conversation=SESSION, at=NOW, text="Look", files=[picture()])
    assert [one.code for one in lazada().objections(message, NOW)] == ["text_with_files"]
    with pytest.raises(RefusedError, match="one by one"):
        await lazada().send(message, ScriptedApi())


@pytest.mark.parametrize("name", ["access_token", "country"])
async def test_sending_without_a_setting_names_it(name):
    api = ScriptedApi()
    with pytest.raises(RefusedError, match=f"`{name}` is empty"):
        await lazada(**{name: None}).send(REPLY, api)
    with pytest.raises(RefusedError, match="`country` is none of"):
        await lazada(country="de").send(REPLY, api)
    api.finished()


async def test_another_address_needs_no_country():
    api = ScriptedApi((asks("POST", "http://localhost:9/rest/im/message/send"), recorded("sent")))
    await lazada(api_url="http://localhost:9/", country=None).send(REPLY, api)
    api.finished()


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"code": "IllegalAccessToken", "type": "ISV", "message": "tok_abc is invalid or expired"}, DeniedError),
        ({"code": "IncompleteSignature", "type": "ISV", "message": "does not conform"}, DeniedError),
        ({"code": "ApiCallLimit", "type": "ISV", "message": "denied; this ban will last 7 seconds"}, BusyError),
        ({"code": 901, "message": "too frequent"}, BusyError),
        ({"code": "ServiceTimeout", "type": "SYSTEM", "message": "timeout"}, UncertainError),
        ({"code": "whatever", "type": "SYSTEM", "message": "?"}, UncertainError),
        ({"code": "0", "success": False, "err_code": "-22", "err_message": "order out of day limit"}, RefusedError),
        ({"code": "0", "success": False, "err_message": "blocked"}, RefusedError),
        ({"code": "E005", "type": "ISP", "message": "no such session"}, RefusedError),
    ],
)
async def test_errors_are_named_by_what_to_do(told, error):
    with pytest.raises(error) as raised:
        await lazada().send(REPLY, ScriptedApi((lambda _: True, answer_of(told))))
    assert type(raised.value) is error
    assert "tok_abc" not in str(raised.value)
    if told["code"] == "ApiCallLimit":
        assert raised.value.retry_after == 7.0
    if error is RefusedError:
        assert raised.value.code in {"-22", "E005", None}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code":"0"}', b'{"code":"0","data":{}}'])
async def test_an_answer_that_says_nothing_leaves_it_open_whether_it_was_sent(body):
    with pytest.raises(UncertainError):
        await lazada().send(REPLY, ScriptedApi((lambda _: True, answer_of(body))))


async def test_history_reads_sessions_back_until_they_are_older_than_the_window():
    def page(start, **last):
        return got("/im/message/list", session_id=SESSION, start_time=start, page_size="20", **last)

    older = {"start_time": "1699999000000", "page_size": "20", "last_session_id": "101_2_200_1_103"}
    api = ScriptedApi(
        (got("/im/session/list", start_time=str(NOW), page_size="20"), recorded("sessions")),
        (page(str(NOW)), recorded("messages")),
        (page("1699999990000", last_message_id="m0"), recorded("messages_older")),
        (got("/im/session/list", **older), recorded("sessions_older")),
    )
    first, second = await pages(lazada(picture_field="imgUrl"), api)
    api.finished()
    out, receipt, question, recalled, refused = first
    assert out == Message(
        **THREAD,
        message="m3",
        sent_at=1_699_999_999_000,
        direction="out",
        sender=Sender(id="200", role="agent"),
        text="It comes tomorrow.",
        via="push",
        extra={"site": "SG"},
    )
    assert receipt == Receipt(**THREAD, message="m3", status="accepted", event=f"{SESSION}/m3/accepted")
    assert (question.direction, question.text) == ("in", "hello")
    assert recalled == Delete(**THREAD, message="m1", event=f"{SESSION}/m1/recalled")
    assert isinstance(refused, Refused)
    assert [one.url for one in second[0].attachments] == ["https://files.example/a.jpg"]


async def test_a_message_is_taken_back_and_told_as_the_push_tells_it():
    api = ScriptedApi(
        (
            posted("/im/message/recall", {"session_id": SESSION, "message_id": "1zYOS7N0"}),
            answer_of({"code": "0", "err_code": "0", "success": True, "data": {}}),
        )
    )
    told = await lazada().recall(SESSION, "1zYOS7N0", api)
    assert [told] == list(lazada().parse(WebhookRequest(method="POST", body=payload("lazada", "recalled"))))
    api.finished()


async def test_what_lazada_does_not_take_back_is_refused():
    late = answer_of({"code": "0", "err_code": "-13", "success": False, "err_message": "message cannot be recalled"})
    with pytest.raises(RefusedError, match="cannot be recalled"):
        await lazada().recall(SESSION, "m1", ScriptedApi((lambda _: True, late)))


@pytest.mark.parametrize("name", ["text", "echo", "blocked_echo", "image", "recalled"])
async def test_what_history_tells_is_what_the_push_told(name):
    told = payload("lazada", name)
    pushed = list(lazada(seller_id=None).parse(WebhookRequest(method="POST", body=told)))
    listed = answer_of({"code": "0", "data": {"has_more": False, "message_list": [json.loads(told)["data"]]}})
    window = Window(since=0, until=NOW, conversation=pushed[0].conversation)
    assert await pages(lazada(), ScriptedApi((lambda _: True, listed)), window) == [pushed]


async def test_a_history_that_gives_the_same_page_again_ends():
    same = {"has_more": True, "next_start_time": NOW, "message_list": [{}]}
    api = EndlessApi(answer_of({"code": "0", "data": same}))
    assert len(await pages(lazada(), api, Window(since=0, until=NOW, conversation=SESSION))) == 1


async def test_a_history_without_end_is_left(monkeypatch):
    monkeypatch.setattr(seller, "MOST_PAGES", 20)
    answers = [
        answer_of({"code": "0", "data": {"has_more": True, "next_start_time": at, "message_list": [{}]}})
        for at in (1, 2)
    ]
    with pytest.raises(UncertainError, match="no end"):
        await pages(lazada(), EndlessApi(*answers), Window(since=0, until=NOW, conversation=SESSION))


async def test_a_probe_asks_for_what_chat_needs():
    api = ScriptedApi((got("/im/session/list", start_time=str(NOW), page_size="1"), recorded("sessions")))
    assert await lazada().probe(api) == Probe()
    api.finished()
    denied = answer_of({"code": "IllegalAccessToken", "message": "The specified access token is invalid or expired"})
    with pytest.raises(DeniedError):
        await lazada().probe(ScriptedApi((lambda _: True, denied)))


def test_the_page_to_authorise_at():
    url = urlsplit(lazada().authorise_url(Ask(at=0, state="s/1", redirect="https://weir.test/authorised")))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://auth.lazada.com/oauth/authorize"
    assert dict(parse_qsl(url.query)) == {
        "response_type": "code",
        "force_auth": "true",
        "redirect_uri": "https://weir.test/authorised",
        "client_id": "123456",
        "state": "s/1",
    }


def app_form(path, form):
    common = {name: value for name, value in COMMON.items() if name != "access_token"}
    return posted(path, form, host=AUTH, common=common)


async def test_a_code_is_exchanged_for_tokens():
    api = ScriptedApi((app_form("/auth/token/create", {"code": "0_c0de"}), recorded("granted")))
    bare = lazada(seller_id=None, country=None, access_token=None, refresh_token=None)
    granted = await bare.exchange(Reply(query={"code": "0_c0de"}, redirect="https://weir.test/"), api)
    tokens = {"access_token": "access-new", "refresh_token": "refresh-new"}
    assert granted.settings == tokens | {"seller_id": "20240305", "country": "sg"}
    assert set(granted.settings) == set(Lazada.oauth.grants)
    assert granted.expires_at == NOW + 30 * 24 * HOUR_MS
    assert granted.refresh_by == NOW + 180 * 24 * HOUR_MS
    assert "new" not in repr(granted)
    api.finished()


async def test_another_sellers_code_is_refused():
    api = ScriptedApi((lambda _: True, recorded("granted")))
    with pytest.raises(RefusedError, match="seller 20240305 was authorised, this channel is seller 7"):
        await lazada(seller_id="7").exchange(Reply(query={"code": "c"}, redirect=""), api)
    with pytest.raises(RefusedError, match="no code"):
        await lazada().exchange(Reply(query={}, redirect=""), ScriptedApi())


async def test_tokens_are_renewed_and_tell_whose_they_are_where_that_is_plain():
    form = app_form("/auth/token/refresh", {"refresh_token": "refresh-old"})
    api = ScriptedApi((form, recorded("renewed")), (form, recorded("renewed")))
    granted = await lazada(country=None).renew(api)
    assert (granted.settings["seller_id"], granted.settings["country"]) == ("20240305", "sg")
    granted = await lazada(country=None, seller_id=None).renew(api)
    assert set(granted.settings) == {"access_token", "refresh_token"}
    assert await lazada(refresh_token=None).renew(ScriptedApi()) is None
    api.finished()


async def test_a_token_that_was_bought_is_not_renewed():
    told = {"code": "AUTH_TYPE_UNSUPPORTED", "type": "ISV", "message": "can only be authorized by market"}
    assert await lazada().renew(ScriptedApi((lambda _: True, answer_of(told)))) is None


async def test_a_refresh_token_that_holds_no_more_is_denied():
    told = {"code": "IllegalRefreshToken", "type": "ISV", "message": "refresh-old is invalid"}
    with pytest.raises(DeniedError) as raised:
        await lazada().renew(ScriptedApi((lambda _: True, answer_of(told))))
    assert "refresh-old" not in str(raised.value)


async def test_a_token_that_cannot_be_renewed_keeps_no_refresh_token():
    told = {"code": "0", "access_token": "a", "refresh_token": "r", "expires_in": 60, "refresh_expires_in": "0"}
    granted = await lazada().exchange(
        Reply(query={"code": "c"}, redirect=""), ScriptedApi((lambda _: True, answer_of(told)))
    )
    assert (granted.settings, granted.refresh_by) == ({"access_token": "a"}, None)


def test_a_push_tells_the_seller_it_is_for():
    def routed(body):
        return lazada().route(WebhookRequest(method="POST", body=body))

    assert routed(payload("lazada", "text")) == "20240305"
    assert routed(payload("lazada", "trade_order")) is None
    assert [routed(body) for body in (b"", b"{", b'{"message_type":2,"data":{"a":1}}')] == [None] * 3


CALLING = (BusyError, DeniedError, RefusedError, UncertainError, UnreachableError)


@HOSTILE
@given(mutated(payloads("lazada_api")))
async def test_whatever_the_platform_answers_gives_events_or_a_documented_error(body):
    api = EndlessApi(answer_of(body))
    reply = Reply(query={"code": "c"}, redirect="")
    for act in (lazada().send(REPLY, api), lazada().probe(api), lazada().renew(api), lazada().exchange(reply, api)):
        with suppress(*CALLING):
            await act
    for conversation in (None, SESSION):
        with suppress(*CALLING):
            async for page in lazada().history(Window(since=0, until=NOW, conversation=conversation), api):
                assert all(isinstance(one, Message | Receipt | Delete | Refused) for one in page)
                if len(api.requests) > 20:
                    break
