"""The emulator over real sockets: answers that break off, answers that never come, and its end."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from emulator.app import Emulator, Plan
from emulator.faults import Fault
from emulator.server import bound, serving


async def sent(client, shop, chat):
    told = {"chat_id": chat, "text": "once"}
    return await client.post(f"/telegram/bot{shop.token.access}/sendMessage", json=told)


@pytest.mark.parametrize("kind", ["lost_answer", "timeout_before", "timeout_after"])
async def test_a_connection_breaks_before_the_answer(kind):
    emulator = Emulator(Plan(platforms=["telegram"]))
    with bound("127.0.0.1", 0) as sock:
        async with serving(emulator, sock) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
            (shop,) = emulator.stage.world.shops.values()
            conversation = emulator.stage.conversation(shop)
            emulator.stage.write(conversation, "hello")
            emulator.stage.faults.add(Fault(kind=kind, seconds=0.05, left=1))
            with pytest.raises(httpx.RemoteProtocolError):
                await sent(client, shop, conversation.id)
            assert (await sent(client, shop, conversation.id)).status_code == 200
            assert len([one for one in conversation.messages if one.direction == "out"]) == (
                1 if kind == "timeout_before" else 2
            )


async def test_it_ends_while_somebody_waits_for_an_answer_that_never_comes():
    emulator = Emulator(Plan(platforms=["telegram"]))
    with bound("127.0.0.1", 0) as sock:
        async with serving(emulator, sock) as address:
            (shop,) = emulator.stage.world.shops.values()
            emulator.stage.faults.add(Fault(kind="timeout_before", seconds=600))

            async def waits():
                async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=600) as client:
                    await client.get(f"/telegram/bot{shop.token.access}/getMe")

            waiting = asyncio.create_task(waits())
            while not emulator.stage.faults.struck:  # noqa: ASYNC110 # no event tells of it
                await asyncio.sleep(0.01)
        with pytest.raises(httpx.HTTPError):
            await waiting


async def test_webhooks_go_out_over_the_network_while_it_runs():
    heard = asyncio.Event()
    receiver = Emulator(Plan(platforms=["line"]))

    async def hook(_scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        heard.set()

    receiver.app = hook
    sender = Emulator(Plan(platforms=["telegram"]))
    with bound("127.0.0.1", 0) as one, bound("127.0.0.1", 0) as other:
        async with serving(receiver, one) as address, serving(sender, other):
            (shop,) = sender.stage.world.shops.values()
            sender.stage.pusher.subscribe(shop, f"{address}/hook")
            sender.stage.write(sender.stage.conversation(shop), "hello")
            await asyncio.wait_for(heard.wait(), 20)
