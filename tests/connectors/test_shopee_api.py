"""Shopee's API: what is sent and how it is signed, what is read back, and how a channel is authorised."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given

from actors.events import Attachment, Message, Receipt, Sender
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
from connectors.shopee import Shopee
from connectors.shopee import shop as shop_module
from connectors.shopee.api import signature
from tests.connectors.mutations import HOSTILE, mutated, payload, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

HOST = "https://partner.shopeemobile.com"
CHANNEL = {"platform": "shopee", "account": "id"}
THREAD = CHANNEL | {"conversation": "709122092476686867"}
KEYS = {
    "push_key": "pushed-secret",
    "partner_key": "test_partner_key",
    "partner_id": "1000001",
    "shop_id": "200002",
    "access_token": "tok_abc",
    "refresh_token": "refresh-old",
}
HOUR_MS = 3_600_000
WINDOW = Window(since=NOW - HOUR_MS, until=NOW)
REPLY = Outgoing(id="r1", conversation="709122092476686867", at=NOW, text="Ya, tahan air.", recipient="501")


def shopee(**settings):
    given_ = {name: value for name, value in (KEYS | settings).items() if value is not None}
    url = "https://inbox.example/webhooks/shopee/id"
    return Shopee(Binding(account="id", url=url, settings=given_))


def recorded(name, **headers):
    return answer("shopee_api", name, **headers)


def shop_query(path, *more):
    sign = signature("test_partner_key", "1000001", path, "1700000000", "tok_abc", "200002")
    common = [("partner_id", "1000001"), ("timestamp", "1700000000"), ("access_token", "tok_abc")]
    return [*common, ("shop_id", "200002"), ("sign", sign), *more]


def app_query(path, *more):
    sign = signature("test_partner_key", "1000001", path, "1700000000")
    return [("partner_id", "1000001"), ("timestamp", "1700000000"), ("sign", sign), *more]


def asked(method, path, *more, shop=True, **expected):
    query = (shop_query if shop else app_query)(path, *more)
    return asks(method, f"{HOST}{path}", query=query, **expected)


def picture(content=b"\x89PNG", **changes):
    async def read():
        yield content

    about = {"name": "lamp.png", "mime": "image/png", "size": len(content), "digest": "d"}
    return OutgoingFile(**about | changes, read=read)


async def pages(connector, api, window=WINDOW):
    return [page async for page in connector.history(window, api)]


def test_requests_are_signed_as_documented():
    concatenated = ("/api/v2/auth/token/get", "123456", "test_partner_id", "test_shop_id", "test_main_account_id")
    assert (
        signature("test_partner_key", *concatenated)
        == "37c864bd9821ff5f2c2f46b2faca14eb1811a718d1fdc6dcf383cba7c74bf9e9"
    )
    shop = ("1000001", "/api/v2/sellerchat/send_message", "1700000000", "tok_abc", "200002")
    assert signature("test_partner_key", *shop) == "45d5d55c1d2a3b7a2bb027f37848bab8e28cf4979227635854fecf880c26c8d4"


async def test_a_text_goes_to_the_buyer():
    body = {"to_id": 501, "message_type": "text", "content": {"text": "Ya, tahan air."}}
    headers = {"content-type": "application/json"}
    api = ScriptedApi((asked("POST", "/api/v2/sellerchat/send_message", json=body, headers=headers), recorded("sent")))
    sent = await shopee().send(REPLY, api)
    assert sent == Sent(message="2302748948493124001", at=1_700_000_001_000)
    api.finished()


async def test_another_address_of_the_api_is_asked_when_it_is_set():
    api = ScriptedApi((asks("POST", "http://localhost:9/api/v2/sellerchat/send_message"), recorded("sent")))
    await shopee(api_url="http://localhost:9/").send(REPLY, api)


async def test_a_picture_is_uploaded_before_it_is_sent():
    def upload(request):
        asked("POST", "/api/v2/sellerchat/upload_image")(request)
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="file"; filename="lamp.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n' in request.body

    body = {"to_id": 501, "message_type": "image", "content": {"image_url": "https://cf.example/file/lamp-7"}}
    api = ScriptedApi(
        (upload, recorded("uploaded")), (asked("POST", "/api/v2/sellerchat/send_message", json=body), recorded("sent"))
    )
    message = Outgoing(id="r2", conversation="c", at=NOW, recipient="501", files=[picture()])
    assert (await shopee().send(message, api)).message == "2302748948493124001"
    api.finished()


@pytest.mark.parametrize("failed", [UncertainError("no answer"), UnreachableError("no route")])
async def test_when_the_upload_fails_nothing_was_sent(failed):
    message = Outgoing(id="r2", conversation="c", at=NOW, recipient="501", files=[picture()])
    with pytest.raises(UnreachableError):
        await shopee().send(message, ScriptedApi((lambda _: True, failed)))


@pytest.mark.parametrize("name", ["partner_id", "partner_key", "access_token", "shop_id"])
async def test_sending_without_a_setting_names_it(name):
    api = ScriptedApi()
    with pytest.raises(RefusedError, match=f"`{name}` is empty"):
        await shopee(**{name: None}).send(REPLY, api)
    api.finished()


@pytest.mark.parametrize("buyer", [None, "", "budi", "5\u0661"])
async def test_without_a_buyers_number_nothing_is_sent(buyer):
    with pytest.raises(RefusedError, match="buyer's number"):
        await shopee().send(Outgoing(id="r", conversation="c", at=NOW, text="x", recipient=buyer), ScriptedApi())


async def test_a_text_with_a_picture_is_refused_before_anything_is_asked():
    message = Outgoing(id="r", conversation="c", at=NOW, text="x", recipient="501", files=[picture()])
    assert [one.code for one in shopee().objections(message, NOW)] == ["text_with_files"]
    with pytest.raises(RefusedError, match="one by one"):
        await shopee().send(message, ScriptedApi())


def test_pictures_of_other_kinds_or_over_two_megabytes_are_objected_to():
    files = [picture(mime="image/webp", size=2 * 2**20 + 1)]
    found = shopee().objections(Outgoing(id="r", conversation="c", at=NOW, files=files), NOW)
    assert [one.code for one in found] == ["file_too_large", "file_kind"]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("invalid_acceess_token", 403, DeniedError),
        ("error_auth", 200, DeniedError),
        ("error_sign", 403, DeniedError),
        ("system_busy", 200, BusyError),
        ("error_rate_limit", 429, BusyError),
        ("error_limit", 200, BusyError),
        ("error_server", 500, UncertainError),
        ("error_inner", 200, UncertainError),
        ("error_whatever", 502, UncertainError),
        ("not_open_market", 200, RefusedError),
        ("error_param", 400, RefusedError),
    ],
)
async def test_errors_are_named_by_what_to_do(code, status, error):
    told = answer_of({"error": code, "message": "Sorry, tok_abc is wrong", "request_id": "1"}, status)
    with pytest.raises(error) as raised:
        await shopee().send(REPLY, ScriptedApi((lambda _: True, told)))
    assert type(raised.value) is error
    assert "tok_abc" not in str(raised.value)
    assert code in str(raised.value)
    if error is RefusedError:
        assert raised.value.code == code


async def test_the_days_quota_starts_anew_at_midnight_of_singapore():
    told = answer_of({"error": "error_limit", "message": "daily"})
    with pytest.raises(BusyError) as raised:
        await shopee().send(REPLY, ScriptedApi((lambda _: True, told)))
    assert raised.value.retry_after == 64_000  # 06:13:20 there, until 24:00


async def test_a_shop_that_took_the_app_away_is_told_apart():
    told = answer_of({"error": "error_auth", "message": "partner and shop has no linked"}, 403)
    with pytest.raises(DeniedError) as raised:
        await shopee().probe(ScriptedApi((lambda _: True, told)))
    assert raised.value.revoked


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":""}', b'{"error":"","response":{}}'])
async def test_an_answer_that_says_nothing_leaves_it_open_whether_it_was_sent(body):
    with pytest.raises(UncertainError):
        await shopee().send(REPLY, ScriptedApi((lambda _: True, answer_of(body))))


async def test_history_reads_conversations_back_until_they_are_older_than_the_window():
    listing, messages = "/api/v2/sellerchat/get_conversation_list", "/api/v2/sellerchat/get_message"
    of = ("type", "all"), ("page_size", "50")
    older = ("direction", "older"), ("next_timestamp_nano", "1699999990000000000")

    def page(conversation, *more):
        return asked("GET", messages, ("conversation_id", conversation), ("page_size", "50"), *more)

    api = ScriptedApi(
        (asked("GET", "/api/v2/push/get_lost_push_message", shop=False), recorded("lost_none")),
        (asked("GET", listing, ("direction", "latest"), *of), recorded("conversations")),
        (page("709122092476686867"), recorded("messages")),
        (page("709122092476686867", ("offset", "2302748948493123998")), recorded("messages_older")),
        (page("709122092476686868"), recorded("messages_none")),
        (asked("GET", listing, *older, *of), recorded("conversations_older")),
    )
    first, second, third = await pages(shopee(), api)
    api.finished()
    out, receipt, image, refused = first
    assert out == Message(
        **THREAD,
        message="2302748948493124000",
        sent_at=1_699_999_999_000,
        direction="out",
        sender=Sender(id="900", role="agent"),
        text="Ya, tahan air.",
        via="push",
    )
    accepted = "709122092476686867/2302748948493124000/accepted"
    assert receipt == Receipt(**THREAD, message=out.message, status="accepted", event=accepted)
    assert image.attachments == [
        Attachment(id="2302748948493123999:0", kind="image", url="https://cf.example/file/abc")
    ]
    assert (image.order, image.direction) == ("260611ABCD123", "in")
    assert isinstance(refused, Refused)
    assert [one.message for one in second] == ["2302748948493100000"]
    assert third == []


async def test_what_history_tells_is_what_the_push_told():
    told = payload("shopee", "text")
    (pushed,) = shopee().parse(WebhookRequest(method="POST", body=told))
    listed = {"messages": [json.loads(told)["data"]["content"]], "page_result": {"next_offset": ""}}
    window = Window(since=0, until=NOW, conversation=pushed.conversation)
    api = ScriptedApi((lambda _: True, answer_of({"error": "", "response": listed})))
    ((message,),) = await pages(shopee(), api, window)
    assert message == pushed


async def test_one_conversation_alone_is_asked_for_alone():
    messages = asked(
        "GET", "/api/v2/sellerchat/get_message", ("conversation_id", "709122092476686867"), ("page_size", "50")
    )
    api = ScriptedApi((messages, recorded("messages_none")))
    window = Window(since=0, until=NOW, conversation="709122092476686867")
    assert await pages(shopee(), api, window) == [[]]
    api.finished()


async def test_lost_pushes_are_confirmed_when_they_were_taken_in():
    lost = asked("GET", "/api/v2/push/get_lost_push_message", shop=False)
    consumed = asked(
        "POST", "/api/v2/push/confirm_consumed_lost_push_message", shop=False, json={"last_message_id": 176610}
    )
    api = ScriptedApi((lost, recorded("lost")), (consumed, recorded("confirmed")), (lost, recorded("lost_whole")))
    history = shopee().history(WINDOW, api)
    (message,) = await anext(history)
    assert (message.message, message.text, message.sender.name) == ("2302748948493120001", "Halo?", "budi_jkt")
    assert len(api.requests) == 1, "it is not confirmed before it was taken in"
    (refused,) = await anext(history)
    assert isinstance(refused, Refused)
    await history.aclose()
    api.finished()


async def test_lost_pushes_of_another_shop_are_left_to_its_own_channel():
    api = ScriptedApi(
        (asked("GET", "/api/v2/push/get_lost_push_message", shop=False), recorded("lost_whole")),
        (asks("GET", f"{HOST}/api/v2/sellerchat/get_conversation_list"), answer_of({"error": "", "response": {}})),
    )
    ((refused,),) = await pages(shopee(), api)
    assert isinstance(refused, Refused)
    api.finished()


async def test_lost_pushes_of_another_time_are_not_confirmed():
    api = ScriptedApi(
        (asked("GET", "/api/v2/push/get_lost_push_message", shop=False), recorded("lost")),
        (asks("GET", f"{HOST}/api/v2/sellerchat/get_conversation_list"), answer_of({"error": "", "response": {}})),
    )
    ((message,),) = await pages(shopee(), api, Window(since=NOW - 2 * HOUR_MS, until=NOW - HOUR_MS))
    assert message.text == "Halo?"
    api.finished()


async def test_a_history_without_end_is_left(monkeypatch):
    monkeypatch.setattr(shop_module, "MOST_PAGES", 20)
    told = recorded("messages")
    with pytest.raises(UncertainError, match="no end"):
        await pages(shopee(), EndlessApi(told), Window(since=0, until=NOW, conversation="c"))


async def test_a_probe_tells_how_long_the_shop_lets_us_and_whether_pushes_come():
    api = ScriptedApi(
        (asked("GET", "/api/v2/shop/get_shop_info"), recorded("shop")),
        (asked("GET", "/api/v2/push/get_app_push_config", shop=False), recorded("pushes")),
    )
    assert await shopee().probe(api) == Probe(auth="ok", expires_at=1_721_536_000_000, subscription="active")
    api.finished()


async def test_a_probe_tells_of_an_authorisation_that_ends_and_of_suspended_pushes():
    ends = answer_of({"error": "", "expire_time": NOW // 1_000 + 86_400})
    stopped = answer_of({"error": "", "response": {"live_push_status": "Suspended"}})
    found = await shopee().probe(ScriptedApi((lambda _: True, ends), (lambda _: True, stopped)))
    assert (found.auth, found.subscription) == ("expiring", "disabled")
    hidden = answer_of({"error": "error_permission", "message": "no"}, 403)
    found = await shopee().probe(ScriptedApi((lambda _: True, ends), (lambda _: True, hidden)))
    assert found.subscription == "unknown"


def test_the_page_to_authorise_at_is_signed_and_brings_the_state_back():
    url = urlsplit(shopee().authorise_url(Ask(at=NOW, state="s/1", redirect="https://weir.test/authorised?x=1")))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{HOST}/api/v2/shop/auth_partner"
    query = app_query("/api/v2/shop/auth_partner", ("redirect", "https://weir.test/authorised?x=1&state=s%2F1"))
    assert parse_qsl(url.query) == query


async def test_a_code_is_exchanged_for_tokens():
    body = {"code": "c0de", "shop_id": 200002, "partner_id": 1000001}
    api = ScriptedApi((asked("POST", "/api/v2/auth/token/get", shop=False, json=body), recorded("granted")))
    reply = Reply(query={"code": "c0de", "shop_id": "200002", "state": "s"}, redirect="https://weir.test/authorised")
    connector = shopee(shop_id=None, access_token=None, refresh_token=None)
    granted = await connector.exchange(reply, api)
    assert granted.settings == {"access_token": "access-new", "refresh_token": "refresh-new", "shop_id": "200002"}
    assert granted.expires_at == NOW + 4 * HOUR_MS
    assert granted.refresh_by == NOW + 30 * 24 * HOUR_MS
    assert set(granted.settings) == set(Shopee.oauth.grants)
    assert "new" not in repr(granted)
    api.finished()


@pytest.mark.parametrize("query", [{}, {"code": "c0de", "main_account_id": "7"}, {"code": "c0de", "shop_id": "7"}])
async def test_what_is_not_this_shops_code_is_refused(query):
    with pytest.raises(RefusedError):
        await shopee().exchange(Reply(query=query, redirect="https://weir.test/"), ScriptedApi())


async def test_tokens_are_renewed():
    body = {"refresh_token": "refresh-old", "shop_id": 200002, "partner_id": 1000001}
    api = ScriptedApi((asked("POST", "/api/v2/auth/access_token/get", shop=False, json=body), recorded("granted")))
    granted = await shopee().renew(api)
    assert granted.settings["refresh_token"] == "refresh-new"
    assert await shopee(refresh_token=None).renew(ScriptedApi()) is None
    api.finished()


@pytest.mark.parametrize("code", ["error_auth", "error_param"])
async def test_a_refresh_token_that_holds_no_more_is_denied(code):
    told = answer_of({"error": code, "message": "Invalid refresh_token refresh-old"}, 403)
    with pytest.raises(DeniedError) as raised:
        await shopee().renew(ScriptedApi((lambda _: True, told)))
    assert "refresh-old" not in str(raised.value)


def test_a_push_tells_the_shop_it_is_for():
    def routed(body):
        return shopee().route(WebhookRequest(method="POST", body=body))

    assert routed(payload("shopee", "text")) == "200002"
    assert routed(payload("shopee", "order_status")) is None
    assert [routed(body) for body in (b"", b"{", b'{"code":10,"data":{"type":"message"}}')] == [None] * 3


CALLING = (BusyError, DeniedError, RefusedError, UncertainError, UnreachableError)


@HOSTILE
@given(mutated(payloads("shopee_api")))
async def test_whatever_the_platform_answers_gives_events_or_a_documented_error(body):
    api = EndlessApi(answer_of(body))
    for act in (shopee().send(REPLY, api), shopee().probe(api), shopee().renew(api)):
        with suppress(*CALLING):
            await act
    for conversation in (None, "709122092476686867"):
        with suppress(*CALLING):
            async for page in shopee().history(Window(since=0, until=NOW, conversation=conversation), api):
                assert all(isinstance(one, Message | Receipt | Refused) for one in page)
                if len(api.requests) > 20:
                    break


async def test_lost_pushes_that_never_end_are_not_asked_for_for_ever():
    more = {"push_message_list": [{"data": '{"type":"order"}'}], "last_message_id": 7, "has_next_page": True}
    api = EndlessApi(answer_of(json.dumps({"error": "", "response": more}).encode()))
    with pytest.raises(UncertainError):
        async for _ in shopee().history(Window(since=0, until=NOW), api):
            pass
