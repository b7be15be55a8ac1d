"""What is asked of Telegram's Bot API, and what its answers mean."""

from __future__ import annotations

import email.policy
import json
from contextlib import suppress
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import RejectedError
from actors.events import Attachment
from connectors.contract.calling import (
    ApiResponse,
    BusyError,
    DeniedError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from connectors.contract.connector import Binding, Refused
from connectors.contract.history import Probe
from connectors.telegram import Telegram
from connectors.telegram.inbound import UPDATES
from tests.connectors.meta_contract import DOCUMENTED, file, reply
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
BOT = f"https://api.telegram.org/bot{TOKEN}"
URL = "https://weir.example/webhooks/telegram/bot-1"
SENT = answer("telegram_api", "sent")


def connector(**settings):
    about = {"secret_token": "s3cret", "bot_token": TOKEN, **settings}
    return Telegram(Binding(account="bot-1", url=URL, settings={name: one for name, one in about.items() if one}))


def message(**fields):
    return reply(**({"conversation": "1001"} | fields))


def told(code, description, status=None, **parameters):
    body = {"ok": False, "error_code": code, "description": description}
    return answer_of(body | ({"parameters": parameters} if parameters else {}), status or code)


async def test_a_text_goes_to_the_chat():
    api = ScriptedApi((asks("POST", f"{BOT}/sendMessage", json={"chat_id": 1001, "text": "Sí 🙂"}), SENT))
    sent = await connector().send(message(text="Sí 🙂"), api)
    api.finished()
    assert (sent.message, sent.at) == ("42", 1_767_225_700_000)


async def test_an_answer_names_the_message_and_stays_in_its_topic():
    body = {
        "chat_id": -1001234567890,
        "text": "Yes",
        "message_thread_id": 3,
        "reply_parameters": {"message_id": 41, "allow_sending_without_reply": True},
    }
    api = ScriptedApi((asks("POST", f"{BOT}/sendMessage", json=body), SENT))
    told_by = message(conversation="-1001234567890", text="Yes", reply_to="41", extra={"topic": "3"})
    await connector().send(told_by, api)
    api.finished()


async def test_a_business_accounts_messages_are_answered_in_its_name():
    body = {
        "chat_id": 1001,
        "text": "Yes",
        "business_connection_id": "conn-1",
        "reply_parameters": {"message_id": 41, "allow_sending_without_reply": True},
    }
    api = ScriptedApi((asks("POST", f"{BOT}/sendMessage", json=body), SENT))
    extra = {"business_connection": "conn-1"}
    sent = await connector().send(message(text="Yes", reply_to="conn-1:41", extra=extra), api)
    api.finished()
    assert sent.message == "conn-1:42", "as its updates name it"


@pytest.mark.parametrize(
    ("name", "mime", "method", "field"),
    [
        ("a.png", "image/png", "sendPhoto", "photo"),
        ("a.gif", "image/gif", "sendAnimation", "animation"),
        ("a.mp4", "video/mp4", "sendVideo", "video"),
        ("a.mp3", "audio/mpeg", "sendAudio", "audio"),
        ("invöice.pdf", "application/pdf", "sendDocument", "document"),
    ],
)
async def test_a_file_goes_with_the_text_below_it(name, mime, method, field):
    def sends(request):
        assert (request.method, request.url) == ("POST", f"{BOT}/{method}")
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        *fields, data = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body).iter_parts()
        named = {one.get_param("name", header="content-disposition"): one.get_payload(decode=True) for one in fields}
        quoted = json.loads(named.pop("reply_parameters"))
        assert quoted == {"message_id": 41, "allow_sending_without_reply": True}
        assert named == {"chat_id": b"1001", "caption": "Sí".encode()}
        assert data.get_param("name", header="content-disposition") == field
        assert (data.get_content_type(), data.get_payload(decode=True)) == (mime, b"\x89PNG")

    api = ScriptedApi((sends, SENT))
    await connector().send(message(text="Sí", reply_to="41", files=[file(name, mime)]), api)
    api.finished()


async def test_a_photo_that_is_too_large_for_one_is_a_document():
    large = file(content=b"x" * (10 * 2**20 + 1))
    api = ScriptedApi((lambda request: request.url == f"{BOT}/sendDocument", SENT))
    assert connector().objections(message(files=[large]), NOW) == []
    await connector().send(message(files=[large]), api)
    api.finished()


async def test_what_cannot_be_one_message_is_not_sent():
    long = message(text="x" * 1_025, files=[file()])
    assert [one.code for one in connector().objections(long, NOW)] == ["text_too_long"]
    for wrong in (message(text=" "), message(files=[file()] * 11)):
        with pytest.raises(RefusedError):
            await connector().send(wrong, ScriptedApi())
    with pytest.raises(RefusedError, match="bot_token"):
        await connector(bot_token="").send(message(text="x"), ScriptedApi())


ALBUM = {"ok": True, "result": [{"message_id": 42, "date": 1_767_225_700}, {"message_id": 43, "date": 1_767_225_700}]}


def parts_of(request):
    """The fields of a form, and its files by field."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parts = list(BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body).iter_parts())
    named = {one.get_param("name", header="content-disposition"): one for one in parts}
    fields = {name: one.get_payload(decode=True).decode() for name, one in named.items() if not one.get_filename()}
    return fields, {name: one for name, one in named.items() if one.get_filename()}


@pytest.mark.parametrize(
    ("mimes", "kinds"),
    [
        (("image/png", "image/jpeg"), ["photo", "photo"]),
        (("image/png", "video/mp4"), ["photo", "video"]),
        (("audio/mpeg", "audio/mp4"), ["audio", "audio"]),
        (("application/pdf", "text/plain"), ["document", "document"]),
        (("image/png", "application/pdf"), ["document", "document"]),
        (("image/png", "image/gif"), ["document", "document"]),
        (("audio/mpeg", "video/mp4"), ["document", "document"]),
    ],
)
async def test_several_files_go_as_one_album_of_what_goes_together(mimes, kinds):
    def sends(request):
        assert (request.method, request.url) == ("POST", f"{BOT}/sendMediaGroup")
        fields, files = parts_of(request)
        assert json.loads(fields.pop("media")) == [
            {"type": kinds[0], "media": "attach://file0", "caption": "Both"},
            {"type": kinds[1], "media": "attach://file1"},
        ]
        assert fields == {"chat_id": "1001"}
        assert {name: (one.get_content_type(), one.get_payload(decode=True)) for name, one in files.items()} == {
            f"file{number}": (mime, b"\x89PNG") for number, mime in enumerate(mimes)
        }

    api = ScriptedApi((sends, answer_of(ALBUM)))
    album = message(text="Both", files=[file("a", mime) for mime in mimes])
    assert connector().objections(album, NOW) == []
    sent = await connector().send(album, api)
    api.finished()
    assert (sent.message, sent.at) == ("42", 1_767_225_700_000), "the first of them"


async def test_more_files_than_an_album_has_are_objected_to():
    assert [one.code for one in connector().objections(message(files=[file()] * 11), NOW)] == ["too_many_files"]


@pytest.mark.parametrize(
    ("answered", "meant"),
    [
        (told(401, "Unauthorized"), DeniedError),
        (told(404, "Not Found"), DeniedError),
        (answer("telegram_api", "blocked", 403), RefusedError),
        (answer("telegram_api", "migrated", 400), RefusedError),
        (told(400, "Bad Request: chat not found"), RefusedError),
        (told(400, "Bad Request: chat not found", status=200), RefusedError),
        (answer("telegram_api", "busy", 429), BusyError),
        (told(500, "Internal Server Error"), UncertainError),
        (answer_of(b"<html>", 502), UncertainError),
        (answer_of(b"<html>", 200), UncertainError),
        (answer_of({}, 200), UncertainError),
        (answer_of({"ok": True, "result": True}), UncertainError),
        (answer_of({"ok": True, "result": {"date": 1}}), UncertainError),
        (answer_of({}, 403), RefusedError),
        (UnreachableError("no route"), UnreachableError),
        (UncertainError("timed out"), UncertainError),
    ],
)
async def test_what_an_answer_means(answered, meant):
    api = ScriptedApi((lambda _: True, answered))
    with pytest.raises(meant) as raised:
        await connector().send(message(text="x"), api)
    assert type(raised.value) is meant
    api.finished()


async def test_the_wait_that_is_told_is_kept():
    with pytest.raises(BusyError) as busy:
        await connector().send(message(text="x"), EndlessApi(answer("telegram_api", "busy", 429)))
    assert busy.value.retry_after == 7.0


async def test_the_token_is_in_no_error_and_in_nothing_that_is_shown():
    with pytest.raises(RefusedError) as refused:
        await connector().send(message(text="x"), EndlessApi(told(400, f"no bot {TOKEN}")))
    api = EndlessApi(SENT)
    await connector().send(message(text="x"), api)
    assert TOKEN not in f"{refused.value!r} {api.requests[0]!r}"
    assert repr(api.requests[0]) == "ApiRequest(POST api.telegram.org)"


async def test_a_file_that_came_is_fetched_by_the_path_that_is_told():
    asked = asks("POST", f"{BOT}/getFile", json={"file_id": "AgAD-large"})
    api = ScriptedApi((asked, answer("telegram_api", "file")))
    found = await connector().locate(Attachment(id="AgAD-large", kind="photo"), api)
    api.finished()
    assert (found.method, found.url) == ("GET", f"https://api.telegram.org/file/bot{TOKEN}/photos/file%201.jpg")
    for path in ("../../bot2/getMe", "a/../../b"):
        with pytest.raises(RefusedError):
            await connector().locate(
                Attachment(id="x"), EndlessApi(answer_of({"ok": True, "result": {"file_path": path}}))
            )
    with pytest.raises(RefusedError, match="too big"):
        await connector().locate(Attachment(id="x"), EndlessApi(told(400, "Bad Request: file is too big")))


async def test_another_address_is_asked_where_it_is_set():
    api = ScriptedApi((asks("POST", f"http://127.0.0.1:9/bot{TOKEN}/sendMessage"), SENT))
    await connector(api_url="http://127.0.0.1:9/").send(message(text="x"), api)
    api.finished()


async def test_a_probe_tells_whether_updates_are_sent_to_us():
    def asked(request):
        return request.url == f"{BOT}/getWebhookInfo"

    found = await connector().probe(ScriptedApi((asked, answer("telegram_api", "hook"))))
    assert (found.subscription, "Connection timed out" in found.detail) == ("active", True)
    elsewhere = {"ok": True, "result": {"url": "https://other.example/"}}
    for hook in (elsewhere, {"ok": True, "result": {"url": ""}}):
        found = await connector().probe(ScriptedApi((asked, answer_of(hook))))
        assert (found.subscription, "setWebhook" in found.detail) == ("disabled", True)
    fine = {"ok": True, "result": {"url": URL}}
    assert await connector().probe(ScriptedApi((asked, answer_of(fine)))) == Probe(subscription="active")
    with pytest.raises(DeniedError):
        await connector().probe(ScriptedApi((asked, told(401, "Unauthorized"))))


@pytest.mark.parametrize(
    ("settings", "allowed", "left_out"),
    [
        ({}, [], ""),
        ({}, ["message", "edited_message", "poll"], ""),
        ({}, ["message"], "edited_message"),
        ({"reactions": "yes"}, [], "message_reaction"),
        ({"reactions": "yes"}, ["message", "edited_message"], "message_reaction"),
        ({"reactions": "yes"}, ["message_reaction"], "message, edited_message"),
        ({"reactions": "yes"}, ["message_reaction", "edited_message", "message"], ""),
    ],
)
async def test_a_probe_tells_what_the_webhook_is_not_told_of(settings, allowed, left_out):
    hook = {"ok": True, "result": {"url": URL} | ({"allowed_updates": allowed} if allowed else {})}
    found = await connector(**settings).probe(EndlessApi(answer_of(hook)))
    assert found.subscription == "active"
    assert found.detail.partition(" leave out ")[2].partition(";")[0] == left_out
    assert bool(found.detail) is bool(left_out)


async def test_reactions_are_asked_for_where_the_channel_shows_them():
    api = EndlessApi(answer_of({"ok": True, "result": []}))
    await connector(long_poll="yes", reactions="yes").draw(api)
    assert json.loads(api.requests[0].body)["allowed_updates"] == [*UPDATES, "message_reaction"]
    with pytest.raises(RejectedError, match="reactions"):
        connector(reactions="maybe")


UPDATE = {
    "update_id": 174114370,
    "message": {
        "message_id": 41,
        "date": 1_767_225_600,
        "chat": {"id": 1001, "type": "private"},
        "from": {"id": 1001, "is_bot": False, "first_name": "Ana"},
        "text": "Hello",
    },
}


async def test_updates_are_drawn_and_confirmed_where_no_webhook_is_wanted():
    asked = {"limit": 100, "timeout": 20, "allowed_updates": list(UPDATES)}
    unreadable = {"update_id": 174114371, "message": {"message_id": 42}}
    other = {"update_id": 174114372, "my_chat_member": {}}
    api = ScriptedApi(
        (asks("POST", f"{BOT}/getUpdates", json=asked), answer_of({"ok": True, "result": [UPDATE, unreadable, other]})),
        (
            asks("POST", f"{BOT}/getUpdates", json={"offset": 174114373, "limit": 1}),
            answer_of({"ok": True, "result": []}),
        ),
    )
    bot = connector(long_poll="yes")
    assert bot.queued()
    drawn = await bot.draw(api)
    assert drawn.done == ("174114370", "174114371", "174114372")
    told, refused = drawn.parsed
    assert (told.conversation, told.message, told.text) == ("1001", "41", "Hello")
    assert isinstance(refused, Refused)
    await bot.confirm(drawn, api)
    api.finished()
    assert api.requests[0].timeout_s > 20, "longer than Telegram waits"


async def test_what_speaks_against_asking_for_updates_is_said():
    bot = connector(long_poll="yes")
    with pytest.raises(RefusedError, match="webhook is active"):
        await bot.draw(EndlessApi(told(409, "Conflict: can't use getUpdates method while webhook is active")))
    found = await bot.probe(EndlessApi(answer_of({"ok": True, "result": {"url": URL}})))
    assert (found.subscription, "deleteWebhook" in found.detail) == ("disabled", True)
    assert await bot.probe(EndlessApi(answer_of({"ok": True, "result": {"url": ""}}))) == Probe(subscription="active")
    assert not connector().queued()
    with pytest.raises(RejectedError, match="long_poll"):
        connector(long_poll="maybe")


@HOSTILE
@given(mutated(payloads("telegram_api")), st.sampled_from([200, 200, 200, 400, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    api = EndlessApi(ApiResponse(status=status, body=body))
    everything = (
        lambda: connector().send(message(text="x"), api),
        lambda: connector().send(message(files=[file()]), api),
        lambda: connector().send(message(files=[file(), file()]), api),
        lambda: connector(long_poll="yes").draw(api),
        lambda: connector().locate(Attachment(id="1"), api),
        lambda: connector().probe(api),
    )
    for ask in everything:
        with suppress(*DOCUMENTED):
            await ask()


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
async def test_whatever_ids_are_given_a_request_is_made_of_them(conversation, quoted, topic):
    api = EndlessApi(SENT)
    odd = message(
        text="x", conversation=conversation, reply_to=quoted, extra={"topic": topic, "business_connection": 7}
    )
    await connector().send(odd, api)
    assert json.loads(api.requests[0].body)["text"] == "x"
