"""AT-27: an agent's line is down while a colleague answers and much else happens; she misses nothing, by a cursor."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect

from api.app import create_api
from services.inbox.live.follower import MOST_TOLD_OF
from tests.services import ports
from weir.config import Config
from weir.wiring import running

PATIENCE_S = 60
PASSWORD = "correct horse battery"  # of a test's person
OURS = "shopee/shop/ours"
OTHERS = 1_200


@pytest.fixture
async def house(data_dir):
    """A Weir at work that answers over TCP: (it, its address, a client of its admin)."""
    async with running(Config(data_dir=str(data_dir / "house"), partitions=2)) as weir:
        [port] = ports.free()
        config = uvicorn.Config(create_api(weir.services), port=port, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        secret, _ = await weir.tokens.create("test", "admin", who="test")
        address = f"127.0.0.1:{port}"
        async with httpx.AsyncClient(
            base_url=f"http://{address}", headers={"Authorization": f"Bearer {secret}"}, timeout=PATIENCE_S
        ) as client:
            while not server.started:  # noqa: ASYNC110 # uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield weir, address, client
        server.should_exit = True
        await task


@asynccontextmanager
async def screen(address, secret, hello):
    async with connect(
        f"ws://{address}/api/v1/inbox/live", additional_headers={"Cookie": f"weir_sid={secret}"}
    ) as socket:
        await socket.send(json.dumps({"type": "hello", **hello}))
        yield socket, await frame(socket, lambda told: told["type"] == "hello")


async def frame(socket, good):
    async with asyncio.timeout(PATIENCE_S):
        while not good(told := json.loads(await socket.recv())):
            pass
        return told


async def wrote(client, *conversations, direction="in", text="hello"):
    """These conversations get a message each, and it is stored when this returns."""
    shared = {"type": "message", "platform": "shopee", "account": "shop", "direction": direction, "text": text}
    shared |= {"sent_at": datetime.now(UTC).isoformat(), "sender": {"id": "x", "name": "X"}}
    events = [shared | {"conversation": name, "message": f"{name}-{text}"} for name in conversations]
    for start in range(0, len(events), 500):
        (await client.post("/api/v1/events", json=events[start : start + 500])).raise_for_status()
    async with asyncio.timeout(PATIENCE_S):
        while not await _stored(client, conversations[-1], text):  # noqa: ASYNC110 # the product is asked over HTTP
            await asyncio.sleep(0.05)


async def _stored(client, conversation, text):
    answer = await client.get(f"/api/v1/conversations/shopee/shop/{conversation}")
    return answer.status_code == 200 and answer.json()["last_text"] == text


async def test_what_happened_while_the_line_was_down_is_named_completely(house):
    weir, address, client = house
    await weir.accounts.add("Ann", "agent", PASSWORD, who="test")
    ann = (await weir.accounts.log_in("Ann", PASSWORD, "test"))[0]
    await wrote(client, "ours")
    async with screen(address, ann, {}) as (socket, hello):
        await socket.send(json.dumps({"type": "watch", "keys": [OURS], "thread": OURS}))
        await socket.send('{"type":"ping","id":1}')
        await frame(socket, lambda told: told["type"] == "pong")
    await wrote(client, *(f"other-{number}" for number in range(OTHERS)))
    await wrote(client, "ours", direction="out", text="Ben has answered")
    async with screen(address, ann, {"epoch": hello["epoch"], "seq": hello["seq"]}) as (socket, back):
        assert back["complete"] is True
        assert len(set(back["changed"])) >= OTHERS - 1
        if OURS not in back["changed"]:  # stored, and this moment on its way to the screens
            await socket.send(json.dumps({"type": "watch", "keys": [OURS], "thread": OURS}))
            await frame(socket, lambda told: told["type"] == "news" and told["thread"] == {"key": OURS})
    thread = (await client.get(f"/api/v1/conversations/{OURS}/thread")).json()["items"]
    assert [item["text"] for item in thread if item["kind"] == "message"][-1] == "Ben has answered"


async def test_after_more_than_can_be_named_everything_is_read_anew(house):
    weir, address, client = house
    await weir.accounts.add("Ann", "agent", PASSWORD, who="test")
    ann = (await weir.accounts.log_in("Ann", PASSWORD, "test"))[0]
    async with screen(address, ann, {}) as (_, hello):
        pass
    await wrote(client, *(f"other-{number}" for number in range(MOST_TOLD_OF + 1)))
    async with screen(address, ann, {"epoch": hello["epoch"], "seq": hello["seq"]}) as (_, back):
        assert (back["complete"], back["changed"]) == (False, [])
