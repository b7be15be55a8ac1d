"""The whole product for browser tests of the inbox: real parts, people in teams, and conversations of every kind.

Run as a program: `product.py PORT FOLDER`. `Ada Lin` is admin, `Sam Wu` supervisor, `Ann Ho` and `Ben Okafor` agents of
the team `Asia`, which holds the shops of Shopee and Lazada; the password of each is PASSWORD.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # runs as a program, outside pytest

from actors.events import Message, Sender  # needs the line above
from services.inbox.teams import TeamWish
from services.people.permissions import Caller
from tests.ui.programs import PASSWORD
from weir.config import Config
from weir.wiring import running

HOSTILE = '<img src=x onerror="window.hurt=1">'
PEOPLE = (("Ada Lin", "admin"), ("Sam Wu", "supervisor"), ("Ann Ho", "agent"), ("Ben Okafor", "agent"))
ADA = Caller(name="Ada Lin", role="admin", via="session")
ANN = Caller(name="Ann Ho", role="agent", via="session")
MINUTE_MS = 60_000
NAMES = ("Arun Linh", "Wei Cruz", "Thanh Park", "Hiroshi Rahman", "Siti Cruz", "Mei Abdullah", HOSTILE, "Bella Lim")
TEXTS = (
    "Hi, has my parcel left the warehouse yet?",
    "I got two parcels but paid once, what should I do?",
    "ขอเลขพัสดุหน่อยค่ะ",
    "サイズ交換はできますか",
    HOSTILE,
    "我收到两个包裹但只付了一次款",
)
MANY = 260
"""Conversations of a shop that nobody looks after: more than one window of the list."""


def wrote(now, number, *, platform="shopee", account="sg-1", ago_ms=MINUTE_MS, **more):
    conversation = f"c{number}"
    given = {
        "platform": platform,
        "account": account,
        "conversation": conversation,
        "message": f"m{number}-{ago_ms}",
        "at": now - ago_ms,
        "sent_at": now - ago_ms,
        "direction": "in",
        "sender": Sender(id=f"u{number}", role="customer", name=NAMES[number % len(NAMES)]),
        "text": TEXTS[number % len(TEXTS)],
        "lang": ("en", "th", "ja", "zh")[number % 4],
        "order": None if number % 3 == 0 else f"SG{100000 + number}",
    }
    return Message(**(given | more))


def events(now):
    """Forty conversations of the team's shop, one late, one answered; and many of a shop that nobody has."""
    for number in range(40):
        yield wrote(now, number, ago_ms=(number + 1) * MINUTE_MS, vip=number == 5)
    yield wrote(now, 3, message="a3", direction="out", sender=Sender(id="ann", role="agent"), ago_ms=30_000)
    for number in range(MANY):
        yield wrote(now, number, platform="ebay", account="uk", ago_ms=(number + 1) * 10_000)


async def seed(weir):
    for name, role in PEOPLE:
        await weir.accounts.add(name, role, PASSWORD, who="admin")
    wish = TeamWish(name="Asia", members=["Ann Ho", "Ben Okafor", "Sam Wu"], channels=["shopee/*", "lazada/*"])
    await weir.services.teams.add(ADA, wish)
    now = weir.gateway.now()
    await weir.gateway.submit(sorted(events(now), key=lambda event: event.at))
    await weir.runtime.settled()
    for number in (0, 1, 2):
        await weir.services.desk.claim(ANN, f"shopee/sg-1/c{number}", None)


async def main(port, folder):
    config = Config(data_dir=str(folder), partitions=2)
    async with running(config) as weir:
        await seed(weir)
        server = uvicorn.Server(uvicorn.Config(weir.web(), port=port, log_level="warning"))
        await server.serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
