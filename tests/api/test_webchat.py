"""A visitor's chat over HTTP and over its socket, on a Weir at work."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.app import create_api
from services.people.permissions import Caller
from services.webchat import webchat
from tests.services import ports

SECRET = "a secret of the shop that nobody knows"
SHOP = "https://shop.example"
URL = "https://weir.example/webhooks/webchat/shop"
PATIENCE_S = 20
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
CONVERSATIONS = "/api/v1/conversations"


def uuid7(number):
    return f"019aabcd-0000-7000-8000-{number:012d}"


def post(number, text="hello", **fields):
    return {"id": uuid7(number), "text": text, **fields}


async def bind(live, **settings):
    caller = Caller(name="test", role="admin", via="cli")
    values = {"secret": SECRET, "origins": SHOP, **settings}
    await live.services.bindings.bind(caller, "webchat", "shop", URL, values)


@pytest.fixture
async def chat(live):
    """A page of the shop that has no session yet."""
    await bind(live)
    transport = httpx.ASGITransport(create_api(live.services), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://weir.test/chat/shop/", headers={"origin": SHOP}
    ) as client:
        yield client


async def entered(chat, **ask):
    answer = await chat.post("session", json=ask)
    assert answer.status_code == 200, answer.text
    chat.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return answer.json()


async def until(ask, good):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await ask()
            if good(found):
                return found
            await asyncio.sleep(0.05)


async def shown(chat, count):
    async def ask():
        return (await chat.get("messages")).json()

    return (await until(ask, lambda found: len(found["items"]) >= count))["items"]


async def conversation(live_admin, count=1):
    async def ask():
        return (await live_admin.get(CONVERSATIONS, params={"platform": "webchat"})).json()["items"]

    found = await until(ask, lambda items: bool(items) and items[0]["messages"] >= count)
    return found[0]


async def reply(live_admin, key, text):
    segments = "/".join(key.split("/"))
    answer = await live_admin.post(
        f"{CONVERSATIONS}/{segments}/messages", json={"text": text}, headers={"Idempotency-Key": uuid4().hex}
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["message"]


async def test_what_is_acknowledged_is_shown_to_agents_and_visitor_once_and_in_order(chat, live_admin):
    await entered(chat)
    batch = [post(number, f"text number {number}") for number in range(1, 11)]
    for _ in range(2):
        answer = await chat.post("messages", json={"messages": batch})
        assert [one["state"] for one in answer.json()["outcomes"]] == ["ack"] * 10
    items = await shown(chat, 10)
    assert [one["id"] for one in items] == [one["id"] for one in batch]
    row = await conversation(live_admin, 10)
    page = (await live_admin.get(f"{CONVERSATIONS}/{row['key']}/messages")).json()["items"]
    assert [one["message"] for one in page] == [one["id"] for one in batch]
    assert [one["seq"] for one in page] == list(range(1, 11))


async def test_numbers_go_on_after_a_restart(chat, live, live_admin):
    await entered(chat)
    await chat.post("messages", json={"messages": [post(1, "the first one")]})
    await shown(chat, 1)
    live.services.webchat._threads.clear()
    await chat.post("messages", json={"messages": [post(1, "the first one"), post(2, "the second one")]})
    await shown(chat, 2)
    row = await conversation(live_admin, 2)
    page = (await live_admin.get(f"{CONVERSATIONS}/{row['key']}/messages")).json()["items"]
    assert [one["seq"] for one in page] == [1, 2]
    assert (await live_admin.get("/api/v1/anomalies")).json()["items"] == []


async def test_a_reply_reaches_the_visitor_and_is_read(chat, live_admin):
    await entered(chat)
    await chat.post("messages", json={"messages": [post(1)]})
    row = await conversation(live_admin)
    own = await reply(live_admin, row["key"], "We have it <script>alert(1)</script>")
    items = await shown(chat, 2)
    assert (items[1]["id"], items[1]["ours"]) == (own, True)
    assert items[1]["text"] == "We have it <script>alert(1)</script>"

    async def state():
        return (await live_admin.get("/api/v1/outbox")).json()["items"][0]["state"]

    await until(state, lambda found: found == "sent")
    seen = await chat.post("seen", json={"ids": [own, uuid7(1), "unknown"], "status": "read"})
    assert seen.status_code == 204

    async def hops():
        trace = (await live_admin.get(f"/api/v1/messages/{row['key']}/{own}/trace")).json()
        return {hop["hop"]: hop["at"] for hop in trace["hops"]}

    found = await until(hops, lambda hops: hops.get("read"))
    assert found["accepted"]


async def test_a_long_poll_answers_when_an_agent_does(chat, live_admin):
    await entered(chat)
    await chat.post("messages", json={"messages": [post(1)]})
    await shown(chat, 1)
    row = await conversation(live_admin)
    known = (await chat.get("messages")).json()
    waiting = asyncio.create_task(chat.get("messages", params={"after": known["after"], "wait": 20}))
    own = await reply(live_admin, row["key"], "Here I am")
    answer = (await waiting).json()
    assert own in [one["id"] for one in answer["items"]]
    assert answer["after"] > known["after"]


async def test_a_known_browser_comes_back_to_its_conversation(chat):
    first = await entered(chat)
    await chat.post("messages", json={"messages": [post(1)]})
    await shown(chat, 1)
    again = await entered(chat, key=first["key"])
    assert len((await chat.get("messages")).json()["items"]) == 1
    assert again["key"]
    await entered(chat)
    assert (await chat.get("messages")).json()["items"] == []


async def test_a_user_is_whom_the_shop_proves(chat, live_admin):
    genuine = hmac.digest(SECRET.encode(), b"customer-4711", hashlib.sha256).hex()
    refused = await chat.post("session", json={"user_id": "customer-4711", "user_hash": "0" * 64})
    assert refused.status_code == 401
    found = await entered(chat, user_id="customer-4711", user_hash=genuine, name="Mia")
    assert found["key"] is None
    await chat.post("messages", json={"messages": [post(1)]})
    row = await conversation(live_admin)
    assert (row["contact_id"], row["contact_name"]) == ("customer-4711", "Mia")


@pytest.mark.parametrize("use", ["key", "hash", "other", "none", "alg"])
async def test_nothing_but_a_token_opens_a_chat(chat, use):
    found = await entered(chat)
    head, body, mac = found["token"].split(".")
    given = {
        "key": found["key"],
        "hash": hmac.digest(SECRET.encode(), b"x", hashlib.sha256).hex(),
        "other": f"{head}.{body}.{mac[:-4]}AAAA",
        "none": "",
        "alg": f"eyJhbGciOiJub25lIn0.{body}.",
    }[use]
    answer = await chat.get("messages", headers={"authorization": f"Bearer {given}"})
    assert answer.status_code == 401


async def test_a_token_is_over_after_a_quarter_of_an_hour(chat, live):
    await entered(chat)
    now = live.services.webchat.now
    live.services.webchat.now = lambda: now() + 16 * 60_000
    assert (await chat.get("messages")).status_code == 401


async def test_only_pages_that_the_channel_names_may_chat(chat):
    strange = await chat.post("session", json={}, headers={"origin": "https://evil.example"})
    assert strange.status_code == 403
    assert "access-control-allow-origin" not in strange.headers
    assert (await chat.post("session", json={}, headers={"origin": "null"})).status_code == 403
    ours = await chat.options("session", headers={"access-control-request-method": "POST"})
    assert (ours.status_code, ours.headers["access-control-allow-origin"]) == (204, SHOP)
    wrong = await chat.get("messages")
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (401, SHOP)


async def test_a_channel_that_is_not_bound_is_not_there(chat):
    assert (await chat.post("http://weir.test/chat/nobody/session", json={})).status_code == 404


async def test_too_many_messages_must_come_later_and_none_after_it_is_taken(chat, monkeypatch):
    monkeypatch.setattr(webchat, "PER_VISITOR", webchat.Limit(name="few", most=3, window_ms=60_000))
    await entered(chat)
    answer = await chat.post("messages", json={"messages": [post(number, f"text {number}") for number in range(1, 9)]})
    outcomes = answer.json()["outcomes"]
    assert [one["state"] for one in outcomes] == ["ack", "ack", "ack", "later"]
    assert 0 < outcomes[-1]["after_ms"] <= 60_000


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "1", "text": "x"},
        {"id": uuid7(1), "text": "x" * 4001},
        {"id": uuid7(1), "text": 7},
        {"id": uuid7(1), "text": "x", "age": -1},
        {"text": "x"},
    ],
)
async def test_a_message_that_breaks_the_rules_is_refused_whole(chat, bad):
    await entered(chat)
    answer = await chat.post("messages", json={"messages": [bad]})
    assert answer.status_code == 422


async def test_an_empty_message_is_refused_and_harms_no_other(chat):
    await entered(chat)
    answer = await chat.post("messages", json={"messages": [post(1, "  "), post(2, "here")]})
    assert [one["state"] for one in answer.json()["outcomes"]] == ["refused", "ack"]


async def test_a_file_is_kept_before_its_message_comes(chat, live_admin):
    await entered(chat)
    wrong = await chat.post("files", content=b"MZ\x90\x00 a program", headers={"x-file-name": "a.png"})
    assert wrong.status_code == 422
    kept = (await chat.post("files", content=PNG, headers={"x-file-name": "..%2Fmy%20cat.png"})).json()
    assert (kept["name"], kept["mime"], kept["size"]) == ("my cat.png", "image/png", len(PNG))
    answer = await chat.post("messages", json={"messages": [post(1, "", files=[kept])]})
    assert answer.json()["outcomes"][0]["state"] == "ack"
    strange = kept | {"digest": "0" * 64}
    answer = await chat.post("messages", json={"messages": [post(2, "", files=[strange])]})
    assert answer.json()["outcomes"][0]["state"] == "refused"
    row = await conversation(live_admin)

    async def attachments():
        page = (await live_admin.get(f"{CONVERSATIONS}/{row['key']}/messages")).json()["items"]
        return page[0]["attachments"]

    [found] = await until(attachments, lambda found: bool(found) and found[0].get("status"))
    assert (found["mime"], found["status"]) == ("image/png", "ok")
    items = await shown(chat, 1)
    assert items[0]["files"] == [{"name": "my cat.png", "size": len(PNG)}]


async def test_the_address_of_a_visitor_goes_along_when_nobody_is_there(chat, live, live_admin):
    await bind(live, offline="yes")
    found = await until(lambda: entered(chat), lambda session: session["away"])
    assert found["away"]
    contact = {"name": "Ann", "email": "ann@shop.example"}
    await chat.post("messages", json={"messages": [post(1, "please write", contact=contact)]})
    row = await conversation(live_admin)
    held = await live.services.store.message(row["key"], uuid7(1))
    assert held.extra["contact"] == contact
    assert row["contact_name"] == "Ann"


async def test_both_sides_are_told_that_the_other_is_writing(chat, live_admin):
    await entered(chat)
    await chat.post("messages", json={"messages": [post(1)]})
    key = (await conversation(live_admin))["key"]
    where = "/api/v1/webchat/typing"
    assert (await live_admin.get(where, params={"conversation": key})).json() == {"visitor": False}
    await chat.post("typing")

    async def visitor():
        return (await live_admin.get(where, params={"conversation": key})).json()["visitor"]

    assert await until(visitor, bool)
    await live_admin.post(where, params={"conversation": key})

    async def agent():
        return (await chat.get("messages")).json()["typing"]

    assert await until(agent, bool)


@asynccontextmanager
async def served(live):
    [port] = ports.free()
    config = uvicorn.Config(create_api(live.services), port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: asyncio.sleep(0, server.started), bool)
        yield f"ws://127.0.0.1:{port}/chat/shop/socket"
    finally:
        server.should_exit = True
        await task


async def heard(socket, kind):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = json.loads(await socket.recv())
            if frame["type"] == kind:
                return frame


async def test_a_socket_carries_messages_both_ways_and_goes_on_where_it_broke_off(chat, live, live_admin):
    token = (await entered(chat))["token"]
    async with served(live) as url:
        async with connect(url, origin=SHOP) as socket:
            await socket.send(json.dumps({"type": "hello", "token": token}))
            assert (await heard(socket, "messages"))["items"] == []
            await socket.send(json.dumps({"type": "message", "message": post(1, "by socket")}))
            assert (await heard(socket, "ack"))["id"] == uuid7(1)
            own = await heard(socket, "messages")
            assert [one["id"] for one in own["items"]] == [uuid7(1)]
            key = (await conversation(live_admin))["key"]
            await live_admin.post("/api/v1/webchat/typing", params={"conversation": key})
            await heard(socket, "typing")
            await socket.send(json.dumps({"type": "message", "message": {"id": "no uuid", "text": "x"}}))
            assert (await heard(socket, "refused"))["id"] == "no uuid"
        answer = await reply(live_admin, key, "while you were away")
        async with connect(url, origin=SHOP) as socket:
            await socket.send(json.dumps({"type": "hello", "token": token, "after": own["after"]}))
            found = []
            while answer not in found:
                found += [one["id"] for one in (await heard(socket, "messages"))["items"]]
            await socket.send(json.dumps({"type": "seen", "ids": [answer], "status": "delivered"}))
            await socket.send(json.dumps({"type": "ping"}))
            await heard(socket, "pong")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"hello","token":"forged"}', 4401),
        ("no json", 4400),
        ('{"type":"message"}', 4400),
        (json.dumps({"type": "hello", "token": "x" * 70_000}), 4413),
    ],
)
async def test_a_socket_that_says_no_proper_hello_is_closed(chat, live, frame, code):
    async with served(live) as url, connect(url, origin=SHOP) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
        assert closed.value.rcvd.code == code
    assert chat
