"""What is asked of LINE's Messaging API, and what its answers mean."""

from __future__ import annotations

import uuid
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

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
from connectors.contract.connector import Binding
from connectors.contract.history import Probe
from connectors.line import Line
from tests.connectors.meta_contract import DOCUMENTED, file, reply
from tests.connectors.mutations import HOSTILE, mutated, payloads
from tests.connectors.recordings import recording
from tests.connectors.scripted_api import NOW, EndlessApi, ScriptedApi, answer, answer_of, asks

HOST, DATA = "https://api.line.me/v2/bot", "https://api-data.line.me/v2/bot"
PERSON, TOKEN = "U1000000000000000000000000000001", "line-t0ken"
URL = "https://weir.example/webhooks/line/oa-1"
PICTURE = "https://weir.example/f/1.png"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SENT = answer("line_api", "sent")
TEXT = {"type": "text", "text": "はい"}
FRESH = {"extra": {"reply_token": "r1"}, "last_in_at": NOW - 10_000}


def connector(account="oa-1", **settings):
    about = {"channel_secret": "s3cret", "access_token": TOKEN, **settings}
    return Line(Binding(account=account, url=URL, settings={name: one for name, one in about.items() if one}))


def message(**fields):
    return reply(**({"conversation": PERSON, "text": "はい"} | fields))


def pushes(*messages):
    return asks("POST", f"{HOST}/message/push", headers=BEARER, json={"to": PERSON, "messages": list(messages)})


def replies(*messages):
    return asks("POST", f"{HOST}/message/reply", headers=BEARER, json={"replyToken": "r1", "messages": list(messages)})


async def test_a_text_is_pushed_with_a_key_of_its_own():
    keys = []
    for account, number in (("oa-1", 1), ("oa-1", 1), ("oa-1", 2), ("oa-2", 1)):
        api = ScriptedApi((pushes(TEXT), SENT))
        told = reply(conversation=PERSON, text="はい")
        told = type(told)(id=f"weir-{number}", conversation=PERSON, at=NOW, text="はい")
        sent = await connector(account).send(told, api)
        api.finished()
        assert sent.message == "461230966842064897"
        keys.append(api.requests[0].headers["X-Line-Retry-Key"])
    assert keys[0] == keys[1] == str(uuid.UUID(keys[0]))
    assert len(set(keys)) == 3, "another reply and another account have another key"


async def test_what_was_taken_before_is_sent():
    api = ScriptedApi((pushes(TEXT), answer("line_api", "taken", 409)))
    assert (await connector().send(message(), api)).message == "461230966842064897"
    api = ScriptedApi((pushes(TEXT), answer_of({"message": "The retry key is already accepted"}, 409)))
    assert (await connector().send(message(), api)).message is None
    assert connector().capabilities.idempotent


async def test_pictures_go_with_the_text_at_once():
    picture = {"type": "image", "originalContentUrl": PICTURE, "previewImageUrl": PICTURE}
    api = ScriptedApi((pushes(TEXT, picture, picture), SENT))
    two = message(files=[file(url=PICTURE), file(url=PICTURE)])
    assert connector().objections(two, NOW) == []
    await connector().send(two, api)
    api.finished()


async def test_a_picture_that_line_cannot_fetch_is_objected_to_and_never_sent():
    def codes(**fields):
        return [one.code for one in connector().objections(message(**fields), NOW)]

    assert codes(files=[file()]) == ["file_without_address"]
    assert codes(files=[file(url="http://127.0.0.1/f")]) == ["file_without_address"], "LINE asks https alone"
    assert codes(files=[file("a.pdf", "application/pdf", url=PICTURE)]) == ["file_kind"]
    assert codes(files=[file(content=b"x" * (2**20 + 1), url=PICTURE)]) == ["file_too_large"]
    assert codes(files=[file(url=PICTURE)] * 5) == ["too_many_files"]
    assert codes(text="🙂" * 2_501) == ["text_too_long"], "counted as LINE does"
    assert codes(text="🙂" * 2_500) == []
    for wrong in ({"files": [file()]}, {"files": [file(url="http://weir.example/f")]}, {"text": " "}):
        with pytest.raises(RefusedError):
            await connector().send(message(**wrong), ScriptedApi())
    with pytest.raises(RefusedError):
        await connector().send(message(files=[file(url=PICTURE)] * 5), ScriptedApi())


PREVIEW = "https://shop.example/film.png"
FILM = "https://weir.example/f/1.mp4"


def recorded(**fields):
    return file("a.m4a", "audio/mp4", **({"content": recording(2_500), "url": "https://weir.example/f/1.m4a"} | fields))


async def test_recordings_and_films_go_where_the_channel_wants_that():
    played = connector(recordings="yes", film_preview=PREVIEW)
    two = message(files=[recorded(), file("a.mp4", "video/mp4", url=FILM)])
    assert played.objections(two, NOW) == []
    audio = {"type": "audio", "originalContentUrl": "https://weir.example/f/1.m4a", "duration": 2_500}
    video = {"type": "video", "originalContentUrl": FILM, "previewImageUrl": PREVIEW}
    api = ScriptedApi((pushes(TEXT, audio, video), SENT))
    await played.send(two, api)
    api.finished()


async def test_what_cannot_be_played_is_objected_to_and_never_sent():
    def codes(about, *files):
        return [one.code for one in connector(**about).objections(message(files=files), NOW)]

    yes, film = {"recordings": "yes"}, file("a.mp4", "video/mp4", url=FILM)
    large = {"size": 200 * 2**20 + 1}
    assert codes({}, recorded()) == ["file_kind"]
    assert codes({"film_preview": PREVIEW}, recorded()) == ["file_kind"]
    assert codes(yes, film) == ["file_kind"], "nothing to show until it is played"
    assert codes(yes, replace(recorded(), size=200 * 2**20)) == []
    assert codes(yes, replace(recorded(), **large)) == ["file_too_large"]
    assert codes(yes | {"film_preview": PREVIEW}, replace(film, **large)) == ["file_too_large"]
    assert codes(yes, file(content=b"x" * (2**20 + 1), url=PICTURE), recorded()) == ["file_too_large"], "a picture"
    with pytest.raises(RefusedError, match="how long") as refused:
        await connector(**yes).send(message(files=[recorded(content=b"no boxes")]), ScriptedApi())
    assert refused.value.code == "recording"


@pytest.mark.parametrize("settings", [{"recordings": "maybe"}, {"film_preview": "http://shop.example/film.png"}])
def test_a_channel_that_could_not_play_anything_is_not_bound(settings):
    with pytest.raises(RejectedError, match=next(iter(settings))):
        connector(**settings)


async def test_the_customers_latest_message_can_be_quoted():
    quote = {"quote": {"message": "44", "token": "q1"}}
    api = ScriptedApi((pushes({**TEXT, "quoteToken": "q1"}), SENT))
    await connector().send(message(reply_to="44", extra=quote), api)
    api.finished()
    api = ScriptedApi((pushes(TEXT), SENT))
    await connector().send(message(reply_to="43", extra=quote), api)
    api.finished()


async def test_a_fresh_reply_token_is_used_where_the_channel_wants_that_and_then_nothing_is_repeated():
    free = connector(reply_tokens="yes")
    assert not free.capabilities.idempotent
    assert free.capabilities.sends
    api = ScriptedApi((replies(TEXT), SENT))
    assert (await free.send(message(**FRESH), api)).message == "461230966842064897"
    api.finished()
    for told in (message(**FRESH | {"last_in_at": NOW - 60_000}), message(), message(**FRESH | {"last_in_at": None})):
        api = ScriptedApi((pushes(TEXT), SENT))
        await free.send(told, api)
        api.finished()
    api = ScriptedApi((pushes(TEXT), SENT))
    await connector().send(message(**FRESH), api)
    api.finished()
    with pytest.raises(RejectedError, match="reply_tokens"):
        connector(reply_tokens="sometimes")


async def test_a_reply_token_that_was_not_taken_is_followed_by_a_push_and_an_unknown_end_by_nothing():
    free = connector(reply_tokens="yes")
    api = ScriptedApi((replies(TEXT), answer("line_api", "invalid_token", 400)), (pushes(TEXT), SENT))
    await free.send(message(**FRESH), api)
    api.finished()
    for told, meant in ((UncertainError("timed out"), UncertainError), (answer_of({}, 500), UncertainError)):
        api = ScriptedApi((replies(TEXT), told))
        with pytest.raises(meant):
            await free.send(message(**FRESH), api)
        api.finished()
    with pytest.raises(RefusedError, match="May not be empty"):
        await free.send(message(**FRESH), ScriptedApi((replies(TEXT), answer("line_api", "refused", 400))))


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (answer_of({"message": f"Authentication failed: {TOKEN}"}, 401), DeniedError),
        (answer_of({"message": "Not available"}, 403), RefusedError),
        (answer("line_api", "refused", 400), RefusedError),
        (answer("line_api", "quota", 429), RefusedError),
        (answer_of({"message": "The API rate limit has been exceeded."}, 429), BusyError),
        (answer_of({}, 500), UncertainError),
        (answer_of(b"<html>", 200), UncertainError),
        (answer_of({}, 200), UncertainError),
        (answer_of({"sentMessages": []}, 200), UncertainError),
        (UnreachableError("no route"), UnreachableError),
        (UncertainError("timed out"), UncertainError),
    ],
)
async def test_what_an_answer_means(told, meant):
    api = ScriptedApi((lambda _: True, told))
    with pytest.raises(meant) as raised:
        await connector().send(message(), api)
    assert type(raised.value) is meant
    assert TOKEN not in repr(raised.value)
    api.finished()


async def test_without_a_token_the_channel_only_receives():
    with pytest.raises(RefusedError, match="access_token"):
        await connector(access_token="").send(message(), ScriptedApi())


async def test_a_file_that_came_is_fetched_with_the_token():
    found = await connector().locate(Attachment(id="44/5", kind="image"), ScriptedApi())
    assert (found.url, found.headers) == (f"{DATA}/message/44%2F5/content", BEARER)
    outside = await connector().locate(
        Attachment(id="44", kind="video", url="https://cdn.example/v.mp4"), ScriptedApi()
    )
    assert (outside.url, outside.headers) == ("https://cdn.example/v.mp4", {})


async def test_a_film_is_fetched_once_it_is_prepared():
    film = Attachment(id="44", kind="video")
    asked = asks("GET", f"{DATA}/message/44/content/transcoding", headers=BEARER)
    found = await connector().locate(film, ScriptedApi((asked, answer_of({"status": "succeeded"}))))
    assert found.url == f"{DATA}/message/44/content"
    with pytest.raises(UnreachableError):
        await connector().locate(film, ScriptedApi((asked, answer_of({"status": "processing"}))))
    with pytest.raises(RefusedError):
        await connector().locate(film, ScriptedApi((asked, answer_of({"status": "failed"}))))


async def test_a_probe_tells_whether_webhooks_are_sent_to_us():
    asked = asks("GET", f"{HOST}/channel/webhook/endpoint", headers=BEARER)
    assert await connector().probe(ScriptedApi((asked, answer("line_api", "hook")))) == Probe(subscription="active")
    for told in ({"endpoint": URL, "active": False}, {"endpoint": "https://other.example", "active": True}):
        found = await connector().probe(ScriptedApi((asked, answer_of(told))))
        assert (found.subscription, bool(found.detail)) == ("disabled", True)
    with pytest.raises(DeniedError):
        await connector().probe(ScriptedApi((asked, answer_of({}, 401))))


async def test_another_address_is_asked_where_it_is_set():
    local = connector(api_url="http://127.0.0.1:9/")
    api = ScriptedApi((asks("POST", "http://127.0.0.1:9/v2/bot/message/push"), SENT))
    await local.send(message(), api)
    api.finished()
    found = await local.locate(Attachment(id="44", kind="file"), ScriptedApi())
    assert found.url == "http://127.0.0.1:9/v2/bot/message/44/content"


@HOSTILE
@given(mutated(payloads("line_api")), st.sampled_from([200, 200, 200, 400, 409, 429, 500]))
async def test_whatever_is_answered_gives_documented_errors(body, status):
    api = EndlessApi(ApiResponse(status=status, body=body))
    everything = (
        lambda: connector().send(message(), api),
        lambda: connector(reply_tokens="yes").send(message(**FRESH), api),
        lambda: connector().locate(Attachment(id="1", kind="audio"), api),
        lambda: connector().probe(api),
    )
    for ask in everything:
        with suppress(*DOCUMENTED):
            await ask()
