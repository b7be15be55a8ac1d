"""AliExpress: its signature, its messages polled and answered, and nothing of it before it is confirmed."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import parse_qsl

import pytest
from hypothesis import given

from actors.errors import RejectedError
from actors.events import Attachment, Message, Receipt, Sender
from connectors.aliexpress import AliExpress, signature
from connectors.contract.authorising import Ask, Grant, Reply
from connectors.contract.calling import BusyError, DeniedError, RefusedError, UncertainError, UnreachableError
from connectors.contract.connector import Binding, SignatureError, WebhookRequest
from connectors.contract.history import Probe, Window
from connectors.contract.outgoing import Outgoing, Sent
from connectors.contract.signatures import enclosed_md5
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of

FOLDER = "aliexpress_api"
SYNC = "https://api-sg.aliexpress.com/sync"
METHODS = "aliexpress.message.redefining.versiontwo."
SETTINGS = {
    "confirmed": "yes",
    "app_key": "1",
    "app_secret": "s3cr3t",
    "login_id": "cn1",
    "access_token": "old-token",
    "refresh_token": "old-refresh",
}
WINDOW = Window(since=1_773_950_400_000, until=NOW)
THREAD = {"platform": "aliexpress", "account": "mall", "conversation": "5001"}
REPLY = Outgoing(id="w", conversation="5001", at=NOW, text="Tomorrow.", recipient="br100")
FOUND = [
    Message(
        **THREAD,
        message="m3",
        sent_at=1_773_953_400_000,
        direction="out",
        sender=Sender(id="cn1", name="Shop", role="agent"),
        text="Tomorrow.",
        via="poll",
        extra={"kind": "order"},
    ),
    Receipt(**THREAD, message="m3", status="accepted", event="5001/m3/accepted"),
    Message(
        **THREAD,
        message="m2",
        sent_at=1_773_953_039_462,
        direction="in",
        sender=Sender(id="br100", name="Ana", role="customer"),
        text="when? 你好",
        via="poll",
    ),
]


def ali(**settings):
    url = "https://inbox.example/webhooks/aliexpress/mall"
    return AliExpress(Binding(account="mall", url=url, settings=SETTINGS | settings))


def form(method, url=SYNC, prefix="", **parameters):
    """A signed form of these parameters, and no others but those every request has."""

    def holds(request):
        assert (request.method, request.url) == ("POST", url)
        told = dict(parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True))
        sign = told.pop("sign")
        assert sign == signature("s3cr3t", told, prefix)
        common = {"app_key": "1", "sign_method": "sha256", "timestamp": str(NOW)}
        business = {"method": METHODS + method, "access_token": "old-token"} if method else {}
        values = {name: json.loads(value) if value.startswith("{") else value for name, value in told.items()}
        assert values == common | business | parameters

    return holds


def relations(source, number=1, size=50):
    query = {"msg_sources": source, "current_page": number, "page_size": size}
    return form("querymsgrelationlist", query=query)


DETAILS = form("querymsgdetaillist", channel_id="5001", msg_sources="message_center", current_page="1", page_size="50")
TOLD = {"channel_id": "5001", "buyer_id": "br100", "content": "Tomorrow.", "msg_sources": "message_center"}
ADDED = form("addmsg", create_param=TOLD)


def test_the_signature_of_a_business_method():
    parameters = {
        "timestamp": "1700000000000",
        "access_token": "t",
        "app_key": "1",
        "method": "aliexpress.x",
        "sign_method": "sha256",
    }
    genuine = "B62DAABE7E09EC94497525F3D06E461B80ECD6D998A0F8229846612322566DFB"
    assert signature("s3cr3t", parameters) == genuine
    assert signature("s3cr3t", parameters, "/auth/token/create") != genuine
    assert signature("s3cr3u", parameters) != genuine


async def test_an_app_of_the_older_gateway_signs_with_md5():
    def asked(request):
        told = dict(parse_qsl(request.body.decode(), strict_parsing=True))
        assert told.pop("sign") == enclosed_md5("s3cr3t", told)
        assert told["sign_method"] == "md5"

    api = ScriptedApi((asked, answer(FOLDER, "no_relations")))
    assert await ali(sign_method="md5").probe(api) == Probe()
    api.finished()
    with pytest.raises(RejectedError, match="sign_method is `sha256` or `md5`"):
        ali(sign_method="MD5")


@pytest.mark.parametrize("headers", [{}, {"authorization": "x"}])
def test_every_webhook_is_refused(headers):
    with pytest.raises(SignatureError, match="polled"):
        ali().verify(WebhookRequest(method="POST", headers=headers, body=b"{}"))
    assert ali().parse(WebhookRequest(method="POST", body=b"{}")) == ()


async def pages(connector, window, api):
    return [one async for page in connector.history(window, api) for one in page]


@pytest.mark.parametrize("settings", [{"confirmed": ""}, {"confirmed": "no"}])
async def test_nothing_is_asked_before_it_is_confirmed(settings):
    connector, api = ali(**settings), ScriptedApi()
    for asked in (
        connector.send(REPLY, api),
        pages(connector, WINDOW, api),
        connector.probe(api),
        connector.renew(api),
        connector.exchange(Reply(query={"code": "c"}, redirect=""), api),
    ):
        with pytest.raises(RefusedError, match="`confirmed` to yes"):
            await asked
    with pytest.raises(RefusedError, match="unconfirmed"):
        connector.authorise_url(Ask(at=0, state="s", redirect=""))
    with pytest.raises(RejectedError, match="confirmed"):
        ali(confirmed="maybe")


async def test_history_reads_letters_and_order_messages_that_are_new():
    api = ScriptedApi(
        (relations("message_center"), answer(FOLDER, "relations")),
        (DETAILS, answer(FOLDER, "details")),
        (relations("order_msg"), answer(FOLDER, "no_relations")),
    )
    assert await pages(ali(), WINDOW, api) == FOUND
    api.finished()


def by_buyer(login="br100", **order):
    place = {"current_page": "1", "page_size": "50"}
    return form("querymsgdetaillistbybuyerid", buyer_login_id=login, **order, **place)


async def test_messages_are_listed_by_the_buyer_where_the_channel_wants_that():
    api = ScriptedApi(
        (relations("message_center"), answer(FOLDER, "relations")),
        (by_buyer(), answer(FOLDER, "details")),
        (relations("order_msg"), answer(FOLDER, "no_relations")),
    )
    assert await pages(ali(by_buyer="yes"), WINDOW, api) == FOUND
    api.finished()
    with pytest.raises(RejectedError, match="by_buyer"):
        ali(by_buyer="maybe")


async def test_the_buyer_of_one_conversation_is_looked_up():
    orders = {"relation_list": [{"channel_id": "77", "other_login_id": "br7"}]}
    api = ScriptedApi(
        (relations("order_msg"), answer_of(orders)),
        (by_buyer("br7", extern_id="77"), answer(FOLDER, "details")),
    )
    window = Window(since=0, until=NOW, conversation="order_msg:77")
    found = await pages(ali(by_buyer="yes"), window, api)
    assert {one.conversation for one in found} == {"order_msg:77"}
    api.finished()
    api = ScriptedApi(
        (relations("message_center"), answer(FOLDER, "no_relations")), (DETAILS, answer(FOLDER, "details"))
    )
    window = Window(since=WINDOW.since, until=NOW, conversation="5001")
    assert await pages(ali(by_buyer="yes"), window, api) == FOUND, "one that is listed no more is asked for by itself"
    api.finished()


async def test_history_of_an_orders_messages_names_the_order():
    asked = form("querymsgdetaillist", channel_id="77", msg_sources="order_msg", current_page="1", page_size="50")
    api = ScriptedApi((asked, answer(FOLDER, "details")))
    found = await pages(ali(), Window(since=0, until=NOW, conversation="order_msg:77"), api)
    assert {(one.conversation, getattr(one, "order", "77")) for one in found} == {("order_msg:77", "77")}
    api.finished()


async def test_paging_ends_with_what_is_older_than_the_window():
    old = [{"id": str(n), "content": "x", "gmt_create": 1_673_953_039_462, "sender_login_id": "b"} for n in range(50)]
    api = EndlessApi(answer_of({"message_detail_list": old}))
    window = Window(since=WINDOW.since, until=NOW, conversation="5001")
    assert await pages(ali(), window, api) == []
    assert len(api.requests) == 1


async def test_an_answer_may_tell_an_id_or_none():
    api = ScriptedApi((ADDED, answer(FOLDER, "sent")))
    assert await ali().send(REPLY, api) == Sent()
    api.finished()
    told = answer_of({"x": {"result": {"is_success": True, "message_id": 77}}})
    assert await ali().send(REPLY, ScriptedApi((ADDED, told))) == Sent(message="77")


async def test_pictures_are_announced_with_their_addresses():
    files = [{"large": "https://files.example/1.jpg"}, {"l_path": "https://files.example/2.jpg"}, 3]
    one = {"id": "1", "gmt_create": NOW, "sender_login_id": "b", "file_path_list": files}
    api = EndlessApi(answer_of({"message_detail_list": [one]}))
    (message,) = await pages(ali(), Window(since=0, until=NOW, conversation="5001"), api)
    assert message.attachments == [
        Attachment(id="1:0", kind="image", url="https://files.example/1.jpg"),
        Attachment(id="1:1", kind="image", url="https://files.example/2.jpg"),
        Attachment(id="1:2", kind="image"),
    ]


async def test_what_sending_needs_is_named():
    with pytest.raises(RefusedError, match="nobody"):
        await ali().send(Outgoing(id="w", conversation="5001", at=NOW, text="x"), ScriptedApi())
    with pytest.raises(RefusedError, match="`access_token`"):
        await ali(access_token="").send(REPLY, ScriptedApi())


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer(FOLDER, "error_token"), DeniedError),
        (answer_of({"error_response": {"code": 27, "msg": "Invalid session"}}), DeniedError),
        (answer_of({"error_response": {"code": 7, "msg": "App Call Limited"}}), BusyError),
        (answer_of({"error_response": {"code": 15, "sub_code": "isp.timeout"}}), UncertainError),
        (answer_of({"error_response": {"code": 50, "sub_code": "isp.remote"}}), UncertainError),
        (answer_of({"error_response": {"code": 11, "msg": "Insufficient isv permissions s3cr3t"}}), RefusedError),
        (answer_of({"x": {"is_success": False, "error_msg": "blocked old-token"}}), RefusedError),
        (answer_of({"x": {"is_success": [1]}}), UncertainError),
        (answer_of(b"<html>"), UncertainError),
        (answer_of({}, 500), UncertainError),
        (UnreachableError("no route"), UnreachableError),
    ],
)
async def test_what_became_of_an_answer_is_told_apart(told, error):
    with pytest.raises(error) as failed:
        await ali().send(REPLY, ScriptedApi((ADDED, told)))
    assert type(failed.value) is error
    assert not any(word in str(failed.value) for word in ("s3cr3t", "old-token"))


async def test_the_probe_needs_the_token():
    asked = relations("message_center", size=1)
    assert await ali().probe(ScriptedApi((asked, answer(FOLDER, "relations")))) == Probe()
    with pytest.raises(DeniedError):
        await ali().probe(ScriptedApi((asked, answer(FOLDER, "error_token"))))


def test_consent_is_asked_for():
    assert ali().authorise_url(Ask(at=0, state="s", redirect="https://weir.example/o")) == (
        "https://api-sg.aliexpress.com/oauth/authorize?response_type=code&force_auth=true"
        "&redirect_uri=https%3A%2F%2Fweir.example%2Fo&client_id=1&state=s"
    )


GRANT = Grant(
    settings={"access_token": "new-token", "refresh_token": "new-refresh"},
    expires_at=NOW + 2_592_000_000,
    refresh_by=NOW + 5_184_000_000,
)


async def test_codes_and_refresh_tokens_give_tokens():
    rest = "https://api-sg.aliexpress.com/rest/auth/token/"
    asked = form("", rest + "create", "/auth/token/create", code="c-1")
    api = ScriptedApi((asked, answer(FOLDER, "granted")))
    assert await ali().exchange(Reply(query={"code": "c-1"}, redirect=""), api) == GRANT
    asked = form("", rest + "refresh", "/auth/token/refresh", refresh_token="old-refresh")
    assert await ali().renew(ScriptedApi((asked, answer(FOLDER, "granted")))) == GRANT
    assert await ali(refresh_token="").renew(ScriptedApi()) is None
    with pytest.raises(RefusedError, match="consent"):
        await ali().exchange(Reply(query={}, redirect=""), ScriptedApi())
    with pytest.raises(UncertainError, match="no token"):
        await ali().renew(EndlessApi(answer_of({"code": "0"})))


@HOSTILE
@given(mutated(payloads(FOLDER)))
async def test_whatever_the_api_answers_gives_events_or_documented_errors(body):
    for status in (200, 400):
        api = EndlessApi(answer_of(body, status))
        with suppress(BusyError, DeniedError, RefusedError, UncertainError):
            await pages(ali(), WINDOW, api)
        with suppress(BusyError, DeniedError, RefusedError, UncertainError):
            await pages(ali(), Window(since=0, until=NOW, conversation="1"), api)
        with suppress(BusyError, DeniedError, RefusedError, UncertainError):
            await ali().send(REPLY, api)
