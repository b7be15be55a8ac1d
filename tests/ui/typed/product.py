"""The whole product beside emulated platforms, for browser tests of messages that are begun: `product.py PORT FOLDER`.

`amazon/seller`, `whatsapp/number` and `lazada/stall` are bound to the emulator, whose address stands in
FOLDER/about.json; Amazon's mailbox is nowhere, which does not matter here. The buyer on WhatsApp wrote two days ago.
Log in as `Ada Lin` (admin) or `Vic Ho` (viewer) with PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn
from msgspec import json

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Message, Sender  # needs the line above
from emulator.app import Emulator, Plan
from emulator.server import bound, serving
from services.people.permissions import Caller
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

BOSS = Caller(name="Ada Lin", role="admin", via="session")
BEFORE, AFTER = "302-1234567-1234561", "302-1234567-1234562"
"""Numbers of orders: the emulator allows other kinds for an odd one than for an even one."""
SALE = "465423342423"
DAY_MS = 86_400_000
MAILBOX = {"imap_host": "127.0.0.1", "imap_port": "1", "smtp_host": "127.0.0.1", "smtp_port": "1"}
SIGN_IN = {"address": "shop@shop.test", "password": "p"}


def said(platform, account, conversation, at, *, own=None, order=None):
    """A question of a buyer's."""
    return Message(
        platform=platform,
        account=account,
        conversation=conversation,
        message=own or f"m of {conversation}",
        at=at,
        sent_at=at - 1_000,
        direction="in",
        sender=Sender(id=conversation, name="Ana Buyer", role="customer"),
        text="Where is it?",
        order=order,
    )


def peopled(emulator, now):
    """The emulated shops, and what their buyers wrote: the number's two days ago, the stall's about a sale."""
    stage = emulator.stage
    (seller,), (number,), (stall,) = (stage.world.of(one) for one in ("amazon", "whatsapp", "lazada"))
    asked = stage.write(stage.conversation(number), "Where is it?", at=now - 2 * DAY_MS)
    return (seller, number, stall), asked, stage.write(stage.conversation(stall), "Where is it?", order=SALE)


async def bind(weir, emulator, at, port, shops):
    """The channels of the emulated shops."""
    more = {"amazon": SIGN_IN | MAILBOX | {"auth_url": f"{at}/amazon"}}
    for shop, account in zip(shops, ("seller", "number", "stall"), strict=True):
        settings = emulator.stage.platforms[shop.platform].settings(shop) | more.get(shop.platform, {})
        url = f"http://127.0.0.1:{port}/webhooks/{shop.platform}/{account}"
        settings |= {"api_url": f"{at}/{shop.platform}"}
        await weir.services.bindings.bind(BOSS, shop.platform, account, url, settings)
    emulator.stage.pusher.subscribe(shops[1], f"http://127.0.0.1:{port}/webhooks/whatsapp/number")


async def seed(weir, emulator, at, port):
    """People, channels and conversations; the keys of the ones on WhatsApp and Lazada."""
    for name, role in (("Ada Lin", "admin"), ("Vic Ho", "viewer")):
        await weir.accounts.add(name, role, PASSWORD, who="test")
    now = weir.gateway.now()
    shops, asked, wrote = peopled(emulator, now)
    await bind(weir, emulator, at, port, shops)
    await weir.gateway.submit(
        [
            said("whatsapp", "number", asked.conversation, asked.at, own=asked.id),
            said("lazada", "stall", wrote.conversation, wrote.at, own=wrote.id, order=SALE),
            said("amazon", "seller", "before", now - 9_000, order=BEFORE),
            said("amazon", "seller", "after", now - 8_000, order=AFTER),
        ]
    )
    while not await weir.store.conversation("amazon/seller/after"):  # noqa: ASYNC110 # a store tells nobody what it saved
        await asyncio.sleep(0.05)
    keys = {"chat": f"whatsapp/number/{asked.conversation}", "session": f"lazada/stall/{wrote.conversation}"}
    named = zip(("seller", "number", "stall"), shops, strict=True)
    return {"emulator": at, **keys, **{name: shop.key for name, shop in named}}


async def main(port, folder):
    emulator = Emulator(Plan(seed=3, platforms=("amazon", "whatsapp", "lazada")))
    config = Config(data_dir=str(folder / "data"), partitions=2)
    async with running(config) as weir, serving(emulator, bound("127.0.0.1", 0)) as at:
        (folder / "about.json").write_bytes(json.encode(await seed(weir, emulator, at, port)))
        await uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning")).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
