"""TikTok Shop's API: what is sent and how it is signed, what is read back, and how a channel is authorised."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given

from actors.events import Message, Receipt, Sender
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
from connectors.tiktok import TikTok, shop
from connectors.tiktok.api import signature
from tests.connectors.mutations import HOSTILE, mutated, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

HOST = "https://open-api.tiktokglobalshop.com"
AUTH = "https://auth.tiktok-shops.com"
TALK = "7494560109732334261"
MESSAGES = f"/customer_service/202309/conversations/{TALK}/messages"
CONVERSATIONS = "/customer_service/202309/conversations"
THREAD = {"platform": "tiktok", "account": "uk", "conversation": TALK}
KEYS = {
    "app_key": "k1",
    "app_secret": "s3cret-word",
    "shop_id": "7494049642642441621",
    "shop_cipher": "GCP_one",
    "access_token": "tok_abc",
    "refresh_token": "refresh-old",
}
HOUR_MS = 3_600_000
WINDOW = Window(since=NOW - HOUR_MS, until=NOW)
REPLY = Outgoing(id="r1", conversation=TALK, at=NOW, text="Yes, it is. 👟", recipient="7")
TEXT_BODY = '{"type":"TEXT","content":"{\\"content\\":\\"Yes, it is. 👟\\"}"}'.encode()


def tiktok(**settings):
    given_ = {name: value for name, value in (KEYS | settings).items() if value is not None}
    return TikTok(Binding(account="uk", url="https://inbox.example/webhooks/tiktok/uk", settings=given_))


def recorded(name):
    return answer("tiktok_api", name)


def asked(method, path, *more, signed=b"", cipher=True, token=KEYS["access_token"], **expected):
    query = [("app_key", "k1"), ("timestamp", "1700000000"), *more, *([("shop_cipher", "GCP_one")] if cipher else [])]
    sign = signature("s3cret-word", path, query, signed)
    headers = {"x-tts-access-token": token}
    return asks(method, f"{HOST}{path}", query=[*query, ("sign", sign)], headers=headers, **expected)


def picture(content=b"RIFF", **changes):
    async def read():
        yield content

    about = {"name": "shoe.webp", "mime": "image/webp", "size": len(content), "digest": "d"}
    return OutgoingFile(**about | changes, read=read)


async def pages(connector, api, window=WINDOW):
    return [page async for page in connector.history(window, api)]


def test_requests_are_signed_as_documented():
    get = signature("app_secret", "/test-api", [("foo", "bar")])
    assert get == "d3cb7fe11ecae942802ceeca67e7cf10120cc12f1517d45fbc1c8cfe5413c80f"
    query = [("timestamp", "1700000000"), ("app_key", "k1"), ("shop_cipher", "c1")]
    body = b'{"type":"TEXT","content":"{\\"content\\":\\"hi\\"}"}'
    post = signature("app_secret", "/customer_service/202309/conversations/1/messages", query, body)
    assert post == "3c73c006b9e62805d00854b1d3882c51bb2d4f09d101ccc9979538467137a0d8"


async def test_a_text_is_sent_to_its_conversation():
    api = ScriptedApi((asked("POST", MESSAGES, signed=TEXT_BODY, body=TEXT_BODY), recorded("sent")))
    assert await tiktok().send(REPLY, api) == Sent(message="7494560109732334300")
    assert api.requests[0].headers["Content-Type"] == "application/json"
    api.finished()


async def test_a_conversations_id_is_one_step_of_the_path():
    path = "/customer_service/202309/conversations/1%2F..%3Fa/messages"
    api = ScriptedApi((asked("POST", path, signed=TEXT_BODY), recorded("sent")))
    await tiktok().send(Outgoing(id="r", conversation="1/..?a", at=NOW, text=REPLY.text), api)
    api.finished()


async def test_a_picture_is_uploaded_before_it_is_sent():
    def upload(request):
        asked("POST", "/customer_service/202309/images/upload")(request)
        assert b'name="data"; filename="shoe.webp"\r\nContent-Type: image/webp\r\n\r\nRIFF\r\n' in request.body

    content = {"url": "https://p16.example/tos/shoe.jpg", "width": "300", "height": "200"}

    def send(request):
        assert json.loads(request.body)["type"] == "IMAGE"
        assert json.loads(json.loads(request.body)["content"]) == content

    api = ScriptedApi((upload, recorded("uploaded")), (send, recorded("sent")))
    sent = await tiktok().send(Outgoing(id="r2", conversation=TALK, at=NOW, files=[picture()]), api)
    assert sent.message == "7494560109732334300"
    api.finished()


async def test_when_the_upload_fails_nothing_was_sent():
    message = Outgoing(id="r2", conversation=TALK, at=NOW, files=[picture()])
    told = answer_of({"code": 36009003, "message": "Internal error"}, 500)
    with pytest.raises(UnreachableError):
        await tiktok().send(message, ScriptedApi((lambda _: True, told)))


async def test_a_text_with_a_picture_is_refused_before_anything_is_asked():
    message = Outgoing(id="r2", conversation=TALK, at=NOW, text="Look", files=[picture()])
    assert [one.code for one in tiktok().objections(message, NOW)] == ["text_with_files"]
    with pytest.raises(RefusedError, match="one by one"):
        await tiktok().send(message, ScriptedApi())


@pytest.mark.parametrize("name", ["access_token", "shop_cipher"])
async def test_sending_without_a_setting_names_it(name):
    api = ScriptedApi()
    with pytest.raises(RefusedError, match=f"`{name}` is empty"):
        await tiktok(**{name: None}).send(REPLY, api)
    api.finished()


async def test_another_address_of_the_api_is_asked_when_it_is_set():
    api = ScriptedApi((asks("POST", f"http://localhost:9{MESSAGES}"), recorded("sent")))
    await tiktok(api_url="http://localhost:9").send(REPLY, api)


@pytest.mark.parametrize(
    ("code", "message", "status", "error"),
    [
        (105002, "Expired credentials. tok_abc has expired", 401, DeniedError),
        (106001, "signature is invalid", 200, DeniedError),
        (36009004, "Invalid credentials. The `x-tts-access-token` header is invalid.", 400, DeniedError),
        (36009004, "Invalid identifier. The conversation is invalid.", 400, RefusedError),
        (105005, "Access denied. The app has no scope", 403, RefusedError),
        (36009002, "Too many requests", 429, BusyError),
        (1, "slow down", 429, BusyError),
        (36009003, "Internal error", 500, UncertainError),
        ("12001000", "Internal error", 200, UncertainError),
        (5, "?", 502, UncertainError),
        (45101004, "The conversation is too old", 200, RefusedError),
        (10512345, "business", 200, RefusedError),
    ],
)
async def test_errors_are_named_by_what_to_do(code, message, status, error):
    told = answer_of({"code": code, "message": message, "request_id": "1"}, status)
    with pytest.raises(error) as raised:
        await tiktok().send(REPLY, ScriptedApi((lambda _: True, told)))
    assert type(raised.value) is error
    assert "tok_abc" not in str(raised.value)
    if error is RefusedError:
        assert raised.value.code == str(code)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"code":0}', b'{"code":0,"data":{}}', b'{"data":{}}'])
async def test_an_answer_that_says_nothing_leaves_it_open_whether_it_was_sent(body):
    with pytest.raises(UncertainError):
        await tiktok().send(REPLY, ScriptedApi((lambda _: True, answer_of(body))))


async def test_history_reads_conversations_back_until_they_are_older_than_the_window():
    newest = ("page_size", "10"), ("sort_order", "DESC"), ("sort_field", "create_time")
    api = ScriptedApi(
        (asked("GET", CONVERSATIONS, ("page_size", "20")), recorded("conversations")),
        (asked("GET", MESSAGES, *newest), recorded("messages")),
        (asked("GET", MESSAGES, *newest, ("page_token", "older")), recorded("messages_older")),
        (asked("GET", CONVERSATIONS, ("page_size", "20"), ("page_token", "page-2")), recorded("conversations_older")),
    )
    first, second = await pages(tiktok(), api)
    api.finished()
    out, receipt, image, refused = first
    assert out == Message(
        **THREAD,
        message="7494560109732334280",
        sent_at=1_699_999_999_000,
        direction="out",
        sender=Sender(id="7494560109732334298", role="agent"),
        text="Yes, it is.",
        via="push",
    )
    accepted = f"{TALK}/7494560109732334280/accepted"
    assert receipt == Receipt(**THREAD, message=out.message, status="accepted", event=accepted)
    assert (image.direction, image.attachments[0].url) == ("in", "https://files.example/shoe.jpg")
    assert isinstance(refused, Refused)
    assert [one.text for one in second] == ["Hi", "Hello"]


@pytest.mark.parametrize("name", ["text", "echo", "image", "order_card", "robot"])
async def test_what_history_tells_is_what_the_notice_told(name):
    told = payload("tiktok", name)
    pushed = list(tiktok(shop_id=None).parse(WebhookRequest(method="POST", body=told)))
    data = json.loads(told)["data"]
    one = {"id": data.pop("message_id")} | {key: value for key, value in data.items() if key != "conversation_id"}
    listed = answer_of({"code": 0, "data": {"messages": [one], "next_page_token": ""}})
    window = Window(since=0, until=NOW, conversation=pushed[0].conversation)
    assert await pages(tiktok(), ScriptedApi((lambda _: True, listed)), window) == [pushed]


async def test_pages_that_rise_are_read_to_their_end():
    def page(token, *times):
        sender = {"im_user_id": "1", "role": "BUYER"}
        messages = [{"id": str(at), "type": "TEXT", "create_time": at, "sender": sender} for at in times]
        return lambda _: True, answer_of({"code": 0, "data": {"messages": messages, "next_page_token": token}})

    window = Window(since=NOW, until=NOW, conversation=TALK)
    api = ScriptedApi(page("a", 1_600_000_000, 1_600_000_001), page("", 1_600_000_002))
    assert len(await pages(tiktok(), api, window)) == 2
    api.finished()


async def test_a_history_without_end_is_left(monkeypatch):
    monkeypatch.setattr(shop, "MOST_PAGES", 20)
    answers = [answer_of({"code": 0, "data": {"messages": [{}], "next_page_token": token}}) for token in "ab"]
    window = Window(since=0, until=NOW, conversation=TALK)
    with pytest.raises(UncertainError, match="no end"):
        await pages(tiktok(), EndlessApi(*answers), window)
    assert len(await pages(tiktok(), EndlessApi(answers[0]), window)) == 2, "the same page again is the end"


async def test_a_probe_tells_whether_new_messages_are_sent_to_us():
    listed = asked("GET", CONVERSATIONS, ("page_size", "1")), recorded("conversations")
    hooks = asked("GET", "/event/202309/webhooks")
    api = ScriptedApi(listed, (hooks, recorded("webhooks")))
    assert await tiktok().probe(api) == Probe(subscription="active")
    api.finished()
    elsewhere = answer_of(payload("tiktok_api", "webhooks").replace(b"inbox.example", b"other.example"))
    assert (await tiktok().probe(ScriptedApi(listed, (hooks, elsewhere)))).subscription == "disabled"
    none = answer_of({"code": 0, "data": {"webhooks": []}})
    assert await tiktok().probe(ScriptedApi(listed, (hooks, none))) == Probe()
    hidden = answer_of({"code": 105005, "message": "no scope"}, 403)
    assert await tiktok().probe(ScriptedApi(listed, (hooks, hidden))) == Probe()


async def test_a_probe_tells_which_permission_is_lacking():
    told = answer_of({"code": 105005, "message": "Access denied. The app has no scope"}, 403)
    found = await tiktok().probe(ScriptedApi((lambda _: True, told)))
    assert found.lacking == ("customer service",)
    expired = answer_of({"code": 105002, "message": "Expired credentials"}, 401)
    with pytest.raises(DeniedError):
        await tiktok().probe(ScriptedApi((lambda _: True, expired)))


def test_the_page_to_authorise_at():
    url = urlsplit(tiktok().authorise_url(Ask(at=0, state="s/1", redirect="https://weir.test/authorised")))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{AUTH}/oauth/authorize"
    assert dict(parse_qsl(url.query)) == {"app_key": "k1", "state": "s/1"}


def tokens(way, *more):
    return asks("GET", f"{AUTH}/api/v2/token/{way}", query=[("app_key", "k1"), ("app_secret", "s3cret-word"), *more])


CODE = ("auth_code", "c0de"), ("grant_type", "authorized_code")
SHOPS = asked("GET", "/authorization/202309/shops", cipher=False, token="access-new")


async def test_a_code_is_exchanged_for_tokens_and_the_shops_name_for_the_api():
    api = ScriptedApi((tokens("get", *CODE), recorded("granted")), (SHOPS, recorded("shops")))
    bare = tiktok(shop_cipher=None, access_token=None, refresh_token=None)
    granted = await bare.exchange(Reply(query={"code": "c0de", "state": "s"}, redirect="https://weir.test/"), api)
    named = {"shop_cipher": "GCP_one", "shop_id": "7494049642642441621"}
    assert granted.settings == {"access_token": "access-new", "refresh_token": "refresh-new"} | named
    assert set(granted.settings) == set(TikTok.oauth.grants)
    assert (granted.expires_at, granted.refresh_by) == (1_700_604_800_000, 1_731_536_000_000)
    assert granted.scopes == {"seller.authorization.info", "seller.customer_service"}
    assert "new" not in repr(granted)
    api.finished()


@pytest.mark.parametrize("shop_id", [None, "7"])
async def test_a_channel_of_no_or_another_shop_must_say_which(shop_id):
    api = ScriptedApi((tokens("get", *CODE), recorded("granted")), (SHOPS, recorded("shops")))
    with pytest.raises(RefusedError, match="set `shop_id` to one of them"):
        await tiktok(shop_id=shop_id).exchange(Reply(query={"code": "c0de"}, redirect=""), api)
    with pytest.raises(RefusedError, match="no code"):
        await tiktok().exchange(Reply(query={}, redirect=""), ScriptedApi())


async def test_tokens_are_renewed():
    renewing = tokens("refresh", ("refresh_token", "refresh-old"), ("grant_type", "refresh_token"))
    granted = await tiktok().renew(ScriptedApi((renewing, recorded("granted"))))
    assert granted.settings == {"access_token": "access-new", "refresh_token": "refresh-new"}
    assert await tiktok(refresh_token=None).renew(ScriptedApi()) is None


@pytest.mark.parametrize("code", [36004004, 36004001])
async def test_a_refresh_token_that_holds_no_more_is_denied(code):
    told = answer_of({"code": code, "message": "refresh-old of k1 with s3cret-word is invalid"})
    with pytest.raises(DeniedError) as raised:
        await tiktok().renew(ScriptedApi((lambda _: True, told)))
    assert "refresh-old" not in str(raised.value)
    assert "s3cret-word" not in str(raised.value)


def test_a_notice_tells_the_shop_it_is_for():
    def routed(body):
        return tiktok().route(WebhookRequest(method="POST", body=body))

    assert routed(payload("tiktok", "text")) == "7494049642642441621"
    assert routed(payload("tiktok", "deauthorised")) == "7494049642642441621"
    assert routed(payload("tiktok", "order_status")) is None
    assert [routed(body) for body in (b"", b"{", b'{"type":14,"data":{"a":1}}')] == [None] * 3


CALLING = (BusyError, DeniedError, RefusedError, UncertainError, UnreachableError)


@HOSTILE
@given(mutated(payloads("tiktok_api")))
async def test_whatever_the_platform_answers_gives_events_or_a_documented_error(body):
    api = EndlessApi(answer_of(body))
    reply = Reply(query={"code": "c"}, redirect="")
    for act in (tiktok().send(REPLY, api), tiktok().probe(api), tiktok().renew(api), tiktok().exchange(reply, api)):
        with suppress(*CALLING):
            await act
    for conversation in (None, TALK):
        with suppress(*CALLING):
            async for page in tiktok().history(Window(since=0, until=NOW, conversation=conversation), api):
                assert all(isinstance(one, Message | Receipt | Refused) for one in page)
                if len(api.requests) > 20:
                    break
