"""The socket of an open inbox, on a Weir at work."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.app import create_api
from tests.services import ports

PASSWORD = "correct horse battery"  # of a test's person
PATIENCE_S = 20
KEY = "shopee/shop-1/c1"


@pytest.fixture
async def address(live):
    """Where the Weir at work answers."""
    [port] = ports.free()
    config = uvicorn.Config(create_api(live.services), port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 # uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"ws://127.0.0.1:{port}/api/v1/inbox/live"
    server.should_exit = True
    await task


async def session(live, name="ann", role="agent"):
    await live.accounts.add(name, role, PASSWORD, who="test")
    return (await live.accounts.log_in(name, PASSWORD, "test"))[0]


@asynccontextmanager
async def screen(address, secret, **hello):
    """An open inbox that has said hello: its socket, and what it was answered."""
    async with connect(address, additional_headers={"Cookie": f"weir_sid={secret}"}) as socket:
        await socket.send(json.dumps({"type": "hello", **hello}))
        yield socket, await heard(socket, lambda frame: frame["type"] == "hello")


async def heard(socket, good):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = json.loads(await socket.recv())
            if good(frame):
                return frame


def row_with(text):
    def good(frame):
        return frame["type"] == "news" and any(row["last_text"] == text for row in frame["rows"])

    return good


@pytest.fixture
def write(live_admin, message):
    """A customer writes."""

    async def writes(number, text, **fields):
        answer = await live_admin.post("/api/v1/events", json=[message(number, text=text, **fields)])
        assert answer.json()["accepted"] == 1, answer.text

    return writes


async def test_a_message_is_told_to_those_who_have_its_conversation_in_sight(live, address, write):
    await write(1, "hello")
    async with screen(address, await session(live)) as (socket, hello):
        assert hello["complete"] is False
        await socket.send(json.dumps({"type": "watch", "keys": [KEY], "thread": KEY}))
        await write(2, "where is it?")
        told = []

        def both(frame):
            told.append(frame)
            row = any(row_with("where is it?")(one) for one in told)
            return row and any(one.get("thread") == {"key": KEY} for one in told)

        await heard(socket, both)


async def test_a_claim_is_told_to_all(live, address, write, live_admin):
    await write(1, "hello")
    async with screen(address, await session(live)) as (socket, _):
        await socket.send(json.dumps({"type": "watch", "keys": [KEY]}))
        await heard(socket, lambda frame: frame["type"] == "news" and frame["counts"])
        await session(live, "ben")
        answer = await live_admin.post(f"/api/v1/conversations/{KEY}/assign", json={"assignee": "ben"})
        assert answer.status_code == 200, answer.text
        news = await heard(
            socket, lambda frame: frame["type"] == "news" and frame["rows"] and frame["rows"][0]["assignee"]
        )
        assert news["rows"][0]["assignee"] == "ben"


async def test_what_was_missed_is_named_when_a_screen_comes_back(live, address, write):
    secret = await session(live)
    async with screen(address, secret) as (socket, hello):
        await write(1, "hello")
        seen = await heard(socket, lambda frame: frame["type"] == "news" and frame["fresh"])
    await write(2, "again")
    async with screen(address, secret) as (socket, again):
        await socket.send(json.dumps({"type": "watch", "keys": [KEY]}))
        if again["seq"] == seen["seq"]:
            await heard(socket, row_with("again"))
    async with screen(address, secret, epoch=hello["epoch"], seq=seen["seq"]) as (_, back):
        assert back["complete"] is True
        assert back["changed"] == [KEY]


async def test_who_logs_out_is_cut_off_and_may_not_come_back(live, address):
    secret = await session(live)
    async with screen(address, secret) as (socket, _):
        await live.accounts.end_sessions("ann")
        with pytest.raises(ConnectionClosed):
            await heard(socket, lambda _: False)
        assert socket.close_code == 4401
    with pytest.raises((ConnectionClosed, InvalidStatus)):
        async with connect(address, additional_headers={"Cookie": f"weir_sid={secret}"}) as socket:
            await socket.recv()


@pytest.mark.parametrize(
    "frame", ["", "{", '{"type":"watch"}', '{"type":"hello","seq":-1}', '{"type":"hello","epoch":7}', "[]", "\x00"]
)
async def test_a_first_frame_that_is_none_ends_the_socket_and_nothing_else(live, address, frame):
    secret = await session(live)
    async with connect(address, additional_headers={"Cookie": f"weir_sid={secret}"}) as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4400
    async with screen(address, secret) as (_, hello):
        assert hello["type"] == "hello"


@pytest.mark.parametrize(
    "frame",
    [
        "no json", '{"type":"unknown"}', '{"type":"watch","keys":[1]}', '{"type":"watch","keys":[""]}',
        json.dumps({"type": "watch", "keys": ["a"] * 301}), '{"type":"typing"}', '{"type":"ping","id":"x"}',
    ],
)  # fmt: skip
async def test_a_frame_that_breaks_the_rules_ends_the_socket(live, address, frame):
    async with screen(address, await session(live)) as (socket, _):
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await heard(socket, lambda _: False)
        assert socket.close_code == 4400


async def test_keys_that_are_none_are_no_danger(live, address):
    async with screen(address, await session(live)) as (socket, _):
        await socket.send(json.dumps({"type": "watch", "keys": ["nonsense", "%%%", "a/b/c/d"], "thread": "../x"}))
        await socket.send(json.dumps({"type": "ping", "id": 7}))
        assert await heard(socket, lambda frame: frame["type"] == "pong") == {"type": "pong", "id": 7}


async def test_a_page_of_another_origin_gets_no_socket(live, address):
    secret = await session(live)
    with pytest.raises(InvalidStatus):
        async with connect(address, origin="https://evil.example", additional_headers={"Cookie": f"weir_sid={secret}"}):
            pass


async def test_two_who_read_the_same_conversation_see_each_other(live, address, write):
    await write(1, "hello")
    async with (
        screen(address, await session(live)) as (ann, _),
        screen(address, await session(live, "ben")) as (ben, _),
    ):
        for socket in (ann, ben):
            await socket.send(json.dumps({"type": "watch", "thread": KEY}))
        told = await heard(ann, lambda frame: frame["type"] == "present" and frame["who"])
        assert told == {"type": "present", "key": KEY, "who": [{"name": "ben", "typing": False}]}
        await ann.send(json.dumps({"type": "typing", "key": KEY}))
        await heard(ben, lambda frame: frame["type"] == "present" and frame["who"] == [{"name": "ann", "typing": True}])


async def test_without_a_session_there_is_no_socket(address):
    with pytest.raises((ConnectionClosed, InvalidStatus)):
        async with connect(address) as socket:
            await socket.recv()
