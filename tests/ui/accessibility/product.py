"""The whole product with something on every page: `product.py PORT FOLDER`.

The conversations, customers, settings and failures that the other folders of browser tests have, in one product, and a
loss, a mute and a team beside. Log in as `Ada Lin` (admin); the password is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Checkpoint  # needs the line above
from services.inbox.teams import TeamWish
from tests.ui.context import product as shops
from tests.ui.desk import product as office
from tests.ui.programs import PASSWORD
from tests.ui.thread import product as talks
from weir.config import Config
from weir.wiring import running

PEOPLE = (("Ada Lin", "admin"), ("Sam Wu", "supervisor"), ("Ben Okafor", "agent"), ("Vic Ho", "viewer"))
HOUR_MS = 3_600_000


def lost(now):
    """The platform counts a message that never came."""
    about = {"platform": "shopee", "account": "sg-1", "conversation": "c1"}
    return Checkpoint(**about, start=now - HOUR_MS, end=now, count=1, messages=["never"], at=now, found_by="sweep")


async def seed(weir):
    for name, role in PEOPLE:
        await weir.accounts.add(name, role, PASSWORD, who="admin")
    now = weir.gateway.now()
    told = [*talks.read(talks.events(now)), *office.events(now), *shops.events(now), lost(now)]
    await weir.gateway.submit(sorted(told, key=lambda event: event.at))
    await weir.store.put_orders(list(shops.orders(now)))
    await weir.runtime.settled()
    await talks.furnish(weir, now)
    await office.furnish(weir, now)
    await weir.services.teams.add(talks.BOSS, TeamWish(name="Asia", members=["Ben Okafor"], channels=["shopee/*"]))
    await weir.services.mutes.mute(who="Ada Lin", until=now + HOUR_MS, reason="a sale", kind="delay", platform="ebay")


async def main(port, folder):
    async with running(Config(data_dir=str(folder), partitions=2)) as weir:
        await seed(weir)
        values = {"secret": "a secret of the shop that nobody knows", "origins": f"http://127.0.0.1:{port}"}
        url = f"http://127.0.0.1:{port}/webhooks/webchat/shop"
        await weir.services.bindings.bind(talks.BOSS, "webchat", "shop", url, values)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
